"""``core.email``: what the mail server gets, and what each way of failing is called."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from apps.contents.models import StaticData, Template
from apps.core import mail
from apps.core.errors import NotFound
from apps.flows.engine.results import AppError, AppResult
from apps.flows.engine.walk import Call
from apps.records.effects import perform
from apps.records.effects.email import message_id
from apps.records.execution import drain
from apps.records.house import PREPARE, Place, prepare
from apps.records.models import Record, RecordStep, Status
from tests.conftest import Tenant, publish
from tests.core.certified import site
from tests.core.smtp import Catcher, catching
from tests.keystores.conftest import LONDON, fill, make_keystore
from tests.records.conftest import flow_of, insert, make_due

SCOPE: dict[str, Any] = {"client": {"name": "Ada <b>", "email": "ada@example.com"}}
CALL = Call(
    object="mail",
    app="core.email",
    kind="external",
    config={},
    timeout=5.0,
    idempotency_key="r-1:1:2",
    started_at=datetime(2026, 1, 15, tzinfo=UTC),
    started=0.0,
    scope=SCOPE | {"record": SCOPE},
)
PLAIN = {"to": "ada@example.com", "subject": "Welcome", "text": "Hello"}


def use(settings: Any, catcher: Catcher) -> None:
    settings.EMAIL_BACKEND = "apps.core.mail.Backend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", catcher.port
    settings.DEFAULT_FROM_EMAIL = "Flowize <flows@example.org>"


@pytest.fixture
def catcher(settings: Any) -> Iterator[Catcher]:
    """A mail server that the installation uses."""
    with catching() as catcher:
        use(settings, catcher)
        yield catcher


def place(workspace_id: int = 0) -> Place:
    return Place(workspace_id, 0, "", 0, "UTC", 0, "r-1", 0, "", 1, None)


def send(timeout: float = 5.0, workspace_id: int = 0, **config: Any) -> AppResult | AppError:
    prepared = prepare(place(workspace_id), replace(CALL, config=config, timeout=timeout))
    return prepared if isinstance(prepared, AppError) else perform(prepared)


def test_a_mail_as_the_server_gets_it(catcher: Catcher) -> None:
    result = send(
        to=["ada@example.com", None, "Bob, the Builder <bob@example.com>"],
        cc="Zoë <zoe@example.com>",
        bcc=["hidden@example.com"],
        reply_to="desk@example.org",
        subject="Größe ✓",
        text="Hello\n.\nbye",
        html="<p>Hello</p>",
        save_to="mail",
    )
    (got,) = catcher.mails
    answer = {"message_id": message_id(0, "r-1:1:2"), "recipients": 4}
    assert result == AppResult("ok", answer, {"mail": answer})
    assert got.sender == "flows@example.org"
    assert got.recipients == ["ada@example.com", "bob@example.com", "zoe@example.com", "hidden@example.com"]
    message = got.message
    assert message["From"] == "Flowize <flows@example.org>"
    assert message["To"] == 'ada@example.com, "Bob, the Builder" <bob@example.com>'
    assert message["Cc"] == "Zoë <zoe@example.com>"
    assert message["Reply-To"] == "desk@example.org"
    assert message["Subject"] == "Größe ✓"
    assert message["Message-ID"] == answer["message_id"]
    assert message["Auto-Submitted"] == "auto-generated"
    assert b"hidden" not in got.raw
    text, html = message.iter_parts()
    assert (text.get_content_type(), text.get_content()) == ("text/plain", "Hello\n.\nbye")
    assert (html.get_content_type(), html.get_content()) == ("text/html", "<p>Hello</p>")


@pytest.mark.parametrize(("key", "kind"), [("text", "text/plain"), ("html", "text/html")])
def test_one_text_alone(catcher: Catcher, key: str, kind: str) -> None:
    send(to="ada@example.com", subject="Hi", **{key: "the body"})
    message = catcher.mails[0].message
    assert (message.get_content_type(), message.get_content()) == (kind, "the body\n")


@pytest.mark.parametrize("to", ["ada@münchen.example", "Ada <ada@münchen.example>"])
def test_international_domains_go_out_in_ascii(catcher: Catcher, to: str) -> None:
    assert isinstance(send(**PLAIN | {"to": to}), AppResult)
    assert catcher.mails[0].recipients == ["ada@xn--mnchen-3ya.example"]


def test_the_message_id_is_that_of_the_step() -> None:
    assert message_id(1, "r-1:1:2") == message_id(1, "r-1:1:2")
    assert len({message_id(1, "r-1:1:2"), message_id(2, "r-1:1:2"), message_id(1, "r-1:1:3")}) == 3


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"to": "nobody"}, "to: one of the addresses is no e-mail address."),
        ({"to": "a@example.com, b@example.com"}, "to: one of the addresses is no e-mail address."),
        ({"to": "a@example.com\r\nBcc: b@example.com"}, "to: one of the addresses is no e-mail address."),
        ({"to": "A <a@example.com> <b@example.com>"}, "to: one of the addresses is no e-mail address."),
        ({"to": "A <a@example.com"}, "to: one of the addresses is no e-mail address."),
        ({"to": "<>"}, "to: one of the addresses is no e-mail address."),
        ({"to": f"a@{'ü' * 60}.example"}, "to: one of the addresses is no e-mail address."),
        ({"cc": ["a@example.com", "b\n@example.com"]}, "cc: one of the addresses is no e-mail address."),
        ({"reply_to": "x"}, "reply_to: one of the addresses is no e-mail address."),
        ({"to": [None, "", " "]}, "to: there is no address."),
        ({"to": []}, "to: there is no address."),
        ({"to": ["a@example.com"] * 30, "bcc": ["b@example.com"] * 21}, "More than 50 recipients."),
        ({"subject": "a\r\nBcc: b@example.com"}, "subject: a line break or another control character."),
        ({"subject": "a\u2028b"}, "subject: a line break or another control character."),
        ({"subject": " "}, "subject: it is empty."),
        ({"subject": "x" * 501}, "subject: longer than 500 characters."),
    ],
)
def test_what_is_no_mail_is_not_sent(catcher: Catcher, config: dict[str, Any], message: str) -> None:
    assert send(**PLAIN | config) == AppError("email.invalid", message)
    assert catcher.commands == []


@pytest.mark.parametrize(
    ("replies", "code", "message"),
    [
        ({"MAIL": "451 later"}, "email.temporary", "The mail server answered 451."),
        ({"MAIL": "550 never ada@example.com"}, "email.refused", "The mail server answered 550."),
        (
            {"RCPT": "450 greylisted"},
            "email.temporary",
            "The mail server refused 2 of the recipients (450); none got it.",
        ),
        (
            {"RCPT TO:<BOB": "550 who?"},
            "email.refused",
            "The mail server refused 1 of the recipients (550); none got it.",
        ),
        ({"DATA": "554 no"}, "email.refused", "The mail server answered 554."),
        ({".": "452 full"}, "email.temporary", "The mail server answered 452."),
    ],
)
def test_refusals_are_named_and_nobody_gets_the_mail(
    catcher: Catcher, replies: dict[str, str], code: str, message: str
) -> None:
    catcher.replies = replies
    assert send(**PLAIN | {"to": ["ada@example.com", "bob@example.com"]}) == AppError(code, message)
    assert catcher.mails == []


def test_a_server_that_is_not_ready(catcher: Catcher) -> None:
    catcher.banner = "421 too busy"
    assert send(**PLAIN) == AppError("email.temporary", "The mail server answered 421.")


@pytest.mark.parametrize("silent", ["EHLO", "MAIL", "RCPT", "DATA"])
def test_a_server_that_falls_silent(catcher: Catcher, silent: str) -> None:
    catcher.silent = silent
    assert send(timeout=0.3, **PLAIN) == AppError("timeout", "The mail server did not answer in time.")
    assert catcher.mails == []


def test_a_server_that_is_away(settings: Any) -> None:
    with catching() as catcher:
        use(settings, catcher)
    result = send(**PLAIN)
    assert result == AppError("connection", "The connection to the mail server failed (ConnectionRefusedError).")


def test_a_server_that_wants_no_password_or_has_no_tls(catcher: Catcher, settings: Any) -> None:
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "user", "secret-password"
    result = send(**PLAIN)
    assert result == AppError("email", "The mail server does not take the user name, password or TLS of EMAIL_URL.")
    settings.EMAIL_USE_TLS = True
    assert send(**PLAIN) == result
    assert catcher.mails == []


def test_a_server_whose_certificate_nobody_vouches_for(settings: Any, tmp_path: Path) -> None:
    with catching(site(tmp_path, x509.DNSName("localhost")).context) as catcher:
        use(settings, catcher)
        settings.EMAIL_USE_SSL = True
        assert send(**PLAIN) == AppError("tls", "No trusted TLS connection to the mail server.")
    assert catcher.mails == []


def test_an_installation_without_mail_says_what_to_set(settings: Any) -> None:
    settings.EMAIL_BACKEND = "apps.core.mail.NoMail"
    assert send(**PLAIN) == AppError("email", "This installation sends no mail: EMAIL_URL is not set.")


def test_without_a_server_a_first_try_writes_mails_into_a_folder(settings: Any, tmp_path: Path) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = str(tmp_path / "mail")
    assert isinstance(send(**PLAIN), AppResult)
    (file,) = (tmp_path / "mail").iterdir()
    assert "Subject: Welcome" in file.read_text()


def make_template(tenant: Tenant, **fields: Any) -> Template:
    texts = {
        "name": "welcome",
        "subject": "Welcome, {{ client.name }}",
        "text": "Dear {{ client.name }}",
        "html": "<p title='{{ client.name }}'>Dear {{ upper(client.name) }}, @data.client.email@</p>",
    }
    return Template.objects.create(workspace=tenant.workspace, **texts | fields)


def test_a_template_is_filled_in_and_what_stands_in_html_is_escaped(acme: Tenant, catcher: Catcher) -> None:
    make_template(acme)
    send(workspace_id=acme.workspace.pk, to="ada@example.com", template="welcome")
    message = catcher.mails[0].message
    text, html = message.iter_parts()
    assert message["Subject"] == "Welcome, Ada <b>"
    assert text.get_content() == "Dear Ada <b>"
    assert html.get_content() == "<p title='Ada &lt;b&gt;'>Dear ADA &lt;B&gt;, ada@example.com</p>"


def test_a_template_cannot_be_made_to_bring_a_second_header(acme: Tenant, catcher: Catcher) -> None:
    make_template(acme, subject="{{ client.name }}")
    call = replace(
        CALL,
        config={"to": "ada@example.com", "template": "welcome"},
        scope={"client": {"name": "x\nBcc: b@example.com", "email": ""}, "record": {}},
    )
    prepared = PREPARE["core.email"](place(acme.workspace.pk), call)
    assert isinstance(prepared, Call)
    assert perform(prepared) == AppError("email.invalid", "subject: a line break or another control character.")
    assert catcher.commands == []


def test_a_template_that_cannot_be_rendered(acme: Tenant, catcher: Catcher) -> None:
    make_template(acme, text="{{ client.name + 1 }}")
    result = send(workspace_id=acme.workspace.pk, to="ada@example.com", template="welcome")
    assert isinstance(result, AppError)
    assert result.code == "template"
    assert result.message.startswith("The template 'welcome' cannot be rendered: text: + needs two numbers")
    make_template(acme, name="broken", html="{{ ")
    result = send(workspace_id=acme.workspace.pk, to="ada@example.com", template="broken")
    assert result == AppError(
        "template", "The template 'broken' cannot be rendered: html: '{{' has no matching '}}' (character 1)"
    )


@pytest.mark.parametrize("name", ["gone", "a\0b", "letter", "rivals"])
def test_only_e_mail_templates_of_the_workspace_are_found(acme: Tenant, rival: Tenant, name: str) -> None:
    make_template(acme, name="letter", kind="document")
    make_template(rival, name="rivals")
    call = replace(CALL, config={"to": "ada@example.com", "template": name})
    with pytest.raises(NotFound, match="There is no e-mail template"):
        PREPARE["core.email"](place(acme.workspace.pk), call)


@pytest.mark.django_db(transaction=True)
def test_a_template_reads_what_expressions_of_the_flow_can_read(acme: Tenant, catcher: Catcher) -> None:
    StaticData.objects.create(workspace=acme.workspace, data={"desk": "Desk 7"})
    fill(make_keystore(acme), london=LONDON)
    make_template(
        acme, html="", text="{{ static.desk }} {{ keystore.weather.london.temp }} {{ vars.x }} {{ system.uuid }}"
    )
    function = {"type": "app", "app": "core.function", "with": {"values": {"x": "{{ 1 + 1 }}"}}, "next": {"ok": "mail"}}
    mail = {"type": "app", "app": "core.email", "with": {"to": "ada@example.com", "template": "welcome"}}
    publish(acme, flow_of("mailing", function=function, mail=mail | {"next": {"ok": "end"}}))
    insert(acme, SCOPE, flow="mailing", uuid="r-9")
    drain()
    assert catcher.mails[0].message.get_content() == "Desk 7 15 2 r-9\n"


@pytest.mark.django_db(transaction=True)
def test_a_flow_sends_its_mail_tries_again_and_the_mail_can_be_known_by_its_id(acme: Tenant, catcher: Catcher) -> None:
    make_template(acme)
    config = {"to": "{{ client.email }}", "template": "welcome", "save_to": "mail"}
    mail = {
        "type": "app",
        "app": "core.email",
        "with": config,
        "retry": {"max": 1, "delay": "1m", "on": ["email.temporary"]},
    }
    publish(acme, flow_of("mailing", mail=mail | {"next": {"ok": "end"}}))
    record = insert(acme, SCOPE, flow="mailing", uuid="r-9")
    catcher.replies = {".": "450 later"}
    drain()
    record.refresh_from_db()
    assert (record.status, record.error_code) == (Status.SCHEDULED, "email.temporary")
    catcher.replies = {}
    make_due(record)
    drain()
    record = Record.objects.select_related("content").get(pk=record.pk)
    assert record.status == Status.FINISHED
    assert catcher.mails[0].message["Message-ID"] == message_id(acme.workspace.pk, "r-9:1:2")
    answer = {"message_id": message_id(acme.workspace.pk, "r-9:1:2"), "recipients": 1}
    assert record.content.vars == {"mail": answer}
    assert RecordStep.objects.get(record=record, object="mail", attempt=2).output == answer


def test_the_deadline_covers_the_whole_conversation(catcher: Catcher) -> None:
    backend = mail.Backend(host="127.0.0.1", port=catcher.port, timeout=5.0)
    assert backend.open()
    assert backend.connection._end > 0
    backend.connection._end = 0.0
    with pytest.raises(TimeoutError):
        backend.connection.noop()
    backend.connection = None
