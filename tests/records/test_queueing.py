"""``/v1/record/changestatus`` and ``/v1/record/movetoflow`` as callers meet them, and races about the same records."""

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, connections
from django.test import Client

from apps.flows import services as flows
from apps.records.claims import claim_due
from apps.records.execution import drain
from apps.records.life_cycle import Act
from apps.records.models import Hold, Record, RecordStep, Status
from apps.records.moving import move_records
from apps.records.queueing import change_queue
from tests.conftest import STRAIGHT_FLOW, Tenant, publish
from tests.records.conftest import ADULT, flow_of, insert, make_due, steps

CHANGE, MOVE = "/v1/record/changestatus", "/v1/record/movetoflow"


def put(client: Client, tenant: Tenant, path: str, body: Any = None, **named: str) -> Any:
    headers = {name.replace("_", "-"): value for name, value in named.items()}
    content = "" if body is None else json.dumps(body)
    return client.put(path, content, "application/json", headers=tenant.headers | headers)


def message_of(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["message"]


def failed(tenant: Tenant, uuid: str) -> Record:
    record = insert(tenant, uuid=uuid)
    Record.objects.filter(pk=record.pk).update(
        status=Status.FAILED, hold=Hold.ERROR, wake_at=None, at="accept", seq=2, error_code="http.500"
    )
    return record


def test_the_answer_to_a_resume_is_the_documented_one(client: Client, acme: Tenant) -> None:
    failed(acme, "r-1")
    response = put(client, acme, CHANGE, X_Queue_Status="resume-and-continue", X_Queue_Uuids="r-1")
    assert response.status_code == 200
    assert response.json() == {
        "id": "ok",
        "code": 200,
        "request-ip": "127.0.0.1",
        "resource": {
            "records": [{"uuid": "r-1", "queue_status": "0", "queue_status_key": "New"}],
            "total": 1,
        },
        "message": "1 datarecords resumed from error status",
        "error": None,
    }


@pytest.mark.parametrize(
    ("word", "message", "key", "label"),
    [
        ("pause-queue", "2 datarecords paused", "2", "Paused"),
        ("execute-queue", "2 datarecords executed", "0", "New"),
        ("delete-from-queue", "2 datarecords deleted from the queue", "", ""),
    ],
)
def test_each_act_has_its_sentence(client: Client, acme: Tenant, word: str, message: str, key: str, label: str) -> None:
    insert(acme, uuid="r-1")
    insert(acme, uuid="r-2")
    body = put(client, acme, CHANGE, ["r-2", "r-1", "r-2"], X_Queue_Status=word).json()
    assert body["message"] == message
    assert body["resource"] == {
        "records": [
            {"uuid": "r-2", "queue_status": key, "queue_status_key": label},
            {"uuid": "r-1", "queue_status": key, "queue_status_key": label},
        ],
        "total": 2,
    }


def test_a_paused_record_is_resumed(client: Client, acme: Tenant) -> None:
    insert(acme, uuid="r-1")
    put(client, acme, CHANGE, ["r-1"], X_Queue_Status="pause-queue")
    body = put(client, acme, CHANGE + "/?queue_status=resume-queue&queue_uuids=r-1").json()
    assert (body["message"], body["resource"]["records"][0]["queue_status_key"]) == ("1 datarecords resumed", "New")


def test_each_record_is_judged_by_itself(client: Client, acme: Tenant, rival: Tenant) -> None:
    insert(acme, uuid="new")
    failed(acme, "failed")
    insert(rival, uuid="foreign")
    before = Record.objects.filter(workspace=rival.workspace).values().get()
    response = put(client, acme, CHANGE, {"uuids": ["failed", "foreign", "new"]}, X_Queue_Status="pause-queue")
    assert (response.status_code, response.json()["message"]) == (200, "1 datarecords paused")
    assert response.json()["resource"] == {
        "records": [
            {
                "uuid": "failed",
                "queue_status": "3",
                "queue_status_key": "Error",
                "message": "Data record cannot be paused: its queue status is Error",
            },
            {
                "uuid": "foreign",
                "queue_status": "",
                "queue_status_key": "",
                "message": "There is no such data record.",
            },
            {"uuid": "new", "queue_status": "2", "queue_status_key": "Paused"},
        ],
        "total": 3,
    }
    assert Record.objects.filter(workspace=rival.workspace).values().get() == before


def test_nothing_changed_is_402_and_says_why(client: Client, acme: Tenant) -> None:
    insert(acme, uuid="r-1")
    response = put(client, acme, CHANGE, ["r-1", "nobody"], X_Queue_Status="resume-and-continue")
    assert message_of(response) == (402, "No data record could be resumed from error status.")
    assert response.json()["error"]["details"] == [
        {"path": "/0", "message": "Data record cannot be resumed from error status: its queue status is New"},
        {"path": "/1", "message": "There is no such data record."},
    ]


def test_none_that_exists_is_404(client: Client, acme: Tenant, rival: Tenant) -> None:
    insert(rival, uuid="foreign")
    for path, named in ((CHANGE, {"X_Queue_Status": "pause-queue"}), (MOVE, {"X_MoveToFlow_Flow": "intake"})):
        assert message_of(put(client, acme, path, ["foreign", "x y", ""], **named))[0] == 404


@pytest.mark.parametrize(
    ("body", "named", "message"),
    [
        (["r-1"], {}, "X-Queue-Status must be one of pause-queue, resume-queue, execute-queue, "),
        (["r-1"], {"X_Queue_Status": "explode"}, "X-Queue-Status must be one of "),
        (["r-1"], {"X_Queue_Status": "review"}, "X-Queue-Status must be one of "),
        ([], {"X_Queue_Status": "pause-queue"}, "Name the data records"),
        (None, {"X_Queue_Status": "pause-queue"}, "Name the data records"),
        (None, {"X_Queue_Status": "pause-queue", "X_Queue_Uuids": " , ,"}, "Name the data records"),
        ({"uuid": "r-1"}, {"X_Queue_Status": "pause-queue"}, "The body must be an array of uuids"),
        ("r-1", {"X_Queue_Status": "pause-queue"}, "The body must be an array of uuids"),
        ([["r-1"]], {"X_Queue_Status": "pause-queue"}, "The body must be an array of uuids"),
        ([None], {"X_Queue_Status": "pause-queue"}, "The body must be an array of uuids"),
        (["r-2"], {"X_Queue_Status": "pause-queue", "X_Queue_Uuids": "r-1"}, "X-Queue-Uuids and the body name differ"),
        ([f"u{n}" for n in range(1001)], {"X_Queue_Status": "pause-queue"}, "One call takes at most 1000"),
    ],
)
def test_what_cannot_be_understood_changes_nothing(
    client: Client, acme: Tenant, body: Any, named: dict[str, str], message: str
) -> None:
    record = insert(acme, uuid="r-1")
    before = Record.objects.filter(pk=record.pk).values().get()
    status, text = message_of(put(client, acme, CHANGE, body, **named))
    assert (status, message in text) == (400, True)
    assert Record.objects.filter(pk=record.pk).values().get() == before


def test_the_same_uuids_in_header_and_body_are_fine(client: Client, acme: Tenant) -> None:
    insert(acme, uuid="r-1")
    response = put(client, acme, CHANGE, ["r-1"], X_Queue_Status="pause-queue", X_Queue_Uuids="r-1")
    assert response.status_code == 200


def test_moving_answers_the_documented_rows(client: Client, acme: Tenant) -> None:
    publish(acme, STRAIGHT_FLOW | {"name": "other"})
    insert(acme, uuid="r-1")
    insert(acme, uuid="r-2")
    response = put(client, acme, MOVE, ["r-1", "r-2", "nobody"], X_MoveToFlow_Flow="other")
    text = "Data Record is moved to a new flow successfully and it is included in the queue."
    assert response.json()["resource"] == {
        "records": [
            {"uuid": "r-1", "message": text, "movetoflow": "other"},
            {"uuid": "r-2", "message": text, "movetoflow": "other"},
            {"uuid": "nobody", "message": "There is no such data record.", "movetoflow": ""},
        ],
        "total": 3,
    }
    assert response.json()["message"] == "2 flows moved to the new one"
    assert set(Record.objects.values_list("flow__name", flat=True)) == {"other"}


def test_a_flow_to_move_to_is_named_or_numbered(client: Client, acme: Tenant, rival: Tenant) -> None:
    insert(acme, uuid="r-1")
    draft = flows.create_flow(acme.caller, name="draft")
    assert message_of(put(client, acme, MOVE, ["r-1"]))[0] == 400
    assert message_of(put(client, acme, MOVE, ["r-1"], X_MoveToFlow_Flow="nope"))[0] == 404
    assert message_of(put(client, acme, MOVE, ["r-1"], X_MoveToFlow_Flow=str(rival.flow.pk)))[0] == 404
    assert message_of(put(client, acme, MOVE, ["r-1"], X_MoveToFlow_Flow="9" * 30))[0] == 404
    assert message_of(put(client, acme, MOVE, ["r-1"], X_MoveToFlow_Flow=draft.name)) == (
        409,
        "The flow draft takes no data records: it is draft.",
    )
    flows.change_status(acme.caller, acme.flow, "inactive")
    assert message_of(put(client, acme, MOVE, ["r-1"], X_MoveToFlow_Flow="intake"))[0] == 409
    flows.change_status(acme.caller, acme.flow, "public")
    response = put(client, acme, MOVE, ["r-1"], X_MoveToFlow_Flow=str(acme.flow.pk))
    assert response.json()["resource"]["records"][0]["movetoflow"] == "intake"
    assert Record.objects.get().run_no == 2


def test_a_record_in_use_is_not_moved(client: Client, acme: Tenant) -> None:
    insert(acme, uuid="r-1")
    claim_due("w", 10)
    before = Record.objects.values().get()
    response = put(client, acme, MOVE, ["r-1"], X_MoveToFlow_Flow="intake")
    assert response.status_code == 402
    assert response.json()["error"]["details"] == [
        {"path": "/0", "message": "Data record cannot be moved: it is being used"}
    ]
    assert Record.objects.values().get() == before


# --- With the engine --------------------------------------------------------------------------------------------

STOPPING = flow_of("stopping", hold={"type": "stop", "next": {"resume": "end"}})


@pytest.mark.django_db(transaction=True)
def test_a_moved_record_runs_its_new_flow_from_the_start(acme: Tenant) -> None:
    publish(acme, STRAIGHT_FLOW | {"name": "other"})
    record = insert(acme)
    drain()
    move_records(acme.caller, "other", [record.uuid])
    drain()
    record.refresh_from_db()
    assert (record.status, record.flow.name, record.run_no) == (Status.FINISHED, "other", 2)
    runs = RecordStep.objects.filter(record=record).values_list("run_no", "object")
    assert [run for run, name in runs if name == "start"] == [1, 2]


@pytest.mark.django_db(transaction=True)
def test_executing_leaves_a_stop_and_pausing_does_not(acme: Tenant) -> None:
    publish(acme, STOPPING)
    record = insert(acme, flow="stopping")
    drain()
    change_queue(acme.caller, Act.PAUSE, [record.uuid])
    change_queue(acme.caller, Act.RESUME, [record.uuid])
    drain()
    record.refresh_from_db()
    assert (record.status, record.hold, record.at) == (Status.NOT_RUNNING, Hold.STOPPED, "hold")
    change_queue(acme.caller, Act.EXECUTE, [record.uuid])
    drain()
    record.refresh_from_db()
    assert record.status == Status.FINISHED
    assert [(name, port) for _, _, name, port in steps(record)] == [("start", "ok"), ("hold", "resume"), ("end", "")]


LOOPING = flow_of(
    "looping",
    count={"type": "set", "set": {"n": "{{ (n or 0) + 1 }}"}, "next": {"ok": "enough"}},
    enough={
        "type": "decision",
        "rules": [{"port": "yes", "when": "n >= 7"}],
        "next": {"yes": "end", "else": "pause"},
    },
    pause={"type": "wait", "for": "PT1S", "next": {"ok": "count"}},
)


@pytest.mark.django_db(transaction=True)
def test_a_record_the_guard_stopped_goes_on_in_a_new_run(acme: Tenant) -> None:
    publish(acme, LOOPING)
    acme.project.max_executions = 5
    acme.project.save()
    record = insert(acme, {"n": 0}, flow="looping")
    for _ in range(6):
        drain()
        make_due(*Record.objects.filter(status=Status.SCHEDULED))
    record.refresh_from_db()
    assert (record.status, record.error_code, record.run_no) == (Status.FAILED, "loop_guard", 1)
    change_queue(acme.caller, Act.CONTINUE, [record.uuid])
    for _ in range(3):
        drain()
        make_due(*Record.objects.filter(status=Status.SCHEDULED))
    record.refresh_from_db()
    assert (record.status, record.run_no, record.content.data["n"]) == (Status.FINISHED, 2, 7)


@pytest.mark.django_db(transaction=True)
def test_a_record_whose_worker_died_can_be_acted_on_and_its_late_write_is_lost(acme: Tenant) -> None:
    record = insert(acme)
    (claimed,) = claim_due("dead", 10)
    make_due(record)
    (result,) = change_queue(acme.caller, Act.PAUSE, [record.uuid])
    assert result.state.label == "Paused"
    record.refresh_from_db()
    assert (record.lease_token, record.claims) == (None, 1)
    assert claimed.lease_token is not None
    assert claim_due("next", 10) == []


# --- Races ------------------------------------------------------------------------------------------------------


def in_threads(*acts: Callable[[], Any]) -> list[Any]:
    """All at once, each with a connection of its own; what they answered or raised."""
    answers: list[Any] = [None] * len(acts)
    begin = threading.Barrier(len(acts))

    def run(number: int) -> None:
        try:
            begin.wait(10)
            answers[number] = acts[number]()
        except Exception as error:  # noqa: BLE001 - the test looks at it
            answers[number] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return answers


def deadlocks() -> int:
    """Those of this database, also of other tests."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return cursor.fetchone()[0]


@pytest.mark.django_db(transaction=True)
def test_opposite_orders_do_not_lock_each_other_out(acme: Tenant) -> None:
    uuids = [insert(acme, uuid=f"r-{number}").uuid for number in range(40)]
    before = deadlocks()

    def act(order: list[str]) -> Callable[[], Any]:
        return lambda: [change_queue(acme.caller, Act.EXECUTE, order) for _ in range(25)]

    for answer in in_threads(act(uuids), act(uuids[::-1]), act(uuids[::2] + uuids[1::2])):
        assert len(answer) == 25
    assert deadlocks() == before


@pytest.mark.django_db(transaction=True)
def test_of_a_move_and_a_claim_one_comes_first(acme: Tenant) -> None:
    publish(acme, STRAIGHT_FLOW | {"name": "other"})
    for number in range(20):
        record = insert(acme, uuid=f"r-{number}")
        moved, claimed = in_threads(
            lambda uuid=record.uuid: move_records(acme.caller, "other", [uuid]), lambda: claim_due("w", 10)
        )
        record.refresh_from_db()
        if isinstance(moved, Exception):
            assert (record.flow.name, record.status) == ("intake", Status.PROCESSING)
        else:
            assert record.flow.name == "other"
            assert all(row.flow_id == record.flow_id and row.run_no == 2 for row in claimed)
        Record.objects.filter(pk=record.pk).delete()


def test_a_call_costs_two_statements_and_its_transaction(
    client: Client, acme: Tenant, django_assert_num_queries: Any
) -> None:
    uuids = [insert(acme, uuid=f"r-{number}", document=ADULT).uuid for number in range(30)]
    put(client, acme, CHANGE, uuids, X_Queue_Status="pause-queue")
    with django_assert_num_queries(5):  # the count of the rate limit, two for the savepoint, lock, change
        put(client, acme, CHANGE, uuids, X_Queue_Status="resume-queue")
    with django_assert_num_queries(6):
        put(client, acme, MOVE, uuids, X_MoveToFlow_Flow="intake")
