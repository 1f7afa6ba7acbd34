"""What is there after a fault: promises, rows, journals, calls, answers and logs, gathered once for all invariants."""

import json
from dataclasses import dataclass, field, replace
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row

from flowize import postgres
from tests.faults.house import Answer, House, Outage

_RECORDS = """
    SELECT r.id, r.uuid, r.status, r.hold, r.at, r.run_no, r.seq, r.attempt, r.wake_at IS NOT NULL AS has_wake,
           r.lease_token IS NOT NULL AS is_leased, r.flow_version_id AS version,
           coalesce(extract(epoch FROM now() - r.wake_at), 0)::float AS overdue, f.status AS flow_status,
           d.data::text AS data
    FROM records_record r JOIN flows_flow f ON f.id = r.flow_id
    LEFT JOIN records_recorddata d ON d.record_id = r.id
"""
_STEPS = """
    SELECT record_id, run_no, seq, attempt, object, type, port FROM records_recordstep
    ORDER BY record_id, run_no, seq, attempt
"""


@dataclass(frozen=True)
class Evidence:
    """``records`` by uuid, ``steps`` by the record's id and then run, ``versions`` the documents of flows by id."""

    ledger: list[dict[str, Any]]
    records: dict[str, Any]
    steps: dict[int, dict[int, list[Any]]]
    versions: dict[int, dict[str, Any]]
    keys: dict[str, set[str]]  # that the receiver saw, by uuid
    answers: list[Answer] = field(default_factory=list)
    outages: list[Outage] = field(default_factory=list)
    logs: str = ""
    secrets: list[str] = field(default_factory=list)
    conninfo: str = ""


def read(connection: psycopg.Connection[Any], ledger: list[dict[str, Any]], keys: dict[str, set[str]]) -> Evidence:
    """What the database says; answers, outages and logs are nobody's."""
    with connection.cursor(row_factory=namedtuple_row) as cursor:
        # As text, because Django has its connections read it so.
        records = {row.uuid: row._replace(data=row.data and json.loads(row.data)) for row in cursor.execute(_RECORDS)}
        steps: dict[int, dict[int, list[Any]]] = {}
        for step in cursor.execute(_STEPS):
            steps.setdefault(step.record_id, {}).setdefault(step.run_no, []).append(step)
        sources = cursor.execute("SELECT id, source FROM flows_flowversion").fetchall()
    versions = {row.id: json.loads(row.source) for row in sources}
    return Evidence(ledger, records, steps, versions, keys)


def gather(house: House) -> Evidence:
    """Everything as it is now; answers and logs are those since this was last done."""
    with psycopg.connect(postgres.conninfo(house.database.url)) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        evidence = read(connection, house.ledger.lines(), house.receiver.seen())
    answers, house.answers = house.answers, []
    return replace(
        evidence,
        answers=answers,
        outages=list(house.outages),
        logs=house.fresh_logs(),
        secrets=[house.acme[name] for name in ("api_key", "organization_api_key", "client_secret", "password")],
        conninfo=postgres.conninfo(house.database.url),
    )
