"""The page of a webhook."""

import html
import re
import shlex
from typing import Any

import pytest
from auditlog.models import LogEntry as AuditEntry
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.test import Client

from apps.accounts.models import Role, Workspace
from apps.webhooks.models import Webhook, WebhookEvent
from apps.webhooks.receivers import Receiver, find_receiver
from apps.webhooks.services import RegisteredWebhook, store_events
from tests.conftest import STRAIGHT_FLOW, Tenant, publish
from tests.members import person, signed_in

LIST = "/admin/webhooks/webhook/"
SHOWN = re.compile(r"<code x-ref=\"value\">(.+?)</code>", re.DOTALL)


@pytest.fixture
def developer(acme: Tenant) -> Client:
    """A developer of Acme."""
    return signed_in(person("dev", acme=Role.DEVELOPER))


def fields(tenant: Tenant, **changed: Any) -> dict[str, Any]:
    """A filled form."""
    return {
        "workspace": tenant.workspace.pk,
        "name": "shop",
        "active": "on",
        "identifier_path": "order.id",
        "status_path": "order.status",
        "flow": "intake",
        "addresses": "0.0.0.0/0\n::/0",
        "rate_limit": 500,
    } | changed


def shown(response: Any) -> list[str]:
    """The values of the page that shows a secret."""
    return [html.unescape(text) for text in SHOWN.findall(response.content.decode())]


def test_adding_shows_the_address_and_a_line_that_works(acme: Tenant, developer: Client) -> None:
    response = developer.post(f"{LIST}add/", fields(acme))
    url, line = shown(response)
    webhook = Webhook.objects.get(name="shop")
    assert (response.status_code, "no-store" in response["Cache-Control"]) == (200, True)
    uri = url.rpartition("/")[2]
    assert (len(uri), uri[:8]) == (64, webhook.uri_prefix)
    assert (webhook.workspace, webhook.flow, webhook.rate_limit, webhook.batch) == (
        acme.workspace,
        "intake",
        500,
        False,
    )
    _, _, target, _, header, _, body = shlex.split(line)
    path = "/v1/webhook/" + target.rpartition("/")[2]
    sent = Client().post(path, body, content_type=header.partition(": ")[2])
    assert sent.status_code == 201
    event = WebhookEvent.objects.get()
    assert (event.identifier, event.status, bool(event.record_uuid)) == ("example-1", "received", True)


def test_a_shown_address_is_kept_nowhere(acme: Tenant, developer: Client) -> None:
    uri = shown(developer.post(f"{LIST}add/", fields(acme)))[0].rpartition("/")[2]
    webhook = Webhook.objects.get()
    pages = [developer.get(f"{LIST}{webhook.pk}/{page}/").content.decode() for page in ("change", "history")]
    assert f"/v1/webhook/{uri[:8]}…" in pages[0]
    for text in (*pages, *map(str, LogEntry.objects.values()), *map(str, AuditEntry.objects.values())):
        assert uri not in text
        assert webhook.uri_hash not in text
    assert all(uri not in str(session.get_decoded()) for session in Session.objects.all())


def test_the_form_begins_open_to_everybody_and_says_so(acme: Tenant, developer: Client) -> None:
    page = developer.get(f"{LIST}add/").content.decode()
    assert "0.0.0.0/0\n::/0" in page
    assert "empty refuses everybody" in page


@pytest.mark.parametrize(
    ("changed", "field", "message"),
    [
        ({"addresses": "10.0.0.1\nnonsense"}, "addresses", "is neither an address nor a CIDR network."),
        ({"identifier_path": "order..id"}, "identifier_path", "Write the keys with one dot between them"),
        ({"status_path": "."}, "status_path", "Write the keys with one dot between them"),
        ({"flow": "unknown"}, "flow", "Select a valid choice."),
        ({"name": ""}, "name", "This field is required."),
    ],
)
def test_a_fault_is_told_at_its_field(
    acme: Tenant, developer: Client, changed: dict[str, str], field: str, message: str
) -> None:
    errors = developer.post(f"{LIST}add/", fields(acme, **changed)).context["adminform"].form.errors
    assert list(errors) == [field]
    assert message in errors[field][0]
    assert not Webhook.objects.exists()


def test_the_flow_is_one_of_the_workspace(acme: Tenant, rival: Tenant, developer: Client) -> None:
    publish(rival, STRAIGHT_FLOW, "foreign")
    deployed = Workspace.objects.create(project=acme.project, api_host="api.acme.example")
    assert "foreign" not in developer.get(f"{LIST}add/").content.decode()
    for changed, field in (
        ({"flow": "foreign"}, "flow"),
        ({"workspace": deployed.pk}, "flow"),
        ({"workspace": rival.workspace.pk}, "workspace"),
    ):
        errors = developer.post(f"{LIST}add/", fields(acme, **changed)).context["adminform"].form.errors
        assert field in errors
    assert not Webhook.objects.exists()


def test_a_flow_that_has_gone_stays_chosen_until_it_is_changed(acme: Tenant, developer: Client) -> None:
    developer.post(f"{LIST}add/", fields(acme))
    webhook = Webhook.objects.get()
    type(acme.flow).objects.filter(pk=acme.flow.pk).update(name="renamed")
    path = f"{LIST}{webhook.pk}/change/"
    assert "intake (there is none of this name)" in developer.get(path).content.decode()
    assert developer.post(path, fields(acme, name="other")).status_code == 302
    webhook.refresh_from_db()
    assert (webhook.name, webhook.flow) == ("other", "intake")


def test_a_change_keeps_the_address_and_holds_at_once(
    acme: Tenant, hook: RegisteredWebhook, developer: Client, settings: Any
) -> None:
    settings.CREDENTIAL_CACHE_SECONDS = 60
    assert find_receiver(hook.uri, host="x", address="127.0.0.1").flow == ""
    assert developer.post(f"{LIST}{hook.webhook.pk}/change/", fields(acme)).status_code == 302
    assert find_receiver(hook.uri, host="x", address="127.0.0.1").flow == "intake"


def test_replacing_the_address(acme: Tenant, hook: RegisteredWebhook, developer: Client) -> None:
    page = f"{LIST}{hook.webhook.pk}/replace-address/"
    asked = developer.get(page)
    assert "Deliveries to the present address are refused with 404" in asked.content.decode()
    assert Client().post(f"/v1/webhook/{hook.uri}", {}, "application/json").status_code == 201
    url, line = shown(developer.post(page))
    fresh = url.rpartition("/")[2]
    assert fresh in line
    answers = [Client().post(f"/v1/webhook/{uri}", {}, "application/json") for uri in (hook.uri, fresh)]
    assert [response.status_code for response in answers] == [404, 201]


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
def test_others_read_only(acme: Tenant, hook: RegisteredWebhook, role: Role) -> None:
    client = signed_in(person("somebody", acme=role))
    before = Webhook.objects.values().get()
    assert "replace-address" not in client.get(f"{LIST}{hook.webhook.pk}/change/").content.decode()
    assert client.post(f"{LIST}{hook.webhook.pk}/replace-address/").status_code == 403
    for page in ("add/", f"{hook.webhook.pk}/change/", f"{hook.webhook.pk}/delete/"):
        assert client.post(f"{LIST}{page}", fields(acme) | {"post": "yes"}).status_code == 403
    assert Webhook.objects.values().get() == before


def test_deleting_takes_the_events_along_and_ends_the_address(
    hook: RegisteredWebhook, developer: Client, settings: Any
) -> None:
    settings.CREDENTIAL_CACHE_SECONDS = 60
    store_events(Receiver.of(hook.webhook), [{}, {}], address="")
    assert Client().post(f"/v1/webhook/{hook.uri}", {}, "application/json").status_code == 201
    asked = developer.get(f"{LIST}{hook.webhook.pk}/delete/").content.decode()
    assert "webhook events" in asked.lower()
    assert developer.post(f"{LIST}{hook.webhook.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not WebhookEvent.objects.exists()
    assert Client().post(f"/v1/webhook/{hook.uri}", {}, "application/json").status_code == 404


def test_the_list_names_flow_and_newest_event(acme: Tenant, hook: RegisteredWebhook, developer: Client) -> None:
    assert "—" in developer.get(LIST).content.decode()
    store_events(Receiver.of(hook.webhook), [{}], address="")
    moment = WebhookEvent.objects.get().received_at.astimezone(acme.workspace.zone)
    assert f"{moment:%Y-%m-%d %H:%M:%S}" in developer.get(LIST).content.decode()


def test_the_audit_log_notes_changes(hook: RegisteredWebhook, acme: Tenant, developer: Client) -> None:
    developer.post(f"{LIST}{hook.webhook.pk}/change/", fields(acme))
    assert AuditEntry.objects.get_for_object(hook.webhook).first().changes["name"] == ["orders", "shop"]
