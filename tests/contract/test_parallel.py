"""Calls at the same moment, each in a thread and on a database connection of its own."""

import json
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections
from django.test import Client

from tests.contract.bad_inputs import credentials
from tests.contract.builders import filled, schema_body
from tests.contract.stage import Stage
from tests.contract.state import everything, growth

pytestmark = pytest.mark.django_db(transaction=True)

Call = Callable[[int], Any]


@pytest.fixture
def stage(acme: Any, rival: Any) -> Stage:
    """Both tenants."""
    return Stage(acme, rival)


def at_once(count: int, call: Call) -> list[Any]:
    """The answers to calls that begin together, by their numbers."""
    answers: list[Any] = [None] * count
    together = threading.Barrier(count)

    def run(number: int) -> None:
        try:
            together.wait(10)
            answers[number] = call(number)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return answers


def send(stage: Stage, method: str, path: str, body: Any = None, who: str = "keys", **headers: str) -> Any:
    """One call; ``X_Uuid`` is the header X-Uuid."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    text = body if isinstance(body, str) else "" if body is None else json.dumps(body)
    kind = "application/json" if text else ""
    return Client().generic(method, path, text, kind, headers=credentials(who, stage) | named)


def statuses(answers: list[Any]) -> Counter[int]:
    """How often each status was answered."""
    return Counter(answer.status_code for answer in answers)


VERSIONED = [
    ("schema", "/v1/schema", lambda number: schema_body({"title": f"version {number}"}), 201),
    ("record", "/v1/record/${record}", lambda number: json.dumps({"client": [], "n": number}), 200),
    ("keystore", "/v1/keystore/${keystore}/london", lambda number: json.dumps({"n": number}), 200),
    ("row", "/v1/tables/${table}/${row}", lambda number: json.dumps({"age": number}), 200),
]


@pytest.mark.parametrize(("thing", "path", "body", "success"), VERSIONED, ids=[row[0] for row in VERSIONED])
def test_of_two_changes_of_one_version_one_wins(
    stage: Stage, thing: str, path: str, body: Callable[[int], str], success: int
) -> None:
    stage.named(thing)
    address = filled(path, stage.named)
    tag = send(stage, "GET", address)["ETag"]
    answers = at_once(2, lambda number: send(stage, "PUT", address, body(number), If_Match=tag))
    assert statuses(answers) == {success: 1, 412: 1}, [answer.content for answer in answers]
    winner = next(number for number, answer in enumerate(answers) if answer.status_code == success)
    after = send(stage, "GET", address)
    assert after["ETag"] != tag
    again = send(stage, "PUT", address, body(5), If_Match=after["ETag"])
    assert again.status_code == success
    if thing == "record":
        assert after.json()["resource"]["data_record"]["n"] == winner


def test_refresh_token_buys_one_token_a_call(stage: Stage) -> None:
    given = {"grant_type": "client_credentials", "refresh_token": stage.acme.refresh_token}
    headers = credentials("client", stage) | given
    before = everything()
    answers = at_once(20, lambda number: Client().get("/v1/refreshtoken", headers=headers))
    assert statuses(answers) == {200: 20}
    assert len({answer.json()["resource"]["access_token"] for answer in answers}) == 20
    assert growth(before, everything()) == {"oauth2_provider_accesstoken": 20}


def test_of_two_replacements_the_last_one_stands_whole(stage: Stage) -> None:
    documents = [{"client": [], "all": [number] * 200} for number in range(8)]
    path = f"/v1/record/{stage.acme.record}"
    answers = at_once(8, lambda number: send(stage, "PUT", path, documents[number]))
    assert statuses(answers) == {200: 8}
    assert send(stage, "GET", path).json()["resource"]["data_record"] in documents


def test_one_idempotency_key_makes_one_record(stage: Stage) -> None:
    before = everything()
    headers = {"X_Flow": "intake", "Idempotency_Key": "one-and-only"}
    answers = at_once(20, lambda number: send(stage, "POST", "/v1/record", {"client": []}, **headers))
    assert statuses(answers) == {201: 20}
    assert len({answer.content for answer in answers}) == 1
    changes = growth(before, everything())
    assert (changes.pop("records_record"), changes.pop("records_recorddata")) == (1, 1)
    assert set(changes.values()) == {1}  # the key itself


def test_one_idempotency_key_of_two_tenants_makes_two(stage: Stage) -> None:
    headers = {"X_Flow": "intake", "Idempotency_Key": "shared"}
    answers = at_once(
        2, lambda number: send(stage, "POST", "/v1/record", {"client": []}, who=["keys", "rival"][number], **headers)
    )
    assert statuses(answers) == {201: 2}
    assert len({answer.json()["resource"]["data_record_id"] for answer in answers}) == 2


def test_one_uuid_is_taken_once(stage: Stage) -> None:
    before = everything()
    answers = at_once(
        20, lambda number: send(stage, "POST", "/v1/record", {"n": number}, X_Flow="intake", X_Uuid="same")
    )
    assert statuses(answers) == {201: 1, 409: 19}
    assert growth(before, everything()) == {"records_record": 1, "records_recorddata": 1}


def test_one_schema_is_made_once(stage: Stage) -> None:
    answers = at_once(10, lambda number: send(stage, "POST", "/v1/schema", schema_body({"title": str(number)})))
    assert statuses(answers) == {201: 1, 409: 9}


def test_one_key_is_made_once(stage: Stage) -> None:
    address = f"/v1/keystore/{stage.acme.keystore}/race"
    answers = at_once(20, lambda number: send(stage, "POST", address, {"n": number}))
    assert statuses(answers) == {200: 1, 409: 19}
    winner = next(number for number, answer in enumerate(answers) if answer.status_code == 200)
    assert send(stage, "GET", address).json() == {"n": winner}


def test_key_that_is_read_before_it_is_there_is_made_once(stage: Stage) -> None:
    address = f"/v1/keystore/{stage.acme.keystore}/absent"
    before = everything()
    answers = at_once(20, lambda number: send(stage, "GET", address))
    assert statuses(answers) == {200: 20}
    assert {answer.content for answer in answers} == {b'{"temp":{}}'}
    assert growth(before, everything()) == {"keystores_keystoreitem": 1}


def test_record_is_removed_once(stage: Stage) -> None:
    path = f"/v1/record/{stage.acme.record}"
    answers = at_once(10, lambda number: send(stage, "DELETE", path))
    assert statuses(answers) == {200: 1, 404: 9}


def test_two_queue_actions_at_once_leave_one_state(stage: Stage) -> None:
    uuids = [stage.acme.new_record(f"r{number}") for number in range(10)]

    def act(number: int) -> Any:
        action, names = [("pause-queue", uuids), ("delete-from-queue", uuids[::-1])][number % 2]
        return send(stage, "PUT", "/v1/record/changestatus", names, X_Queue_Status=action)

    answers = at_once(8, act)
    assert set(statuses(answers)) <= {200, 402}
    found = send(stage, "GET", "/v1/record/search").json()["resource"]["records"]
    assert len({row["queue_status"] for row in found}) == 1


def test_one_delivery_is_stored_once(stage: Stage) -> None:
    address = f"/v1/webhook/{stage.acme.open_hook}"
    before = everything()
    answers = at_once(20, lambda number: send(stage, "POST", address, {"n": 1}, who="nobody", Webhook_Id="msg_1"))
    assert statuses(answers) == {201: 20}
    assert len({answer.json()["resource"]["_id"]["$id"] for answer in answers}) == 1
    assert growth(before, everything()) == {"webhooks_webhookevent": 1}
