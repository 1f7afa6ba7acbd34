"""Sync URLs: the answer comes when the record rests, and is what its flow says."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import OperationalError, connections

from apps.flows.engine.apps import APPS
from apps.flows.engine.apps.respond import REFUSED_HEADERS
from apps.flows.engine.checks import check_document
from apps.records.answers import get_rest
from apps.records.execution import drain
from apps.records.life_cycle import Act
from apps.records.models import Record, RecordAnswer, Status
from apps.records.queueing import change_queue
from apps.records.services import create_records
from apps.triggers import waiting
from apps.triggers.waiting import ROOM, WaitingRoom
from tests.conftest import Tenant, publish
from tests.contract.xml_reader import read_answer
from tests.records.conftest import flow_of
from tests.triggers.conftest import call, refused, url_of
from tests.webhooks.cast import webhook_of

pytestmark = pytest.mark.django_db(transaction=True)

CLIENT = {"client": {"age": 30}}


@contextmanager
def working() -> Iterator[None]:
    """A worker beside the test."""
    ended = threading.Event()

    def work() -> None:
        try:
            while not ended.is_set():
                drain(0.5)
                ended.wait(0.01)
        finally:
            connections.close_all()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def sync_of(tenant: Tenant, flow: dict[str, Any] | None = None, **fields: Any) -> str:
    """The secret of a Sync URL into that flow."""
    if flow:
        publish(tenant, flow)
    return url_of(tenant, **{"kind": "sync", "flow": flow["name"] if flow else "intake", "seconds": 20} | fields).secret


def responding(config: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A flow that answers with that config, and fails where that is refused."""
    first = {"type": "app", "app": "core.respond", "with": config, "retry": {"max": 0}, "next": {"ok": "end"}}
    return flow_of("responding", first=first | more)


def answered(tenant: Tenant, flow: dict[str, Any] | None = None, body: Any = CLIENT, **extra: Any) -> Any:
    secret = sync_of(tenant, flow)
    with working():
        return call(secret, body, **extra)


# --- Without core.respond ---------------------------------------------------------------------------------------


def test_the_usual_answer_holds_uuid_status_and_document(acme: Tenant) -> None:
    response = answered(acme)
    record = Record.objects.get()
    assert (response.status_code, response.json()) == (
        200,
        {
            "id": "ok",
            "code": 200,
            "request-ip": "127.0.0.1",
            "resource": {"uuid": record.uuid, "status": "Finished", "data": CLIENT | {"result": "accepted"}},
            "message": "Data Record has come to rest",
            "error": None,
        },
    )


def test_it_comes_in_xml_where_that_is_asked_for(acme: Tenant) -> None:
    answer = read_answer(answered(acme, headers={"Accept": "application/xml"}).content)
    assert answer["resource"]["status"] == "Finished"


def test_a_flow_that_fails_answers_so_and_tells_nothing_of_its_error(acme: Tenant) -> None:
    bad = {"type": "set", "set": {"x": "{{ 1 / client.age }}"}, "retry": {"max": 0}, "next": {"ok": "end"}}
    response = answered(acme, flow_of("failing", first=bad), {"client": {"age": 0}})
    assert response.json()["resource"] == {
        "uuid": Record.objects.get().uuid,
        "status": "Finished with errors",
        "data": {"client": {"age": 0}},
    }


def test_a_stop_ends_the_wait(acme: Tenant) -> None:
    stop = {"type": "stop", "timeout": "P1D", "next": {"resume": "end", "timeout": "end"}}
    response = answered(acme, flow_of("stopping", first=stop))
    assert (response.status_code, response.json()["resource"]["status"]) == (200, "Not running")


def test_a_short_wait_of_the_flow_is_waited_for(acme: Tenant) -> None:
    pause = {"type": "wait", "for": "PT0.2S", "next": {"ok": "end"}}
    assert answered(acme, flow_of("pausing", first=pause)).json()["resource"]["status"] == "Finished"


def test_past_the_time_limit_the_record_is_named_and_nothing_is_lost(acme: Tenant) -> None:
    secret = sync_of(acme, seconds=1)
    response = call(secret, CLIENT)
    record = Record.objects.get()
    assert (response.status_code, response.json()["id"]) == (202, "accepted")
    assert response.json()["resource"] == {"uuid": record.uuid}
    assert response.json()["message"] == "Data Record is being processed"
    drain()
    assert Record.objects.get().status == Status.FINISHED


def test_what_can_be_refused_is_refused_before_anything_is_stored(acme: Tenant) -> None:
    secret = sync_of(acme)
    refused(call(secret, CLIENT, query="?fields=uuid"), 400, "fields cannot choose from the answer of a flow.")
    refused(call(secret, [CLIENT]), 400, "A data record is an object.")
    assert not Record.objects.exists()


def test_a_record_that_is_removed_meanwhile(acme: Tenant) -> None:
    secret = sync_of(acme)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(_closing, lambda: call(secret, CLIENT))
        _until(lambda: Record.objects.exists())
        Record.objects.all().delete()
        refused(answer.result(), 404, "The data record was removed before its flow came to rest.")


@pytest.mark.parametrize("act", [Act.PAUSE, Act.DEQUEUE])
def test_a_record_that_is_held_meanwhile_rests(acme: Tenant, act: Act) -> None:
    secret = sync_of(acme)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(_closing, lambda: call(secret, CLIENT))
        _until(lambda: Record.objects.exists())
        change_queue(acme.caller, act, [Record.objects.get().uuid])
        assert answer.result().json()["resource"]["status"] == "Not running"


OTHER = flow_of("other", hold={"type": "stop", "next": {"resume": "end"}})
LAUNCH = {"type": "run", "flow": "other", "next": {"ok": "pause"}}
PAUSE = {"type": "wait", "for": "P1D", "next": {"ok": "end"}}
HEAR = {
    "type": "webhook",
    "webhook": "orders",
    "identifier": "x",
    "ports": {"paid": "paid"},
    "next": {"paid": "end", "else": "end"},
}


@pytest.mark.parametrize(
    ("objects", "statuses"),
    [
        ({"first": LAUNCH | {"wait": False}, "pause": PAUSE}, {"Scheduled"}),
        ({"first": LAUNCH | {"wait": True}, "pause": PAUSE}, {"Not running"}),
        # The worker may have taken it on in the other flow by the time it is read.
        ({"first": {"type": "move", "flow": "other"}}, {"Not running", "Processing"}),
        ({"first": HEAR}, {"Not running"}),
        (
            {"first": HEAR | {"timeout": "P1D", "next": {"paid": "end", "else": "end", "timeout": "end"}}},
            {"Not running"},
        ),
    ],
    ids=["run", "run and wait", "move", "listen", "listen for a while"],
)
def test_work_of_others_is_not_waited_for(acme: Tenant, objects: dict[str, Any], statuses: set[str]) -> None:
    webhook_of(acme)
    publish(acme, OTHER)
    flow = flow_of("working", **objects)
    if objects["first"]["type"] == "move":
        del flow["objects"]["end"]
    response = answered(acme, flow)
    assert response.status_code == 200
    assert response.json()["resource"]["status"] in statuses


# --- core.respond -----------------------------------------------------------------------------------------------


def test_a_flow_answers_with_status_headers_and_json(acme: Tenant) -> None:
    config = {
        "status": 418,
        "headers": {"X-Age": "{{ client.age }}", "Cache-Control": "max-age=5", "X-Not": None, "X-Yes": True},
        "json": {"age": "{{ client.age }}"},
    }
    response = answered(acme, responding(config))
    assert (response.status_code, response.content) == (418, b'{"age":30}')
    assert response["Content-Type"] == "application/json"
    assert (response["X-Age"], response["Cache-Control"], response["X-Yes"]) == ("30", "max-age=5", "true")
    assert "X-Not" not in response
    assert response["X-Request-Id"]


@pytest.mark.parametrize(
    ("config", "content_type", "body"),
    [
        ({"json": None}, "application/json", b"null"),
        ({"json": {"é": 1e300}}, "application/json", '{"é":1e+300}'.encode()),
        ({"text": "Age {{ client.age }} é"}, "text/plain; charset=utf-8", "Age 30 é".encode()),
        ({"text": "a,b", "headers": {"content-TYPE": "text/csv"}}, "text/csv; charset=utf-8", b"a,b"),
        ({"json": 1, "headers": {"Content-Type": "application/problem+json; x=1"}}, "application/problem+json", b"1"),
        ({}, None, b""),
        ({"status": 204}, None, b""),
    ],
)
def test_bodies(acme: Tenant, config: dict[str, Any], content_type: str | None, body: bytes) -> None:
    response = answered(acme, responding(config))
    assert response.content == body
    assert response.get("Content-Type") == content_type
    assert (response.status_code, response["Cache-Control"]) == (config.get("status", 200), "no-store")


def test_xml(acme: Tenant) -> None:
    response = answered(acme, responding({"xml": {"age": "{{ client.age }}", "tags": ["a", "b"]}}))
    assert response["Content-Type"] == "application/xml; charset=utf-8"
    assert read_answer(response.content) == {"age": 30, "tags": ["a", "b"]}


@pytest.mark.parametrize(
    ("config", "fault"),
    [
        ({"headers": {"X": "{{ text }}"}}, "headers/X: the value does not match"),
        ({"status": "{{ number }}"}, "status: the value is less than the minimum of 200"),
        ({"status": "{{ text }}"}, 'status: the value is not of type "integer"'),
        ({"status": 204, "text": "x"}, "An answer with status 204 has no body."),
        ({"text": "x", "headers": {"Content-Type": "text/html"}}, "an answer with text cannot be text/html."),
        ({"xml": {}, "headers": {"Content-Type": "image/svg+xml"}}, "an answer with xml cannot be image/svg+xml."),
        ({"xml": 1, "headers": {"Content-Type": "application/xhtml+xml"}}, "cannot be application/xhtml+xml."),
        ({"headers": {"Content-Type": "text/plain"}}, "an answer with no body cannot be text/plain."),
        ({"text": "", "headers": {"content-type": "text/csv", "Content-Type": "text/csv"}}, "cannot be text/csv."),
    ],
)
def test_answers_that_cannot_be_sent_fail_the_object(acme: Tenant, config: dict[str, Any], fault: str) -> None:
    response = answered(acme, responding(config), {"text": "a\r\nSet-Cookie: b", "number": 101})
    assert (response.status_code, response.json()["resource"]["status"]) == (200, "Finished with errors")
    record = Record.objects.get()
    assert record.error_code == "config"
    assert fault in record.error_text
    assert not RecordAnswer.objects.exists()


def test_an_answer_that_is_too_large(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.records.answers.MOST_BYTES", 10)
    answered(acme, responding({"text": "x" * 11}))
    assert Record.objects.get().error_code == "too_large"


@pytest.mark.parametrize("name", [*REFUSED_HEADERS, "Set-COOKIE", "a b", "X\n", ""])
def test_headers_that_no_flow_may_set_are_named_when_it_is_checked(name: str) -> None:
    problems = check_document(responding({"headers": {name: "x"}}))
    assert [(problem.object, problem.path.startswith("with/headers")) for problem in problems] == [("first", True)]


@pytest.mark.parametrize(
    "config", [{"status": 199}, {"status": 600}, {"json": 1, "xml": 2}, {"text": 5}, {"other": 1}, {"headers": []}]
)
def test_configs_that_are_refused_when_the_flow_is_checked(config: dict[str, Any]) -> None:
    assert check_document(responding(config))


def test_the_last_answer_counts(acme: Tenant) -> None:
    first = {"type": "app", "app": "core.respond", "with": {"text": "first"}, "next": {"ok": "second"}}
    second = {"type": "app", "app": "core.respond", "with": {"text": "second"}, "next": {"ok": "end"}}
    assert answered(acme, flow_of("twice", first=first, second=second)).content == b"second"


def test_an_answer_goes_out_at_the_first_rest_after_it(acme: Tenant) -> None:
    pause = {"type": "wait", "for": "P2D", "next": {"ok": "end"}}
    flow = responding({"text": "noted"}, next={"ok": "pause"})
    flow["objects"]["pause"] = pause
    assert answered(acme, flow).content == b"noted"
    assert Record.objects.get().status == Status.SCHEDULED


def test_an_answer_is_committed_with_its_record_or_not_at_all(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(acme, responding({"text": "x"}))
    create_records(acme.caller, [CLIENT], flow_name="responding")

    def fail(*arguments: Any) -> None:
        raise OperationalError("the database went away")

    monkeypatch.setattr("apps.records.runs.write_checkpoint", fail)
    with pytest.raises(OperationalError):
        drain()
    assert not RecordAnswer.objects.exists()
    assert Record.objects.get().status == Status.PROCESSING


def test_it_does_nothing_to_records_nobody_waits_for(acme: Tenant) -> None:
    publish(acme, responding({"text": "x"}))
    (made,) = create_records(acme.caller, [CLIENT], flow_name="responding")
    drain()
    reply = get_rest(acme.workspace.pk, made.uuid).reply
    assert reply is not None
    assert (reply.status, reply.body) == (200, "x")
    assert APPS["core.respond"].kind == "internal"


# --- The same call twice ----------------------------------------------------------------------------------------


def test_a_repeated_call_is_answered_from_the_same_record(acme: Tenant) -> None:
    secret = sync_of(acme, responding({"status": 201, "text": "once"}))
    headers = {"Idempotency-Key": "k"}
    with working():
        first, again = (call(secret, CLIENT, headers=headers) for _ in range(2))
    assert [(answer.status_code, answer.content) for answer in (first, again)] == [(201, b"once")] * 2
    assert ("Idempotency-Replayed" in first, again["Idempotency-Replayed"]) == (False, "true")
    assert Record.objects.count() == 1


def test_a_call_that_was_answered_too_early_can_be_repeated(acme: Tenant) -> None:
    secret = sync_of(acme, responding({"text": "late"}), seconds=1)
    headers = {"Idempotency-Key": "k"}
    assert call(secret, CLIENT, headers=headers).status_code == 202
    drain()
    assert call(secret, CLIENT, headers=headers).content == b"late"
    assert Record.objects.count() == 1


def test_many_at_once_each_get_their_own_answer(acme: Tenant, settings: Any) -> None:
    settings.SYNC_WAITING = 20
    secret = sync_of(acme, responding({"json": "{{ n }}"}))
    with working(), ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda n: _closing(lambda: call(secret, {"n": n})), range(24)))
    assert [answer.json() for answer in answers] == list(range(24))


def test_over_the_cap_calls_are_answered_at_once(acme: Tenant, settings: Any) -> None:
    settings.SYNC_WAITING = 2
    secret = sync_of(acme)
    with ThreadPoolExecutor(2) as pool:
        waiting_calls = [pool.submit(_closing, lambda: call(secret, CLIENT)) for _ in range(2)]
        _until(lambda: len(ROOM.waiters) == 2)
        assert call(secret, CLIENT).status_code == 202
        assert Record.objects.count() == 3
        with working():
            assert Counter(future.result().status_code for future in waiting_calls) == {200: 2}
    assert not ROOM.waiters
    assert not ROOM.polling


# --- The waiting room -------------------------------------------------------------------------------------------


def test_a_database_that_is_away_for_a_while_is_asked_again(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = iter([OperationalError("gone"), OperationalError("gone"), {}])

    def ask(keys: Any) -> Any:
        outcome = next(asked)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    monkeypatch.setattr(waiting, "_ask", ask)
    monkeypatch.setattr(waiting, "PATIENCE_SECONDS", 0.01)
    assert WaitingRoom().wait(1, "x", 5)
    assert next(asked, None) is None


@pytest.mark.parametrize(("failures", "status"), [(2, 200), (9, 202)])
def test_a_connection_that_ends_before_the_answer_is_read(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch, failures: int, status: int
) -> None:
    left = iter(range(failures))

    def read(workspace_id: int, uuid: str) -> Any:
        if next(left, None) is not None:
            raise OperationalError("the connection is closed")
        return get_rest(workspace_id, uuid)

    monkeypatch.setattr("apps.triggers.api.url_views.get_rest", read)
    monkeypatch.setattr(waiting, "PATIENCE_SECONDS", 0.01)
    response = answered(acme)
    assert (response.status_code, response.json()["resource"]["uuid"]) == (status, Record.objects.get().uuid)


def test_when_the_one_who_asks_leaves_another_goes_on(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    room, resting, askers = WaitingRoom(), set(), set()

    def ask(keys: Any) -> Any:
        askers.add(threading.get_ident())
        return {key: key in resting for key in keys}

    monkeypatch.setattr(waiting, "_ask", ask)
    with ThreadPoolExecutor(3) as pool:
        futures = {name: pool.submit(room.wait, 1, name, 10) for name in "abc"}
        _until(lambda: len(room.waiters) == 3)
        for name in "abc":
            resting.add((1, name))
            assert futures[name].result()
    assert len(askers) >= 2
    assert (room.waiters, room.polling) == (set(), False)


def test_a_statement_for_all_who_wait(acme: Tenant, rival: Tenant) -> None:
    (mine,) = create_records(acme.caller, [CLIENT], flow_name="intake", uuid="same")
    create_records(rival.caller, [CLIENT], flow_name="intake", uuid="same")
    Record.objects.filter(workspace=rival.workspace).update(wake_at=None)
    keys = {(acme.workspace.pk, "same"), (rival.workspace.pk, "same"), (acme.workspace.pk, "gone")}
    assert waiting._ask(keys) == {(acme.workspace.pk, "same"): False, (rival.workspace.pk, "same"): True}
    assert mine.uuid == "same"


def _closing(act: Any) -> Any:
    try:
        return act()
    finally:
        connections.close_all()


def _until(holds: Any) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.005)
