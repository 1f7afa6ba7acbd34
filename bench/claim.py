"""What a claim costs beside what has nothing to do with it, as a ratio to a database that has only what is due.

The contenders are copies of one database, which has six running flows with due records: one with a paused flow whose
records are all due, one with records that are finished, one with both and an old snapshot held open. Claims of a
batch take turns in all of them, and are committed.

python -m bench.claim [--paused 100000] [--finished 1000000] [--rounds 60] [--batch 100]
"""

import argparse
import os
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flowize import postgres

HOME = tempfile.TemporaryDirectory(prefix="flowize-bench-")
os.environ["FLOWIZE_HOME"] = HOME.name
os.environ["DATABASE_URL"] = postgres.url(Path(HOME.name).resolve(), "floor")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "flowize.settings")
os.environ.setdefault("LOG_LEVEL", "ERROR")

import django  # noqa: E402

django.setup()

import psycopg  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from psycopg import sql  # noqa: E402

from apps.records.claims import claim_due  # noqa: E402

FLOOR, PAUSED, FINISHED, SNAPSHOT = "floor", "paused", "finished", "snapshot"
RUNNING = ("one", "two", "three", "four", "five", "six")
TITLES = {
    FLOOR: "only what is due (floor)",
    PAUSED: "beside a paused flow with due records",
    FINISHED: "beside finished records",
    SNAPSHOT: "beside both, an old snapshot held open",
}

_FILL = """
WITH inserted AS (
    INSERT INTO records_record (
        workspace_id, flow_id, flow_version_id, uuid, status, hold, at, run_no, seq, attempt, num_runs, claims,
        revision, leased_by, error_code, error_text, wake_at, date_created, date_started, date_last_run)
    SELECT f.workspace_id, f.id, f.live_version_id, concat_ws('-', f.name, %(status)s, n), %(status)s, 0, '', 1, 0, 1,
           0, 0, 0, '', '', '', CASE WHEN %(due)s THEN now() - n * interval '1 millisecond' END,
           now() - n * interval '1 second', now(), now()
    FROM flows_flow f, generate_series(1, %(count)s) n WHERE f.name = %(flow)s
    RETURNING id
)
INSERT INTO records_recorddata (record_id, data, vars, state, revision)
SELECT id, jsonb_build_object('client', repeat('x', 400)), '{}', '{}', 0 FROM inserted
"""


def main() -> None:
    """Build, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--paused", type=int, default=100_000)
    parser.add_argument("--finished", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--batch", type=int, default=100)
    chosen = parser.parse_args()
    server = postgres.PrivateServer(Path(HOME.name))
    server.start()
    try:
        build(chosen)
        with old_snapshot(SNAPSHOT):
            report(measure(chosen))
    finally:
        connection.close()
        server.stop()


def build(chosen: argparse.Namespace) -> None:
    """The four databases."""
    administer("CREATE DATABASE floor")
    call_command("migrate", interactive=False, verbosity=0)
    add_flows()
    for flow in RUNNING:
        fill(FLOOR, flow=flow, count=chosen.batch * (chosen.rounds + 10) // 2, status=0, due=True)
    for name in (PAUSED, FINISHED):
        copy(FLOOR, name)
    fill(PAUSED, flow="held", count=chosen.paused, status=0, due=True)
    fill(FINISHED, flow="one", count=chosen.finished, status=2, due=False)
    copy(FINISHED, SNAPSHOT)
    fill(SNAPSHOT, flow="held", count=chosen.paused, status=0, due=True)
    for name in TITLES:
        run(name, "VACUUM ANALYZE")
    administer("CHECKPOINT")


def add_flows() -> None:
    """The running flows and a paused one, past the services: no document is ever looked at."""
    from apps.accounts.models import Organization, Project, Workspace
    from apps.flows.models import Flow, FlowVersion

    project = Project.objects.create(organization=Organization.objects.create(name="bench"), name="bench")
    workspace = Workspace.objects.create(project=project)
    for name, status in (*((name, "running") for name in RUNNING), ("held", "paused")):
        flow = Flow.objects.create(workspace=workspace, name=name, status=status)
        flow.live_version = FlowVersion.objects.create(flow=flow, number=1, source="{}", status="published")
        flow.save()
    connection.close()


def fill(database: str, **values: object) -> None:
    """Records of one flow."""
    with connect(database) as own:
        own.execute(_FILL, values)


def copy(source: str, target: str) -> None:
    """Another database like it."""
    administer(f"CREATE DATABASE {target} TEMPLATE {source}")


def administer(statement: str) -> None:
    """A statement that is about the server."""
    run("postgres", statement)


def run(database: str, statement: str) -> None:
    """A statement in no transaction."""
    with connect(database) as own:
        own.autocommit = True
        own.execute(sql.SQL(statement))


def connect(database: str) -> psycopg.Connection:
    """A connection past Django."""
    return psycopg.connect(postgres.conninfo(postgres.url(Path(HOME.name).resolve(), database)))


@contextmanager
def old_snapshot(database: str) -> Iterator[None]:
    """What a long dump does: nothing that is updated meanwhile can be cleared away."""
    with connect(database) as dump:
        dump.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        dump.execute("SELECT count(*) FROM flows_flow")
        yield


def measure(chosen: argparse.Namespace) -> dict[str, list[float]]:
    """Milliseconds of each claim; the first ones of each connection are not counted."""
    taken: dict[str, list[float]] = {name: [] for name in TITLES}
    order = list(TITLES)
    turns = 4
    for _ in range(turns):
        random.shuffle(order)
        for name in order:
            connection.close()
            connection.settings_dict["NAME"] = name
            for number in range(chosen.rounds // turns + 2):
                began = time.perf_counter()
                claimed = claim_due("bench:1", chosen.batch)
                spent = (time.perf_counter() - began) * 1000
                assert len(claimed) == chosen.batch, f"{name}: {len(claimed)}"
                if number >= 2:
                    taken[name].append(spent)
    return taken


def report(taken: dict[str, list[float]]) -> None:
    """Ratios to the floor."""
    floor = statistics.median(taken[FLOOR])
    print(f"{'a claim':42} {'median':>8} {'p90':>8} {'ratio':>6}")
    for name, title in TITLES.items():
        median = statistics.median(taken[name])
        p90 = statistics.quantiles(taken[name], n=10)[-1]
        print(f"{title:42} {median:6.2f}ms {p90:6.2f}ms {median / floor:6.2f}")


if __name__ == "__main__":
    main()
