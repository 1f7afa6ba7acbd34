"""Calls with the credentials of a connection: who gets them, how tokens are bought, that nothing of them is kept."""

import base64
import json
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest
from django.db import connection as database
from django.db import connections
from django.utils import timezone

from apps.core.crypto import encrypt
from apps.core.egress import EgressError
from apps.core.egress_policy import installed_policy
from apps.flows.access_tokens import LONGEST_LIFE, TokenRefused, fetch_token, new_token
from apps.flows.connections import keep_secret, save_connection, try_connection
from apps.flows.models import Connection, ConnectionSecret
from apps.flows.selectors import has_secret
from apps.records.execution import drain
from apps.records.models import Record, RecordStep, Status
from tests.conftest import Tenant, publish
from tests.records.conftest import Answer, Sink, calling_flow, insert

for_real = pytest.mark.django_db(transaction=True)

SECRET = "s3cret/with+signs"
JSON_TYPE = {"Content-Type": "application/json"}


def connect(tenant: Tenant, sink: Sink, secret: str = SECRET, **fields: Any) -> Connection:
    base_url = f"http://127.0.0.1:{sink.server_port}"
    return save_connection(tenant.caller, Connection(name="crm", **{"base_url": base_url} | fields), secret)


def oauth(tenant: Tenant, sink: Sink, **fields: Any) -> Connection:
    """A connection whose tokens the sink sells too."""
    token_url = f"http://127.0.0.1:{sink.server_port}/token"
    more = {"kind": "oauth2_client_credentials", "token_url": token_url, "client_id": "flow ize", "scope": "a b"}
    return connect(tenant, sink, **more | fields)


def client(token_url: str) -> Connection:
    """A connection that is kept nowhere."""
    row = Connection(name="crm", kind="oauth2_client_credentials", token_url=token_url, client_id="flowize")
    row.kept = ConnectionSecret(secret=SECRET)
    return row


def token(text: str, **more: Any) -> Answer:
    return Answer(200, json.dumps({"access_token": text, "token_type": "Bearer", **more}).encode(), JSON_TYPE)


def run(tenant: Tenant, url: str = "/leads", times: int = 1, **more: Any) -> Record:
    """The newest record of a flow that calls the connection, after it has run."""
    document = calling_flow(url, retry={"max": 0})
    document["objects"]["tell"]["with"] |= {"auth": {"connection": "crm"}, **more}
    if not tenant.extra.get("published"):
        tenant.extra["published"] = publish(tenant, document)
    for _ in range(times):
        record = insert(tenant, flow="calling")
    drain()
    return Record.objects.select_related("content").get(pk=record.pk)


def everything_kept(record: Record) -> str:
    """All that is stored of a record."""
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT row_to_json(r)::text FROM records_record r UNION ALL SELECT row_to_json(d)::text"
            " FROM records_recorddata d UNION ALL SELECT row_to_json(s)::text FROM records_recordstep s"
        )
        return "\n".join(row[0] for row in cursor.fetchall())


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("fields", "header", "value"),
    [
        (
            {"kind": "basic", "username": "ada"},
            "authorization",
            "Basic " + base64.b64encode(f"ada:{SECRET}".encode()).decode(),
        ),
        ({"kind": "bearer"}, "authorization", f"Bearer {SECRET}"),
        ({"kind": "api_key", "header": "X-Key"}, "x-key", SECRET),
    ],
)
def test_a_service_that_echoes_what_it_is_sent_teaches_nobody_the_secret(
    acme: Tenant, sink: Sink, caplog: Any, fields: dict[str, Any], header: str, value: str
) -> None:
    connect(acme, sink, **fields)
    body = json.dumps({"id": 7, "headers": {header: value}, value: [f"<{SECRET}>"]}).encode()
    sink.answer = Answer(200, body, JSON_TYPE | {"Location": f"/?key={SECRET}"})
    record = run(acme)
    assert sink.received[0].headers[header] == value
    assert sink.received[0].path == "/leads"
    assert record.status == Status.FINISHED
    assert record.content.vars["crm"]["body"]["id"] == 7
    for secret in (SECRET, value, value.rpartition(" ")[2]):
        assert secret not in everything_kept(record)
        assert secret not in caplog.text
    assert "•••" in everything_kept(record)


@pytest.mark.django_db
def test_an_answer_that_cannot_be_read_is_not_quoted(acme: Tenant, sink: Sink) -> None:
    connect(acme, sink, kind="bearer")
    sink.answer = Answer(200, f'{{"{SECRET}": 1, "{SECRET}": 2}}'.encode(), JSON_TYPE)
    record = run(acme)
    assert (record.error_code, record.error_text) == (
        "bad_answer",
        "The service says that it answers JSON, which cannot be read.",
    )
    assert SECRET[:6] not in everything_kept(record)


@pytest.mark.django_db
def test_a_connection_that_is_not_there_is_named_and_nothing_leaves(acme: Tenant, rival: Tenant, sink: Sink) -> None:
    connect(rival, sink, kind="bearer")
    record = run(acme, sink.url, auth={"connection": "{{ 'crm' }}"})
    assert (record.error_code, record.error_text) == ("not_found", "There is no connection 'crm'.")
    assert sink.received == []


@pytest.mark.django_db
def test_credentials_do_not_follow_a_url_to_another_place(acme: Tenant, sink: Sink) -> None:
    connect(acme, sink, base_url="http://127.0.0.1:1", kind="bearer")
    record = run(acme, sink.url)
    assert (record.error_code, record.error_text) == (
        "bad_url",
        "The URL is not at the address of the connection crm.",
    )
    assert sink.received == []


@pytest.mark.django_db
def test_a_secret_under_a_key_that_is_gone_is_an_error_of_the_step(acme: Tenant, sink: Sink, settings: Any) -> None:
    settings.ENCRYPTION_KEYS = ["first" * 8]
    connect(acme, sink, kind="bearer")
    settings.ENCRYPTION_KEYS = ["second" * 8]
    record = run(acme)
    assert (record.error_code, record.error_text) == (
        "auth",
        "The stored secret cannot be read any more: enter it again.",
    )
    assert sink.received == []


@for_real
@pytest.mark.parametrize("kind", ["basic", "bearer", "api_key", "oauth2_client_credentials"])
def test_a_connection_without_its_secret_sends_nothing(acme: Tenant, sink: Sink, kind: str) -> None:
    row = oauth(acme, sink, kind=kind, username="ada")
    ConnectionSecret.objects.all().delete()
    keep_secret(row, "")  # as an import of connections does, which brings no secrets
    assert not has_secret(row)
    record = run(acme)
    assert (record.error_code, record.error_text) == ("auth", "The connection crm has no secret: enter it.")
    assert sink.received == []
    assert try_connection(acme.caller, row).problem == "The connection crm has no secret: enter it."


@for_real
def test_a_token_is_bought_once_and_used_again(acme: Tenant, sink: Sink) -> None:
    row = oauth(acme, sink)
    sink.answers = {1: token("token-1", expires_in=3600)}
    run(acme)
    record = run(acme)
    buying, *calls = sink.received
    assert (buying.method, buying.path) == ("POST", "/token")
    assert parse_qs(buying.body.decode()) == {"grant_type": ["client_credentials"], "scope": ["a b"]}
    assert buying.headers["authorization"] == "Basic " + base64.b64encode(b"flow+ize:s3cret%2Fwith%2Bsigns").decode()
    assert [call.headers["authorization"] for call in calls] == ["Bearer token-1"] * 2
    assert record.status == Status.FINISHED
    kept = ConnectionSecret.objects.get(pk=row.pk)
    assert kept.token == "token-1"
    assert timedelta(minutes=58) < kept.token_expires_at - timezone.now() <= timedelta(minutes=59)
    assert SECRET not in everything_kept(record)
    assert "token-1" not in everything_kept(record)


@for_real
def test_a_client_may_prove_itself_in_the_body(acme: Tenant, sink: Sink) -> None:
    oauth(acme, sink, client_auth="body", scope="")
    sink.answers = {1: token("token-1")}
    run(acme)
    assert "authorization" not in sink.received[0].headers
    assert parse_qs(sink.received[0].body.decode()) == {
        "grant_type": ["client_credentials"],
        "client_id": ["flow ize"],
        "client_secret": [SECRET],
    }


@for_real
def test_a_token_that_has_ended_is_replaced(acme: Tenant, sink: Sink) -> None:
    row = oauth(acme, sink)
    ConnectionSecret.objects.filter(pk=row.pk).update(token="old", token_expires_at=timezone.now())
    sink.answers = {1: token("new")}
    run(acme)
    assert [request.headers["authorization"] for request in sink.received][1:] == ["Bearer new"]


def keep_token(row: Connection) -> None:
    ConnectionSecret.objects.filter(pk=row.pk).update(
        token="kept", token_expires_at=timezone.now() + timedelta(hours=1)
    )


@for_real
def test_a_kept_token_that_is_refused_is_replaced_once(acme: Tenant, sink: Sink) -> None:
    keep_token(oauth(acme, sink))
    sink.answers = {1: Answer(401), 2: token("new")}
    record = run(acme)
    assert [request.path for request in sink.received] == ["/leads", "/token", "/leads"]
    assert [request.headers["authorization"] for request in sink.received][::2] == ["Bearer kept", "Bearer new"]
    assert (record.status, sink.received[0].headers["idempotency-key"]) == (
        Status.FINISHED,
        sink.received[2].headers["idempotency-key"],
    )


@for_real
def test_a_service_that_refuses_every_token_is_not_asked_for_ever(acme: Tenant, sink: Sink) -> None:
    keep_token(oauth(acme, sink))
    sink.answer = Answer(401)
    sink.answers = {2: token("new")}
    record = run(acme)
    assert [request.path for request in sink.received] == ["/leads", "/token", "/leads"]
    assert (record.error_code, record.status) == ("http.401", Status.FAILED)
    sink.answers = {4: Answer(401), 5: token("newer")}
    run(acme)
    assert [request.path for request in sink.received][3:] == ["/leads", "/token", "/leads"]


@pytest.mark.parametrize(
    ("answer", "code", "message"),
    [
        (Answer(401, b'{"error": "invalid_client"}'), "auth", "The token address answered 401 (invalid_client)."),
        (Answer(400, f'{{"error": "{SECRET}"}}'.encode()), "auth", "The token address answered 400."),
        (Answer(400, b'{"error": ["x"]}'), "auth", "The token address answered 400."),
        (Answer(302, b"", {"Location": "/leads"}), "auth", "The token address answered 302."),
        (Answer(429), "http.429", "The token address answered 429."),
        (Answer(503, b"<html>"), "http.503", "The token address answered 503."),
        (Answer(200, b"{}"), "auth", "The token address answered without a bearer token."),
        (Answer(200, b"[]"), "auth", "The token address answered without a bearer token."),
        (Answer(200, b"<html>"), "auth", "The token address answered without a bearer token."),
        (token("a b"), "auth", "The token address answered without a bearer token."),
        (token("a\r\nX: 1"), "auth", "The token address answered without a bearer token."),
        (token("x" * 9000), "auth", "The token address answered without a bearer token."),
        (token("x", token_type="mac"), "auth", "The token address answered without a bearer token."),
        (token("x", token_type=None), "auth", "The token address answered without a bearer token."),
    ],
)
def test_a_token_that_is_not_sold_has_a_reason(sink: Sink, answer: Answer, code: str, message: str) -> None:
    sink.answer = answer
    with pytest.raises(TokenRefused) as caught:
        fetch_token(client(f"http://127.0.0.1:{sink.server_port}/token"), installed_policy(), 5.0)
    assert (caught.value.code, str(caught.value)) == (code, message)
    assert len(sink.received) == 1


@for_real
def test_a_token_that_is_not_sold_is_an_error_of_the_step(acme: Tenant, sink: Sink) -> None:
    oauth(acme, sink)
    sink.answer = Answer(400, f'{{"error": "invalid_scope", "error_description": "{SECRET}"}}'.encode())
    record = run(acme)
    assert (record.error_code, record.error_text) == ("auth", "The token address answered 400 (invalid_scope).")
    assert SECRET not in everything_kept(record)


@pytest.mark.parametrize(
    ("life", "seconds"),
    [
        (3600, 3540),
        ("3600", 3540),
        (40, 30),
        (0, 0),
        (-5, 0),
        (None, 240),
        ("soon", 240),
        (1e300, LONGEST_LIFE - 60),
    ],
)
def test_for_how_long_a_token_is_used(sink: Sink, life: Any, seconds: int) -> None:
    sink.answer = token("token-1", expires_in=life)
    begun = timezone.now()
    issued = fetch_token(client(f"http://127.0.0.1:{sink.server_port}/token"), installed_policy(), 5.0)
    assert issued.token == "token-1"
    assert 0 <= (issued.expires_at - begun).total_seconds() - seconds < 30


@pytest.mark.parametrize("address", ["http://10.0.0.1/token", "http://169.254.169.254/token", "http://[::1]/token"])
def test_a_token_address_inside_is_refused(sink: Sink, address: str) -> None:
    with pytest.raises(EgressError) as caught:
        fetch_token(client(address), installed_policy(), 5.0)
    assert caught.value.code == "refused_address"


@for_real
def test_many_calls_at_once_buy_one_token(acme: Tenant, sink: Sink) -> None:
    oauth(acme, sink)
    sink.answers = {1: token("token-1", expires_in=3600)}
    run(acme, times=8)
    assert [request.path for request in sink.received].count("/token") == 1
    assert [request.path for request in sink.received].count("/leads") == 8
    assert Record.objects.filter(status=Status.FINISHED).count() == 8


@for_real
def test_a_token_address_that_stalls_holds_up_no_other_connection(sink: Sink) -> None:
    sink.open.clear()
    sink.answer = token("late")
    slow, failures = client(f"http://127.0.0.1:{sink.server_port}/token"), list[Exception]()
    slow.pk = 1
    stalled = in_thread(lambda: new_token(slow, installed_policy(), 10.0), failures)
    sink.wait_for(1)
    with Sink() as quick:
        threading.Thread(target=quick.serve_forever, args=(0.01,), daemon=True).start()
        quick.answer = token("token-1")
        for number in range(2, 130):  # whichever these are: there may be more connections than locks
            row = client(f"http://127.0.0.1:{quick.server_port}/token")
            row.pk = number
            assert new_token(row, installed_policy(), 5.0) == "token-1"
        quick.shutdown()
    sink.open.set()
    stalled.join()
    assert failures == []


@for_real
def test_calls_leave_no_connection_to_the_database_open(acme: Tenant, sink: Sink) -> None:
    oauth(acme, sink)
    sink.answers = {1: token("token-1", expires_in=3600)}
    run(acme, times=4)
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND backend_type = 'client backend'"
        )
        assert cursor.fetchone() == (0,)


@for_real
def test_a_token_bought_with_older_credentials_is_not_kept(acme: Tenant, sink: Sink) -> None:
    row = oauth(acme, sink)
    sink.answers = {1: token("of the old secret", expires_in=3600)}
    sink.open.clear()
    failures: list[Exception] = []
    worker = in_thread(lambda: run(acme), failures)
    sink.wait_for(1)
    save_connection(acme.caller, Connection.objects.get(pk=row.pk), "another secret")
    sink.open.set()
    worker.join()
    assert failures == []
    kept = ConnectionSecret.objects.get(pk=row.pk)
    assert (kept.secret, kept.token, kept.token_expires_at) == ("another secret", "", None)


@for_real
def test_a_kept_token_nobody_can_read_is_replaced(acme: Tenant, sink: Sink, settings: Any) -> None:
    row = oauth(acme, sink)
    settings.ENCRYPTION_KEYS = ["gone" * 8]
    unreadable = encrypt("old")
    settings.ENCRYPTION_KEYS = []
    with database.cursor() as cursor:
        cursor.execute(
            "UPDATE flows_connectionsecret SET token = %s, token_expires_at = now() + interval '1 hour'"
            " WHERE connection_id = %s",
            [unreadable, row.pk],
        )
    sink.answers = {1: token("new")}
    assert run(acme).status == Status.FINISHED
    assert sink.received[1].headers["authorization"] == "Bearer new"


def in_thread(act: Callable[[], Any], failures: list[Exception]) -> threading.Thread:
    def work() -> None:
        try:
            act()
        except Exception as error:  # noqa: BLE001 - told to the test
            failures.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=work)
    thread.start()
    return thread


@pytest.mark.django_db
def test_the_trace_names_the_connection_s_answer_only(acme: Tenant, sink: Sink) -> None:
    connect(acme, sink, kind="bearer")
    record = run(acme)
    assert RecordStep.objects.get(record=record, object="tell").output == {
        "status": 200,
        "headers": {"content-type": "application/json"},
        "body": {"id": 7},
    }
