"""The admin pages of URL triggers, schedules and batches."""

import html
import json
import re
import shlex
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from auditlog.models import LogEntry as AuditEntry
from django.contrib.admin.models import LogEntry
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from apps.accounts.models import Role
from apps.applications.models import Application
from apps.records.models import Record
from apps.triggers.batch_runs import run_step
from apps.triggers.batches import content_of
from apps.triggers.models import Batch, BatchFault, Schedule, UrlTrigger
from tests.conftest import Tenant
from tests.members import person, signed_in
from tests.triggers.conftest import call, url_of
from tests.triggers.test_batches import batch_of, run
from tests.triggers.test_schedules import make_due, schedule_of
from tests.webhooks.cast import webhook_of

URLS = "/admin/triggers/urltrigger/"
SCHEDULES = "/admin/triggers/schedule/"
BATCHES = "/admin/triggers/batch/"
SHOWN = re.compile(r"<code x-ref=\"value\">(.+?)</code>", re.DOTALL)


@pytest.fixture
def developer(acme: Tenant) -> Client:
    """A developer of Acme."""
    return signed_in(person("dev", acme=Role.DEVELOPER))


@pytest.fixture
def operator(acme: Tenant) -> Client:
    """An operator of Acme."""
    return signed_in(person("op", acme=Role.OPERATOR))


def said(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def errors(response: Any) -> dict[str, list[str]]:
    assert response.status_code == 200
    found: dict[str, list[str]] = response.context["adminform"].form.errors
    return {name: list(texts) for name, texts in found.items()}


# --- URL triggers -----------------------------------------------------------------------------------------------


def url_fields(tenant: Tenant, **changed: Any) -> dict[str, Any]:
    """A filled form."""
    return {
        "workspace": tenant.workspace.pk,
        "name": "shop",
        "active": "on",
        "application": "",
        "flow": "intake",
        "kind": "direct",
        "seconds": 10,
        "webhook": "",
        "addresses": "0.0.0.0/0\n::/0",
        "rate_limit": 500,
    } | changed


def shown(response: Any) -> list[str]:
    """The values of the page that shows a secret."""
    return [html.unescape(text) for text in SHOWN.findall(response.content.decode())]


def test_adding_shows_the_address_and_a_line_that_works(acme: Tenant, developer: Client) -> None:
    response = developer.post(f"{URLS}add/", url_fields(acme, application=acme.keys.pk))
    url, line = shown(response)
    trigger = UrlTrigger.objects.get()
    secret = url.rpartition("/")[2]
    assert (response.status_code, "no-store" in response["Cache-Control"]) == (200, True)
    assert (len(secret), secret[:8], trigger.application) == (64, trigger.secret_prefix, acme.keys)
    _, _, target, _, header, _, body = shlex.split(line)
    assert target == url
    assert call(secret, body, header.partition(": ")[2]).status_code == 201
    assert Record.objects.count() == 1


def test_a_shown_address_is_kept_nowhere(acme: Tenant, developer: Client) -> None:
    secret = shown(developer.post(f"{URLS}add/", url_fields(acme)))[0].rpartition("/")[2]
    trigger = UrlTrigger.objects.get()
    page = developer.get(f"{URLS}{trigger.pk}/change/").content.decode()
    assert f"/v1/url/{secret[:8]}…" in page
    for text in (page, *map(str, LogEntry.objects.values()), *map(str, AuditEntry.objects.values())):
        assert secret not in text
        assert trigger.secret_hash not in text


def test_a_replaced_address_and_a_change_hold_at_once(acme: Tenant, developer: Client, settings: Any) -> None:
    settings.CREDENTIAL_CACHE_SECONDS = 60
    made = url_of(acme)
    assert call(made.secret, {}).status_code == 201
    page = f"{URLS}{made.trigger.pk}/"
    assert developer.get(f"{page}replace-address/").status_code == 200
    assert call(made.secret, {}).status_code == 201
    fresh = shown(developer.post(f"{page}replace-address/"))[0].rpartition("/")[2]
    assert (call(made.secret, {}).status_code, call(fresh, {}).status_code) == (404, 201)
    changed = url_fields(acme, addresses="")
    del changed["workspace"]
    assert developer.post(f"{page}change/", changed).status_code == 302
    assert call(fresh, {}).status_code == 403
    developer.post(f"{page}delete/", {"post": "yes"})
    assert call(fresh, {}).status_code == 404


@pytest.mark.parametrize(
    ("changed", "field", "message"),
    [
        ({"flow": ""}, "flow", "Choose a flow, or an application that has a default flow."),
        ({"flow": "rival only"}, "flow", "Select a valid choice. rival only is not one of the available choices."),
        ({"kind": "sync", "batch": "on"}, "batch", "A Sync URL answers for one record and takes no batches."),
        ({"kind": "dynamic"}, "webhook", "A Dynamic URL needs a webhook that has an identifier."),
        ({"kind": "other"}, "kind", "Select a valid choice. other is not one of the available choices."),
        ({"seconds": 26}, "seconds", "Ensure this value is less than or equal to 25."),
        ({"seconds": 0}, "seconds", "Ensure this value is greater than or equal to 1."),
        ({"addresses": "300.1.1.1"}, "addresses", "Line 1: '300.1.1.1' is neither an address nor a CIDR network."),
        ({"name": ""}, "name", "This field is required."),
    ],
)
def test_forms_that_are_refused(
    acme: Tenant, rival: Tenant, developer: Client, changed: dict[str, Any], field: str, message: str
) -> None:
    type(rival.flow).objects.filter(pk=rival.flow.pk).update(name="rival only")
    found = errors(developer.post(f"{URLS}add/", url_fields(acme, **changed)))
    assert list(found) == [field]
    assert found[field][0].startswith(message)
    assert not UrlTrigger.objects.exists()


def test_applications_of_others_and_without_the_scope(acme: Tenant, rival: Tenant, developer: Client) -> None:
    foreign = errors(developer.post(f"{URLS}add/", url_fields(acme, application=rival.keys.pk)))
    assert list(foreign) == ["application"]
    lacking = errors(developer.post(f"{URLS}add/", url_fields(acme, application=acme.narrow.pk)))
    assert lacking == {"application": ["The application lacks the scope record."]}


def test_a_dynamic_url_is_offered_the_webhooks_that_find_an_identifier(acme: Tenant, developer: Client) -> None:
    webhook_of(acme)
    webhook_of(acme, name="nameless", identifier_path="")
    page = developer.get(f"{URLS}add/").content.decode()
    assert '<option value="orders"' in page
    assert '<option value="nameless"' not in page
    assert developer.post(f"{URLS}add/", url_fields(acme, kind="dynamic", webhook="orders")).status_code == 200
    assert UrlTrigger.objects.get().webhook == "orders"


def test_a_flow_that_has_gone_stays_what_it_was(acme: Tenant, developer: Client) -> None:
    trigger = url_of(acme, flow="gone").trigger
    assert "gone (there is none of this name)" in developer.get(f"{URLS}{trigger.pk}/change/").content.decode()
    changed = url_fields(acme, flow="gone", name="renamed")
    del changed["workspace"]
    assert developer.post(f"{URLS}{trigger.pk}/change/", changed).status_code == 302
    trigger.refresh_from_db()
    assert (trigger.name, trigger.flow) == ("renamed", "gone")


def test_an_application_that_is_needed_is_kept(acme: Tenant, developer: Client) -> None:
    url_of(acme, application=acme.keys)
    page = developer.post(f"/admin/applications/application/{acme.keys.pk}/delete/", {"post": "yes"})
    assert Application.objects.filter(pk=acme.keys.pk).exists()
    assert "URL triggers" in page.content.decode()


# --- Schedules --------------------------------------------------------------------------------------------------


def schedule_fields(tenant: Tenant, **changed: Any) -> dict[str, Any]:
    return {
        "workspace": tenant.workspace.pk,
        "name": "nightly",
        "active": "on",
        "application": "",
        "flow": "intake",
        "document": '{"client": {"age": 30}}',
        "cron": "0 9 * * *",
        "interval": "",
        "begins": "",
        "ends": "",
    } | changed


def test_a_schedule_is_planned_when_it_is_added_and_when_it_is_changed(acme: Tenant, developer: Client) -> None:
    begins = {"begins": "2099-03-01 08:30", "ends": "2099-05-01"}
    assert developer.post(f"{SCHEDULES}add/", schedule_fields(acme, **begins)).status_code == 302
    schedule = Schedule.objects.get()
    assert schedule.starts_at == datetime(2099, 3, 1, 7, 30, tzinfo=UTC)
    assert schedule.next_run == datetime(2099, 3, 1, 8, tzinfo=UTC)
    assert schedule.document == {"client": {"age": 30}}
    page = developer.get(f"{SCHEDULES}{schedule.pk}/change/")
    assert page.context["coming"] == [f"2099-03-0{day} 09:00:00" for day in range(1, 6)]
    assert 'value="2099-03-01 08:30:00"' in page.content.decode()
    changed = schedule_fields(acme, cron="", interval="2h", **begins)
    del changed["workspace"]
    assert developer.post(f"{SCHEDULES}{schedule.pk}/change/", changed).status_code == 302
    schedule.refresh_from_db()
    assert (schedule.next_run, schedule.interval) == (schedule.starts_at, "2h")
    del changed["active"]
    developer.post(f"{SCHEDULES}{schedule.pk}/change/", changed)
    schedule.refresh_from_db()
    assert (schedule.next_run, schedule.active) == (None, False)


@pytest.mark.parametrize(
    ("changed", "field", "message"),
    [
        ({"cron": ""}, "__all__", "Give a cron expression or an interval, and not both."),
        ({"interval": "1h"}, "__all__", "Give a cron expression or an interval, and not both."),
        ({"cron": "61 * * * *"}, "cron", "The minute '61' is not between 0 and 59."),
        ({"cron": "", "interval": "1s"}, "interval", "An interval is at least 10 seconds."),
        ({"document": "{"}, "document", "Not valid JSON: Expecting property name enclosed in double quotes"),
        ({"document": "[]"}, "document", "A data record is an object."),
        ({"document": '{"a": 1, "a": 2}'}, "document", "The key 'a' is given twice."),
        ({"begins": "tomorrow"}, "begins", "This is no"),
        ({"ends": "2020-01-01"}, "ends", "The schedule would end before it runs."),
        ({"flow": ""}, "flow", "Choose a flow, or an application that has a default flow."),
    ],
)
def test_schedules_that_are_refused(
    acme: Tenant, developer: Client, changed: dict[str, Any], field: str, message: str
) -> None:
    found = errors(developer.post(f"{SCHEDULES}add/", schedule_fields(acme, **changed)))
    assert list(found) == [field]
    assert found[field][0].startswith(message)
    assert not Schedule.objects.exists()


def test_operators_run_pause_and_resume(acme: Tenant, operator: Client) -> None:
    schedule = schedule_of(acme)
    page = f"{SCHEDULES}{schedule.pk}/"
    done = operator.post(f"{page}do/run/", follow=True)
    assert said(done) == [f"The record {Record.objects.get().uuid} has been made."]
    assert said(operator.post(f"{page}do/pause/", follow=True)) == ["The schedule is paused."]
    schedule.refresh_from_db()
    assert (schedule.active, schedule.next_run) == (False, None)
    shown_page = operator.get(f"{page}change/").content.decode()
    assert ("do/resume/" in shown_page, "do/pause/" in shown_page) == (True, False)
    assert said(operator.post(f"{page}do/resume/", follow=True)) == ["The schedule is active again."]
    schedule.refresh_from_db()
    assert schedule.next_run
    type(acme.flow).objects.update(status="inactive")
    assert said(operator.post(f"{page}do/run/", follow=True)) == [
        "The flow intake takes no data records: it is inactive."
    ]
    assert [entry.get_change_message() for entry in LogEntry.objects.order_by("id")][1:] == [
        "Paused it.",
        "Resumed it.",
    ]


def test_a_refused_run_is_shown(acme: Tenant, operator: Client) -> None:
    schedule = schedule_of(acme)
    make_due(schedule)
    type(acme.flow).objects.update(name="<b>gone")
    from apps.triggers.schedules import run_due

    run_due()
    page = operator.get(f"{SCHEDULES}{schedule.pk}/change/")
    assert page.context["state"] == "refused"
    assert "The last run made no record: There is no such flow." in page.content.decode()
    assert "refused" in operator.get(SCHEDULES).content.decode()


@pytest.mark.parametrize("act", ["run", "pause", "resume"])
def test_acts_on_schedules_are_for_operators_of_the_organization(acme: Tenant, rival: Tenant, act: str) -> None:
    schedule = schedule_of(acme)
    path = f"{SCHEDULES}{schedule.pk}/do/{act}/"
    assert signed_in(person("viewer", acme=Role.VIEWER)).post(path).status_code == 403
    assert signed_in(person("stranger", rival=Role.OWNER)).post(path).status_code == 404
    assert signed_in(person("both", acme=Role.VIEWER, rival=Role.OWNER)).post(path).status_code == 403
    op = signed_in(person("op", acme=Role.OPERATOR))
    assert (op.get(path).status_code, op.post(path.replace(act, "burn")).status_code) == (405, 404)
    assert Schedule.objects.get().active
    assert not Record.objects.exists()


def test_a_viewer_reads_a_schedule(acme: Tenant) -> None:
    schedule = schedule_of(acme)
    page = signed_in(person("viewer", acme=Role.VIEWER)).get(f"{SCHEDULES}{schedule.pk}/change/").content.decode()
    assert "do/run/" not in page
    assert "&quot;age&quot;: 30" in page


# --- Batches ----------------------------------------------------------------------------------------------------


def batch_fields(tenant: Tenant, **changed: Any) -> dict[str, Any]:
    return {
        "workspace": tenant.workspace.pk,
        "name": "clients",
        "description": "",
        "application": tenant.keys.pk,
        "flow": "intake",
        "format": "json",
        "text": "",
        "delimiter": ",",
        "encoding": "utf-8",
        "header": "on",
        "mapping": "",
    } | changed


def test_a_file_is_uploaded_shown_and_run(acme: Tenant, operator: Client) -> None:
    file = SimpleUploadedFile("clients.json", b'[{"n": 1}, {"n": "<script>"}]')
    response = operator.post(f"{BATCHES}add/", batch_fields(acme, file=file), follow=True)
    batch = Batch.objects.get()
    page = response.content.decode()
    assert response.redirect_chain[-1][0] == f"{BATCHES}{batch.pk}/change/"
    assert (batch.file_name, batch.size) == ("clients.json", 29)
    assert "&quot;n&quot;: &quot;&lt;script&gt;&quot;" in page
    assert "http-equiv" not in page
    assert said(operator.post(f"{BATCHES}{batch.pk}/do/run/", follow=True)) == [
        "The batch is ready; a worker takes it within seconds."
    ]
    assert '<meta http-equiv="refresh" content="3">' in operator.get(f"{BATCHES}{batch.pk}/change/").content.decode()
    while run_step():
        pass
    done = operator.get(f"{BATCHES}{batch.pk}/change/")
    assert done.context["percent"] == 100
    assert done.context["results"] == [("Finished", 0), ("Failed", 0), ("Under way", 2)]
    assert "http-equiv" not in done.content.decode()
    assert "2 of 2" in operator.get(BATCHES).content.decode()


def test_a_text_is_pasted_and_a_draft_changed(acme: Tenant, operator: Client) -> None:
    operator.post(f"{BATCHES}add/", batch_fields(acme, text='{"n": 1}\r\n{"n": 2}'))
    batch = Batch.objects.get()
    assert (batch.file_name, batch.size > 0) == ("Pasted text", True)
    changed = batch_fields(acme, name="renamed")
    del changed["workspace"]
    assert operator.post(f"{BATCHES}{batch.pk}/change/", changed).status_code == 302
    batch.refresh_from_db()
    assert (batch.name, json.loads(content_of(batch).split(b"\n")[0])) == ("renamed", {"n": 1})
    assert run(batch, acme).made == 2


def test_a_pasted_csv_has_no_encoding_of_its_own(acme: Tenant, operator: Client) -> None:
    fields = batch_fields(
        acme, format="csv", encoding="cp1252", text="Name;Age\r\nZoë 中;5", delimiter=";", mapping="Name = n"
    )
    operator.post(f"{BATCHES}add/", fields)
    assert run(Batch.objects.get(), acme).made == 1
    assert Record.objects.get().content.data == {"n": "Zoë 中"}


def test_a_large_batch_under_way_is_not_counted_again_and_again(
    acme: Tenant, operator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.triggers.admin.batches.MOST_COUNTED", 1)
    batch = run(batch_of(acme, [{}, {}]), acme)
    assert operator.get(f"{BATCHES}{batch.pk}/change/").context["results"][0] == ("Finished", 0)
    Batch.objects.update(status="processing")
    page = operator.get(f"{BATCHES}{batch.pk}/change/")
    assert "How its records stand is counted once all are made." in page.content.decode()


@pytest.mark.parametrize(
    ("changed", "field", "message"),
    [
        ({}, "file", "Choose a file or paste a text."),
        ({"text": " \n"}, "file", "Choose a file or paste a text."),
        ({"text": "x", "file": "both"}, "text", "Choose a file or paste a text, not both."),
        ({"text": "x" * 101}, "file", "That is more than 100 bytes."),
        ({"text": "x", "format": "csv", "mapping": "a"}, "mapping", "Line 1: write Column = path"),
        ({"text": "x", "application": "narrow"}, "application", "The application lacks the scope batch."),
        ({"text": "x", "application": "rival"}, "application", "Select a valid choice."),
        ({"text": "x", "application": ""}, "application", "This field is required."),
        ({"text": "x", "flow": ""}, "flow", "Choose a flow, or an application that has a default flow."),
        ({"text": "x", "format": "yaml"}, "format", "Select a valid choice."),
    ],
)
def test_batches_that_are_refused(
    acme: Tenant, rival: Tenant, operator: Client, settings: Any, changed: dict[str, Any], field: str, message: str
) -> None:
    settings.BATCH_BYTES = 100
    for name, tenant in (("narrow", acme.narrow), ("rival", rival.keys)):
        if changed.get("application") == name:
            changed = changed | {"application": tenant.pk}
    if changed.get("file"):
        changed = changed | {"file": SimpleUploadedFile("a.json", b"[]")}
    found = errors(operator.post(f"{BATCHES}add/", batch_fields(acme, **changed)))
    assert field in found
    assert found[field][0].startswith(message)
    assert not Batch.objects.exists()


def test_a_file_that_cannot_be_read_is_told_before_it_is_run(acme: Tenant, operator: Client) -> None:
    batch = batch_of(acme, b"[{")
    page = operator.get(f"{BATCHES}{batch.pk}/change/").content.decode()
    assert "The file cannot be read" in page
    assert "The file is no JSON array" in page


def test_what_has_run_is_changed_by_nobody(acme: Tenant, operator: Client) -> None:
    batch = run(batch_of(acme), acme)
    changed = batch_fields(acme, name="renamed", text="[]")
    assert operator.post(f"{BATCHES}{batch.pk}/change/", changed).status_code == 403
    assert Batch.objects.get().name == "clients"
    page = operator.get(f"{BATCHES}{batch.pk}/change/").content.decode()
    assert ("do/clone/" in page, "do/run/" in page, 'name="text"' in page) == (True, False, False)


def test_a_batch_is_cloned_and_removed(acme: Tenant, operator: Client) -> None:
    batch = run(batch_of(acme), acme)
    response = operator.post(f"{BATCHES}{batch.pk}/do/clone/", follow=True)
    clone = Batch.objects.exclude(pk=batch.pk).get()
    assert response.redirect_chain == [(f"{BATCHES}{clone.pk}/change/", 302)]
    operator.post(f"{BATCHES}{batch.pk}/delete/", {"post": "yes"})
    assert list(Batch.objects.all()) == [clone]
    Batch.objects.update(status="processing")
    assert operator.post(f"{BATCHES}{clone.pk}/delete/", {"post": "yes"}).status_code == 403
    assert Batch.objects.count() == 1


def test_faults_are_shown_and_downloaded(acme: Tenant, operator: Client) -> None:
    batch = run(batch_of(acme, [*range(25), {"n": 1}]), acme)
    BatchFault.objects.filter(item=1).update(message='=cmd("x"), <b>')
    page = operator.get(f"{BATCHES}{batch.pk}/change/")
    assert "The first 20 of 25." in page.content.decode()
    assert "<b>" not in page.content.decode()
    response = operator.get(f"{BATCHES}{batch.pk}/faults/")
    lines = b"".join(response).decode().splitlines()  # type: ignore[arg-type]
    assert lines[:3] == ["item,line,message", '1,1,"\'=cmd(""x""), <b>"', "2,1,A data record is an object."]
    assert len(lines) == 26
    assert response["Content-Disposition"] == f'attachment; filename="batch-{batch.pk}-faults.csv"'
    assert signed_in(person("viewer", acme=Role.VIEWER)).get(f"{BATCHES}{batch.pk}/faults/").status_code == 200


@pytest.mark.parametrize("page", ["do/run/", "do/clone/", "faults/"])
def test_pages_of_foreign_batches(acme: Tenant, rival: Tenant, page: str) -> None:
    batch = batch_of(acme)
    stranger = signed_in(person("stranger", rival=Role.OWNER))
    assert stranger.post(f"{BATCHES}{batch.pk}/{page}").status_code == 404
    assert (Batch.objects.count(), Batch.objects.get().status) == (1, "draft")
    if page.startswith("do"):
        viewer = signed_in(person("viewer", acme=Role.VIEWER))
        assert viewer.post(f"{BATCHES}{batch.pk}/{page}").status_code == 403


def test_long_names_and_empty_lists(acme: Tenant, developer: Client) -> None:
    for path in (URLS, SCHEDULES, BATCHES):
        assert developer.get(path).status_code == 200
    batch_of(acme, name="x" * 128)
    schedule_of(acme, name="y" * 128)
    assert developer.get(BATCHES).status_code == developer.get(SCHEDULES).status_code == 200
    assert timezone.now() - Batch.objects.get().date_created < timedelta(hours=1)
