"""The invariants I1 to I9: each is a function of the evidence that says, a line each, what does not hold."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import psycopg

from apps.records.models import Hold, Status
from tests.faults.evidence import Evidence, gather
from tests.faults.house import House
from tests.faults.scale import SCALE
from tests.faults.tracebacks import last_lines

RESTING = {Status.FINISHED, Status.FAILED, Status.REVIEWED, Status.HANDLED}
SHOWN = 5  # of each kind of fault
# What a worker says of a process that was killed, up to ten seconds later.
KILLED = r"^(billiard\.exceptions\.)?WorkerLostError"


def no_loss(evidence: Evidence) -> Iterator[str]:
    """I1: what was acknowledged is there, and is what was sent."""
    deleted = {line["uuid"] for line in evidence.ledger if line["act"] == "delete"}
    for line in evidence.ledger:
        record = evidence.records.get(line["uuid"])
        if line["act"] != "insert" or line["uuid"] in deleted:
            continue
        if record is None:
            yield f"{line['uuid']} was acknowledged and is gone"
        elif record.data is None:
            yield f"{line['uuid']} has lost its document"
        elif {key: value for key, value in record.data.items() if key != "progress"} != line["document"]:
            yield f"{line['uuid']} is not the document that was sent"


def conservation(evidence: Evidence) -> Iterator[str]:
    """I2: each record is in exactly one place, and the places add up to what was acknowledged."""
    for record in evidence.records.values():
        if _place_of(record) is None:
            yield (
                f"{record.uuid} is nowhere: status {record.status}, hold {record.hold}, due {record.has_wake}, "
                f"leased {record.is_leased}"
            )
    deleted = {line["uuid"] for line in evidence.ledger if line["act"] == "delete"}
    if back := deleted & evidence.records.keys():
        yield f"{len(back)} deleted records are back: {sorted(back)[:SHOWN]}"
    inserted = [line["uuid"] for line in evidence.ledger if line["act"] == "insert"]
    if len(inserted) != len(set(inserted)):
        yield "a uuid was acknowledged twice"
    if strangers := evidence.records.keys() - set(inserted):
        yield f"{len(strangers)} records are there that nobody was promised: {sorted(strangers)[:SHOWN]}"


def _place_of(record: Any) -> str | None:
    """The one place a record is in; None when its columns contradict each other."""
    leased, due, held = record.is_leased, record.has_wake, record.hold != Hold.NONE
    if record.status == Status.PROCESSING:  # without a lease it was handed back after a death, and is due
        return "processing" if due and not held else None
    if leased:
        return None
    if record.status in RESTING:
        wants_hold = Hold.ERROR if record.status == Status.FAILED else Hold.NONE
        return "at rest" if record.hold == wants_hold and not due else None
    if record.status == Status.SCHEDULED:
        return "scheduled" if due and not held else None
    return "waiting" if due or held else None


def effects(evidence: Evidence) -> Iterator[str]:
    """I3: each step that called was called, and whatever came twice came with one key."""
    for record in evidence.records.values():
        runs = evidence.steps.get(record.id, {})
        made, allowed = set(), set()
        for run in {*runs, record.run_no}:
            steps = runs.get(run, [])
            calls = {step.seq: step for step in steps if step.type == "app"}
            allowed |= {f"{record.uuid}:{run}:{seq}" for seq in calls}
            # The call that was under way when the run broke off has left no step.
            allowed.add(f"{record.uuid}:{run}:{max((step.seq for step in steps), default=0) + 1}")
            made |= {f"{record.uuid}:{run}:{seq}" for seq, step in calls.items() if step.port == "ok"}
        seen = evidence.keys.get(record.uuid, set())
        if missing := made - seen:
            yield f"{record.uuid} has noted calls that nobody received: {sorted(missing)}"
        if foreign := seen - allowed:
            yield f"{record.uuid} has called with keys of no step: {sorted(foreign)}"


def not_stuck(evidence: Evidence, patience: float) -> Iterator[str]:
    """I4: no lease is over and no record is due for longer than ``patience`` seconds."""
    for record in evidence.records.values():
        if record.status == Status.PROCESSING and record.overdue > patience:
            yield f"{record.uuid} is under a lease that ended {record.overdue:.0f} s ago"
        elif record.has_wake and record.flow_status == "running" and record.overdue > patience:
            yield f"{record.uuid} has been due for {record.overdue:.0f} s"


def order(evidence: Evidence) -> Iterator[str]:
    """I5: journals have no gaps, follow one version of the flow, and say nothing after the end."""
    if foreign := evidence.steps.keys() - {record.id for record in evidence.records.values()}:
        yield f"there are steps of {len(foreign)} records that do not exist"
    for record in evidence.records.values():
        runs = evidence.steps.get(record.id, {})
        for run, steps in runs.items():
            yield from (f"{record.uuid} run {run}: {fault}" for fault in _faults_of_run(steps))
        if record.run_no in runs:
            faults = _faults_of_way(record, runs[record.run_no], evidence.versions[record.version])
            yield from (f"{record.uuid} run {record.run_no}: {fault}" for fault in faults)
        elif record.status in (Status.FINISHED, Status.HANDLED):
            yield f"{record.uuid} is finished and has no trace"


def _faults_of_run(steps: list[Any]) -> Iterator[str]:
    seq, attempt = 0, 1
    for step in steps:
        if (step.seq, step.attempt) not in ((seq + 1, 1), (seq, attempt + 1)):
            yield f"step {step.seq}/{step.attempt} follows {seq}/{attempt}"
        seq, attempt = step.seq, step.attempt
    ends = [index for index, step in enumerate(steps) if step.type == "end"]
    if ends and ends[0] != len(steps) - 1:
        yield f"{len(steps) - 1 - ends[0]} steps come after the end"


def _faults_of_way(record: Any, steps: list[Any], document: dict[str, Any]) -> Iterator[str]:
    """Each step stands where the port of the one before leads."""
    objects = document["objects"]
    expected = {document["start"]}
    for step in steps:
        if step.object not in expected:
            yield f"step {step.seq} is {step.object}, not {' or '.join(sorted(expected))}"
        leads = objects[step.object].get("next", {}).get(step.port)
        # A failed attempt is followed by another, by the handler, or by the same object when a person resumes it.
        expected = {leads} if leads else {step.object, document.get("on_error", {}).get("next", step.object)}
    if record.status in (Status.FINISHED, Status.HANDLED) and steps[-1].type != "end":
        yield f"finished at {steps[-1].object}"
    if record.seq not in (steps[-1].seq, steps[-1].seq - 1):
        yield f"{record.seq} steps are counted, {steps[-1].seq} are in the trace"


def whole(evidence: Evidence) -> Iterator[str]:
    """I6: rows refer to rows that exist, each record has its document, tables and indexes agree."""
    with psycopg.connect(evidence.conninfo, autocommit=True) as connection:
        connection.execute("CREATE EXTENSION IF NOT EXISTS amcheck")
        for table, name, missing in _orphans(connection):
            yield f"{missing} rows of {table} break {name}"
        for (index,) in connection.execute(_BTREES).fetchall():
            try:
                connection.execute("SELECT bt_index_check(%s::regclass, true)", [index])
            except psycopg.Error as error:
                yield f"index {index}: {error}"
        for (table,) in connection.execute(_TABLES).fetchall():
            for block, item, fault in connection.execute(
                "SELECT blkno, offnum, msg FROM verify_heapam(%s::regclass)", [table]
            ):
                yield f"table {table} at {block}/{item}: {fault}"


_FOREIGN_KEYS = """
    SELECT c.conrelid::regclass::text, c.conname, a.attname, c.confrelid::regclass::text, b.attname
    FROM pg_constraint c
    JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
    JOIN pg_attribute b ON b.attrelid = c.confrelid AND b.attnum = c.confkey[1]
    WHERE c.contype = 'f' AND cardinality(c.conkey) = 1
"""
_BTREES = """
    SELECT i.indexrelid::regclass::text FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    JOIN pg_am m ON m.oid = c.relam JOIN pg_class t ON t.oid = i.indrelid
    WHERE m.amname = 'btree' AND i.indisvalid AND c.relnamespace = 'public'::regnamespace AND t.relpersistence = 'p'
"""
_TABLES = """
    SELECT oid::regclass::text FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relpersistence = 'p'
"""


def _orphans(connection: psycopg.Connection[Any]) -> Iterator[tuple[str, str, int]]:
    for table, name, column, target, key in connection.execute(_FOREIGN_KEYS).fetchall():
        query = (
            f'SELECT count(*) FROM {table} t WHERE t."{column}" IS NOT NULL'
            f' AND NOT EXISTS (SELECT 1 FROM {target} o WHERE o."{key}" = t."{column}")'
        )
        if missing := connection.execute(query.encode()).fetchall()[0][0]:
            yield table, name, missing


def availability(evidence: Evidence) -> Iterator[str]:
    """I7: callers are served, but for what an outage explains."""
    for answer in evidence.answers:
        if answer.status // 100 == 2 or answer.status in (402, 403, 404, 409):
            continue
        asked, answered = answer.began, answer.began + answer.seconds
        during = [outage for outage in evidence.outages if asked <= outage.ended and answered >= outage.began]
        if not any(answer.status in outage.statuses for outage in during):
            yield f"a caller got {answer.status or 'no answer'} after {answer.seconds:.1f} s, and nothing was away"


def silence(evidence: Evidence, injected: str) -> Iterator[str]:
    """I8: logs hold no secret, and no traceback but of what was done to the process (``injected``, a pattern)."""
    yield from (f"a secret was logged: {secret[:4]}…" for secret in evidence.secrets if secret in evidence.logs)
    expected = re.compile(f"{KILLED}|{injected}" if injected else KILLED)
    seen = [line for line in last_lines(evidence.logs) if not expected.search(line)]
    yield from (f"a traceback was logged: {line[:300]}" for line in dict.fromkeys(seen))


def heard(evidence: Evidence) -> Iterator[str]:
    """I9: whoever listens to the database reads what it says; the backend of one who does not stands still."""
    with psycopg.connect(evidence.conninfo) as connection:
        for (query,) in connection.execute(_UNREAD).fetchall():
            yield f"nobody reads what came after: {query}"


_UNREAD = """
    SELECT query FROM pg_stat_activity
    WHERE datname = current_database() AND state = 'idle' AND wait_event = 'ClientWrite'
"""


def verify(house: House, *, injected: str = "", patience: float = 0.0) -> None:
    """Raise AssertionError naming each invariant that does not hold, with examples."""
    evidence = gather(house)
    checks: dict[str, Callable[[], Iterator[str]]] = {
        "I1 no loss": lambda: no_loss(evidence),
        "I2 conservation": lambda: conservation(evidence),
        "I3 effects": lambda: effects(evidence),
        "I4 not stuck": lambda: not_stuck(evidence, patience or SCALE.patience),
        "I5 order": lambda: order(evidence),
        "I6 whole": lambda: whole(evidence),
        "I7 availability": lambda: availability(evidence),
        "I8 silence": lambda: silence(evidence, injected),
        "I9 heard": lambda: heard(evidence),
    }
    broken = [line for name, check in checks.items() for line in _told(name, list(check()))]
    assert not broken, "\n".join(broken)


def _told(name: str, faults: list[str]) -> list[str]:
    more = [f"{name}: and {len(faults) - SHOWN} more"] if len(faults) > SHOWN else []
    return [f"{name}: {fault}" for fault in faults[:SHOWN]] + more
