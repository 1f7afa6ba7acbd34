"""Direct and Dynamic URLs over HTTP."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import Workspace
from apps.applications.models import Application, RateWindow
from apps.records.execution import drain
from apps.records.models import Record, Status
from apps.triggers.entrances import forget_entrances
from apps.triggers.models import KnownIdentifier, UrlTrigger
from apps.triggers.url_triggers import RegisteredUrl, save_with_new_secret
from apps.webhooks.models import Webhook, WebhookEvent
from tests.conftest import Tenant, publish
from tests.contract.xml_reader import read_answer
from tests.records.conftest import flow_of
from tests.schemas.conftest import SAMPLE, SCHEMA, encoded
from tests.triggers.conftest import call, refused, url_of
from tests.webhooks.cast import webhook_of

CLIENT = {"client": {"age": 30}}
ORDER = {"order": {"id": "A-1", "status": "paid"}}


@pytest.fixture
def direct(acme: Tenant) -> RegisteredUrl:
    """A Direct URL into ``intake``."""
    return url_of(acme)


@pytest.fixture
def dynamic(acme: Tenant) -> RegisteredUrl:
    """A Dynamic URL into ``intake`` beside the webhook ``orders``."""
    webhook_of(acme, flow="intake")
    return url_of(acme, kind="dynamic", webhook="orders", batch=True)


# --- Direct -----------------------------------------------------------------------------------------------------


def test_a_document_becomes_a_record(acme: Tenant, direct: RegisteredUrl) -> None:
    response = call(direct.secret, CLIENT)
    record = Record.objects.select_related("content").get()
    assert response.status_code == 201
    assert response.json() == {
        "id": "created",
        "code": 201,
        "request-ip": "127.0.0.1",
        "resource": {
            "flow_id": str(acme.flow.pk),
            "flow_name": "intake",
            "data_record_id": record.uuid,
            "data_record": CLIENT,
        },
        "message": "Data Record is created successfully",
        "error": None,
    }
    assert (record.workspace_id, record.flow_id, record.content.data) == (acme.workspace.pk, acme.flow.pk, CLIENT)
    assert record.application_id is None


def test_records_are_those_of_its_application(acme: Tenant) -> None:
    Application.objects.filter(pk=acme.keys.pk).update(default_flow="intake")
    acme.keys.refresh_from_db()
    assert call(url_of(acme, flow="", application=acme.keys).secret, CLIENT).status_code == 201
    assert Record.objects.get().application_id == acme.keys.pk


def test_an_array_is_a_batch_where_the_trigger_says_so(acme: Tenant, direct: RegisteredUrl) -> None:
    refused(call(direct.secret, [CLIENT]), 400, "A data record is an object.")
    batch = url_of(acme, name="batch", batch=True)
    rows = call(batch.secret, [{"n": n} for n in range(3)]).json()["resource"]
    assert [row["data_record"] for row in rows] == [{"n": 0}, {"n": 1}, {"n": 2}]
    assert [row["data_record_id"] for row in rows] == list(Record.objects.order_by("id").values_list("uuid", flat=True))
    assert isinstance(call(batch.secret, [CLIENT]).json()["resource"], list)
    assert isinstance(call(batch.secret, CLIENT).json()["resource"], dict)


def test_all_of_a_batch_or_nothing(acme: Tenant, settings: Any) -> None:
    settings.RECORDS_PER_CALL = 3
    batch = url_of(acme, batch=True)
    refused(call(batch.secret, []), 400, "The array holds no data records.")
    refused(call(batch.secret, [CLIENT] * 4), 400, "One call takes at most 3 data records.")
    refused(call(batch.secret, [CLIENT, 5]), 400, "Data record 1 is no object.")
    assert not Record.objects.exists()


@pytest.mark.parametrize(
    ("body", "content_type", "document"),
    [
        (
            "<client><name>Ada</name><age type='integer'>36</age></client>",
            "application/xml",
            {"name": "Ada", "age": 36},
        ),
        ("<client><name>Ada</name></client>", "text/xml; charset=utf-8", {"name": "Ada"}),
        ("name=Ada&tag=a&tag=b", "application/x-www-form-urlencoded", {"name": "Ada", "tag": ["a", "b"]}),
        ('{"name": "Ada"}', "application/json; charset=utf-8", {"name": "Ada"}),
    ],
)
def test_formats(direct: RegisteredUrl, body: str, content_type: str, document: Any) -> None:
    response = call(direct.secret, body, content_type)
    assert response.status_code == 201, response.content
    assert Record.objects.get().content.data == document
    assert response["Content-Type"].startswith("application/json" if "xml" not in content_type else content_type[:8])


def test_the_answer_to_xml_is_the_same_in_xml(direct: RegisteredUrl) -> None:
    answer = read_answer(call(direct.secret, "<a><b>1</b></a>", "application/xml").content)
    assert answer["resource"]["data_record"] == {"b": "1"}
    assert (answer["code"], answer["message"]) == (201, "Data Record is created successfully")


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"", "application/json", 400),
        (b"null", "application/json", 400),
        (b'{"a": NaN}', "application/json", 400),
        (b'{"a": "\\u0000"}', "application/json", 400),
        (b'{"a": 1, "a": 2}', "application/json", 400),
        (b"[" * 5000, "application/json", 400),
        (b"\xff", "application/json", 400),
        (b"<a>", "application/xml", 400),
        (b"<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", "application/xml", 400),
        (b"a=%ff", "application/x-www-form-urlencoded", 400),
        (b"a", "text/plain", 415),
        (b"{}", "application/json; charset=utf-7", 415),
        (b"x=1", "multipart/form-data; boundary=x", 415),
    ],
)
def test_bodies_that_are_refused(direct: RegisteredUrl, body: bytes, content_type: str, status: int) -> None:
    response = call(direct.secret, body, content_type, headers={"Accept": "application/json"})
    assert (response.status_code, response.json()["error"]["code"]) == (status, status)
    assert not Record.objects.exists()


def test_a_document_must_fit_the_schema(client: Client, acme: Tenant, direct: RegisteredUrl) -> None:
    body = {"schema": encoded(SCHEMA), "data_record": encoded(SAMPLE), "url": "https://example.org/lead"}
    assert client.post("/v1/schema", body, "application/json", headers=acme.headers).status_code == 201
    response = call(direct.secret, {"client": {"age": -1}})
    refused(response, 400, "The data record does not fit the schema.")
    assert response.json()["error"]["details"][0]["path"] == "/client/age"
    assert not Record.objects.exists()


# --- Who may ----------------------------------------------------------------------------------------------------


def test_an_unknown_secret_counts_against_the_address(direct: RegisteredUrl, settings: Any) -> None:
    settings.LOGIN_RATE_LIMIT = 2
    for _ in range(2):
        refused(call("nope", CLIENT), 404, "The requested resource doesn't exist.")
    assert call("nope", CLIENT).status_code == 429
    assert call(direct.secret, CLIENT).status_code == 201


def test_a_trigger_that_is_off_looks_unknown(acme: Tenant, direct: RegisteredUrl) -> None:
    UrlTrigger.objects.update(active=False)
    unknown, off = call("nope", CLIENT).json(), call(direct.secret, CLIENT).json()
    assert unknown == off


@pytest.mark.parametrize("change", [{"active": False}, {"scopes": ["record.read"]}])
def test_its_application_must_be_on_and_may_insert(acme: Tenant, change: dict[str, Any]) -> None:
    secret = url_of(acme, application=acme.keys).secret
    Application.objects.filter(pk=acme.keys.pk).update(**change)
    refused(call(secret, CLIENT), 404, "The requested resource doesn't exist.")
    assert not Record.objects.exists()


@pytest.mark.parametrize("addresses", ["", "203.0.113.9"])
def test_other_addresses_are_refused(acme: Tenant, addresses: str) -> None:
    secret = url_of(acme, addresses=addresses).secret
    headers = {"X-Forwarded-For": "203.0.113.9"}
    refused(call(secret, CLIENT, headers=headers), 403, "Ip not valid.", 437)
    assert not Record.objects.exists()


def test_a_replaced_address_takes_no_more(direct: RegisteredUrl) -> None:
    fresh = save_with_new_secret(direct.trigger)
    assert call(direct.secret, CLIENT).status_code == 404
    assert call(fresh, CLIENT).status_code == 201


def test_the_secret_is_nowhere_in_the_database(direct: RegisteredUrl) -> None:
    call(direct.secret, CLIENT, headers={"Idempotency-Key": "k"})
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")
        for (table,) in cursor.fetchall():
            cursor.execute(f"SELECT count(*) FROM {table} t WHERE t::text LIKE %s", [f"%{direct.secret[8:]}%"])
            assert cursor.fetchone() == (0,), table


def test_the_rate_is_the_triggers_own(acme: Tenant) -> None:
    secret = url_of(acme, rate_limit=2).secret
    first, second, third = (call(secret, CLIENT) for _ in range(3))
    assert [answer["X-RateLimit-Remaining"] for answer in (first, second, third)] == ["1", "0", "0"]
    assert (first.status_code, second.status_code, third.status_code) == (201, 201, 429)
    assert int(third["Retry-After"]) > 0
    assert Record.objects.count() == 2
    assert RateWindow.objects.get().key == f"url:{UrlTrigger.objects.get().pk}"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "HEAD"])
def test_only_posts(direct: RegisteredUrl, method: str) -> None:
    response = Client().generic(method, f"/v1/url/{direct.secret}")
    assert (response.status_code, response["Allow"]) == (405, "POST, OPTIONS")


def test_the_host_picks_the_copy(acme: Tenant, direct: RegisteredUrl) -> None:
    from apps.accounts.models import Workspace
    from tests.conftest import STRAIGHT_FLOW, publish

    served = Workspace.objects.create(project=acme.project, api_host="api-1.localhost")
    acme.workspace, designer = served, acme.workspace
    from apps.accounts.models import Role
    from apps.applications.members import member_caller

    acme.caller = member_caller(served, Role.OWNER)
    publish(acme, STRAIGHT_FLOW)
    UrlTrigger.objects.create(
        workspace=served, name="copy", flow="intake", secret_hash=direct.trigger.secret_hash, secret_prefix="x"
    )
    for host, workspace in (("api-1.localhost", served), ("localhost", designer), ("other.localhost", designer)):
        assert call(direct.secret, CLIENT, headers={"Host": host}).status_code == 201
        assert Record.objects.order_by("-id")[0].workspace_id == workspace.pk


def test_a_host_that_only_an_environment_can_have_never_reaches_the_designer(direct: RegisteredUrl) -> None:
    host = f"api-{'0' * 24}.localhost"
    assert call(direct.secret, CLIENT, headers={"Host": host}).status_code == 404
    assert Record.objects.count() == 0


# --- Its flow ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flow", "message"),
    [
        ("gone", "The flow of this address does not exist."),
        ("", "This address has no flow."),
    ],
)
def test_a_flow_that_is_not_there(acme: Tenant, flow: str, message: str) -> None:
    refused(call(url_of(acme, flow=flow).secret, CLIENT), 409, message)


def test_a_flow_that_takes_nothing(acme: Tenant, direct: RegisteredUrl) -> None:
    type(acme.flow).objects.filter(pk=acme.flow.pk).update(status="inactive")
    refused(call(direct.secret, CLIENT), 409, "The flow intake takes no data records: it is inactive.")
    assert not Record.objects.exists()


# --- The same call twice ----------------------------------------------------------------------------------------


def test_a_repeated_call_makes_one_record(direct: RegisteredUrl) -> None:
    first, again = (call(direct.secret, CLIENT, headers={"Idempotency-Key": "k"}) for _ in range(2))
    assert (first.json(), first.status_code) == (again.json(), again.status_code)
    assert ("Idempotency-Replayed" in first, again["Idempotency-Replayed"]) == (False, "true")
    other = call(direct.secret, {"client": 2}, headers={"Idempotency-Key": "k"})
    refused(other, 409, "The Idempotency-Key was used for another request.")
    assert Record.objects.count() == 1


def test_keys_are_those_of_one_trigger(acme: Tenant, direct: RegisteredUrl) -> None:
    other = url_of(acme, name="other")
    for one in (direct, other):
        assert "Idempotency-Replayed" not in call(one.secret, CLIENT, headers={"Idempotency-Key": "k"})
    assert Record.objects.count() == 2


@pytest.mark.parametrize("key", ["a b", "x" * 256, "é"])
def test_keys_that_are_refused(direct: RegisteredUrl, key: str) -> None:
    assert call(direct.secret, CLIENT, headers={"Idempotency-Key": key}).status_code == 400
    assert not Record.objects.exists()


def test_a_refused_call_uses_its_key_for_nothing(direct: RegisteredUrl) -> None:
    assert call(direct.secret, 5, headers={"Idempotency-Key": "k"}).status_code == 400
    assert call(direct.secret, CLIENT, headers={"Idempotency-Key": "k"}).status_code == 201


def test_a_field_that_is_not_there_makes_no_record(direct: RegisteredUrl) -> None:
    assert call(direct.secret, CLIENT, query="?fields=data_record_id").json()["resource"].keys() == {"data_record_id"}
    assert call(direct.secret, CLIENT, query="?fields=nope").status_code == 400
    assert Record.objects.count() == 1


def at_once(count: int, act: Any) -> list[Any]:
    def run(number: int) -> Any:
        try:
            return act(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


@pytest.mark.django_db(transaction=True)
def test_twenty_at_once_are_one(direct: RegisteredUrl) -> None:
    answers = at_once(20, lambda _: call(direct.secret, CLIENT, headers={"Idempotency-Key": "k"}))
    assert Counter(answer.status_code for answer in answers) == {201: 20}
    assert len({answer.content for answer in answers}) == 1
    assert sum("Idempotency-Replayed" not in answer for answer in answers) == 1
    assert Record.objects.count() == 1


@pytest.mark.parametrize("kind", ["direct", "sync", "dynamic"])
def test_a_full_environment_takes_nothing_more(acme: Tenant, kind: str) -> None:
    webhook_of(acme)
    Workspace.objects.filter(pk=acme.workspace.pk).update(storage_full=True)
    secret = url_of(acme, kind=kind, webhook="orders").secret
    refused(call(secret, ORDER), 507, "The storage of this environment is used up.")
    assert Record.objects.count() == 0


# --- Dynamic ----------------------------------------------------------------------------------------------------


def test_a_new_identifier_makes_a_record_and_a_known_one_an_event(acme: Tenant, dynamic: RegisteredUrl) -> None:
    first = call(dynamic.secret, ORDER).json()
    again = call(dynamic.secret, {"order": {"id": "A-1", "status": "sent"}}).json()
    record, event = Record.objects.get(), WebhookEvent.objects.get()
    assert (first["resource"]["data_record_id"], first["message"]) == (
        record.uuid,
        "Data Record is created successfully",
    )
    assert (again["resource"]["_id"], again["message"]) == ({"$id": event.event_id}, "Data stored successfully")
    assert (event.identifier, event.status, event.webhook.name) == ("A-1", "sent", "orders")
    assert event.record_uuid == ""  # the webhook's own flow is not for these
    assert KnownIdentifier.objects.get().record_uuid == record.uuid


def test_a_removed_record_makes_its_identifier_new(dynamic: RegisteredUrl) -> None:
    call(dynamic.secret, ORDER)
    Record.objects.all().delete()
    call(dynamic.secret, ORDER)
    assert (Record.objects.count(), WebhookEvent.objects.count()) == (1, 0)
    assert KnownIdentifier.objects.get().record_uuid == Record.objects.get().uuid
    call(dynamic.secret, ORDER)
    assert (Record.objects.count(), WebhookEvent.objects.count()) == (1, 1)


def test_a_mixed_array_keeps_its_order(dynamic: RegisteredUrl) -> None:
    call(dynamic.secret, ORDER)
    orders = [{"order": {"id": name}, "n": n} for n, name in enumerate(["B", "A-1", "C", "B", "A-1"])]
    rows = call(dynamic.secret, orders).json()["resource"]
    assert [row.get("data_record", row.get("data")) for row in rows] == orders
    assert ["data_record_id" in row for row in rows] == [True, False, True, False, False]
    assert (Record.objects.count(), WebhookEvent.objects.count()) == (3, 3)


@pytest.mark.parametrize("body", [{}, {"order": {"id": None}}, {"order": {"id": {}}}, {"order": {"id": "x" * 513}}, 5])
def test_a_document_without_identifier_is_refused(dynamic: RegisteredUrl, body: Any) -> None:
    refused(call(dynamic.secret, body), 400, "Document 0 has no identifier at order.id.")
    refused(call(dynamic.secret, [ORDER, body]), 400, "Document 1 has no identifier at order.id.")
    assert not KnownIdentifier.objects.exists()
    assert not Record.objects.exists()


def test_a_flow_that_refuses_leaves_the_identifier_new(acme: Tenant, dynamic: RegisteredUrl) -> None:
    flows = type(acme.flow).objects.filter(pk=acme.flow.pk)
    flows.update(status="inactive")
    assert call(dynamic.secret, ORDER).status_code == 409
    assert not KnownIdentifier.objects.exists()
    flows.update(status="running")
    assert call(dynamic.secret, ORDER).json()["resource"]["data_record_id"]


@pytest.mark.parametrize("change", ["gone", "nameless"])
def test_its_webhook_is_needed(dynamic: RegisteredUrl, change: str) -> None:
    if change == "gone":
        Webhook.objects.all().delete()
    else:
        Webhook.objects.update(identifier_path="")
    forget_entrances()
    refused(call(dynamic.secret, ORDER), 409, "The webhook of this address does not exist, or names no identifier.")
    assert not Record.objects.exists()


def test_identifiers_are_those_of_one_trigger(acme: Tenant, rival: Tenant, dynamic: RegisteredUrl) -> None:
    webhook_of(rival)
    foreign = url_of(rival, kind="dynamic", webhook="orders")
    second = url_of(acme, name="second", kind="dynamic", webhook="orders")
    for one in (dynamic, foreign, second):
        assert "data_record_id" in call(one.secret, ORDER).json()["resource"]
    assert Record.objects.count() == 3


def listening_url(acme: Tenant) -> str:
    """The secret of a Dynamic URL whose records wait for word that they were sent."""
    hear = {
        "type": "webhook",
        "webhook": "orders",
        "identifier": "{{ order.id }}",
        "ports": {"sent": "sent"},
        "save_to": "word",
        "next": {"sent": "note", "else": "end"},
    }
    note = {"type": "set", "set": {"by": "{{ vars.word.by }}"}, "next": {"ok": "end"}}
    webhook_of(acme)
    publish(acme, flow_of("listening", hear=hear, note=note))
    return url_of(acme, kind="dynamic", webhook="orders", flow="listening").secret


def test_a_record_that_listens_is_woken_by_what_comes_after_it(acme: Tenant) -> None:
    secret = listening_url(acme)
    call(secret, ORDER)
    drain()
    assert Record.objects.get().status == Status.NOT_RUNNING
    call(secret, {"order": {"id": "A-1", "status": "sent"}, "by": "bike"})
    drain()
    record = Record.objects.select_related("content").get()
    assert (record.status, record.content.data["by"]) == (Status.FINISHED, "bike")


@pytest.mark.django_db(transaction=True)
def test_a_call_that_had_to_wait_for_the_first_one_is_heard(acme: Tenant) -> None:
    secret = listening_url(acme)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT now()")  # begun before the record was, as one that waits for its identifier has
        at_once(1, lambda _: call(secret, ORDER))
        call(secret, {"order": {"id": "A-1", "status": "sent"}})
    drain()
    assert Record.objects.get().status == Status.FINISHED


@pytest.mark.django_db(transaction=True)
def test_of_calls_at_once_one_makes_the_record(dynamic: RegisteredUrl) -> None:
    def send(number: int) -> Any:
        names = ["A", "B", "C"] if number % 2 else ["C", "B", "A"]
        return call(dynamic.secret, [{"order": {"id": name}} for name in names])

    answers = at_once(12, send)
    assert Counter(answer.status_code for answer in answers) == {201: 12}
    assert (Record.objects.count(), WebhookEvent.objects.count(), KnownIdentifier.objects.count()) == (3, 33, 3)


# --- Statements -------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_what_a_call_costs(direct: RegisteredUrl, settings: Any) -> None:
    settings.CREDENTIAL_CACHE_SECONDS = 60
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as captured:
            assert call(direct.secret, CLIENT).status_code == 201
        counts.append(len(captured))
    assert counts == [4, 3]
