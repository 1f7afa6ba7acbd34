"""The invariants see what they are there for: each is shown a healthy record, and then one fault after the other."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from django.db import connection
from psycopg.conninfo import make_conninfo

from tests.faults import verify
from tests.faults.evidence import Evidence
from tests.faults.house import Answer, Outage
from tests.server.process import wait_until

OBJECTS = {
    "start": {"type": "start", "next": {"ok": "tell"}},
    "tell": {"type": "app", "next": {"ok": "end"}},
    "end": {"type": "end"},
}
DOCUMENT = {"client": "Ada"}


def step(seq: int, name: str, port: str = "ok", attempt: int = 1, run: int = 1) -> Any:
    kind = OBJECTS[name]["type"]
    return SimpleNamespace(record_id=7, run_no=run, seq=seq, attempt=attempt, object=name, type=kind, port=port)


def record(**changes: Any) -> Any:
    finished = {
        "id": 7,
        "uuid": "r",
        "status": 2,
        "hold": 0,
        "at": "end",
        "run_no": 1,
        "seq": 3,
        "attempt": 1,
        "has_wake": False,
        "is_leased": False,
        "version": 1,
        "overdue": 0.0,
        "flow_status": "running",
        "data": DOCUMENT | {"progress": "after"},
    }
    return SimpleNamespace(**(finished | changes))


WHOLE = [step(1, "start"), step(2, "tell"), step(3, "end", "")]
HEALTHY = Evidence(
    ledger=[{"act": "insert", "uuid": "r", "document": DOCUMENT}],
    records={"r": record()},
    steps={7: {1: WHOLE}},
    versions={1: {"start": "start", "objects": OBJECTS}},
    keys={"r": {"r:1:2"}},
    answers=[Answer(100.0, 0.1, 201)],
    outages=[Outage(200.0, 210.0, frozenset({503}))],
    secrets=["s3cret"],
    logs='{"event": "request"}\n',
)


def with_record(**changes: Any) -> Evidence:
    return replace(HEALTHY, records={"r": record(**changes)})


def with_steps(*steps: Any) -> Evidence:
    return replace(HEALTHY, steps={7: {1: list(steps)}})


def with_answer(*answer: Any) -> Evidence:
    return replace(HEALTHY, answers=[Answer(*answer)])


def check_stuck(evidence: Evidence) -> Iterator[str]:
    return verify.not_stuck(evidence, 40)


def check_silence(evidence: Evidence) -> Iterator[str]:
    return verify.silence(evidence, "OperationalError")


CHECKS = [
    verify.no_loss,
    verify.conservation,
    verify.effects,
    check_stuck,
    verify.order,
    verify.availability,
    check_silence,
]


@pytest.mark.parametrize("check", CHECKS)
def test_a_healthy_record_breaks_nothing(check: Callable[[Evidence], Iterator[str]]) -> None:
    assert list(check(HEALTHY)) == []


@pytest.mark.parametrize(
    ("check", "evidence", "fault"),
    [
        (verify.no_loss, replace(HEALTHY, records={}), "r was acknowledged and is gone"),
        (verify.no_loss, with_record(data=None), "r has lost its document"),
        (verify.no_loss, with_record(data={"client": "Bob"}), "r is not the document that was sent"),
        (
            verify.conservation,
            with_record(status=0),
            "r is nowhere: status 0, hold 0, due False, leased False",
        ),
        (
            verify.conservation,
            with_record(is_leased=True),
            "r is nowhere: status 2, hold 0, due False, leased True",
        ),
        (
            verify.conservation,
            replace(HEALTHY, ledger=[*HEALTHY.ledger, {"act": "delete", "uuid": "r"}]),
            "1 deleted records are back: ['r']",
        ),
        (
            verify.conservation,
            replace(HEALTHY, ledger=[]),
            "1 records are there that nobody was promised: ['r']",
        ),
        (verify.effects, replace(HEALTHY, keys={}), "r has noted calls that nobody received: ['r:1:2']"),
        (
            verify.effects,
            replace(HEALTHY, keys={"r": {"r:1:2", "r:1:3"}}),
            "r has called with keys of no step: ['r:1:3']",
        ),
        (
            check_stuck,
            with_record(status=1, is_leased=True, has_wake=True, overdue=41.0),
            "r is under a lease that ended 41 s ago",
        ),
        (check_stuck, with_record(status=0, has_wake=True, overdue=41.0), "r has been due for 41 s"),
        (verify.order, with_steps(WHOLE[0], WHOLE[2]), "r run 1: step 3/1 follows 1/1"),
        (verify.order, with_steps(*WHOLE, step(4, "tell")), "r run 1: 1 steps come after the end"),
        (verify.order, with_steps(WHOLE[0], step(2, "end", "")), "r run 1: step 2 is end, not tell"),
        (verify.order, replace(HEALTHY, steps={}), "r is finished and has no trace"),
        (
            verify.order,
            replace(HEALTHY, steps=HEALTHY.steps | {8: {1: WHOLE}}),
            "there are steps of 1 records that do not exist",
        ),
        (verify.order, with_record(seq=1), "r run 1: 1 steps are counted, 3 are in the trace"),
        (verify.availability, with_answer(100.0, 0.1, 503), "a caller got 503 after 0.1 s, and nothing was away"),
        (verify.availability, with_answer(205.0, 0.1, 500), "a caller got 500 after 0.1 s, and nothing was away"),
        (verify.availability, with_answer(100.0, 20.0, 0), "a caller got no answer after 20.0 s, and nothing was away"),
        (check_silence, replace(HEALTHY, logs="what a s3cret"), "a secret was logged: s3cr…"),
        (
            check_silence,
            replace(HEALTHY, logs='Traceback (most recent call last):\n  File "x"\nKeyError: 1\n'),
            "a traceback was logged: KeyError: 1",
        ),
        (
            check_silence,
            replace(HEALTHY, logs='{"exception": "Traceback (most recent call last):\\n  File\\nValueError: 2"}\n'),
            "a traceback was logged: ValueError: 2",
        ),
    ],
)
def test_each_fault_is_named(check: Callable[[Evidence], Iterator[str]], evidence: Evidence, fault: str) -> None:
    assert fault in list(check(evidence))


@pytest.mark.parametrize(
    "evidence",
    [
        with_answer(205.0, 0.1, 503),
        replace(HEALTHY, logs="Traceback (most recent call last):\n  File\ndjango.db.utils.OperationalError: away\n"),
        replace(HEALTHY, keys={"r": {"r:1:2", "r:1:4"}}, records={"r": record(status=0, has_wake=True, seq=3)}),
    ],
)
def test_what_a_fault_explains_is_none(evidence: Evidence) -> None:
    found = [fault for check in (verify.availability, check_silence, verify.effects) for fault in check(evidence)]
    assert found == []


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_nobody_reads_is_seen() -> None:
    connection.ensure_connection()
    info = connection.connection.info
    evidence = replace(HEALTHY, conninfo=make_conninfo(info.dsn, password=info.password))
    with psycopg.connect(evidence.conninfo, autocommit=True) as deaf:
        deaf.execute("LISTEN news")
        with connection.cursor() as cursor:
            for number in range(100):
                cursor.execute("SELECT pg_notify('news', %s)", [f"{number}".ljust(7000, ".")])
        wait_until(lambda: list(verify.heard(evidence)) == ["nobody reads what came after: LISTEN news"], 10)
    wait_until(lambda: list(verify.heard(evidence)) == [], 10)
