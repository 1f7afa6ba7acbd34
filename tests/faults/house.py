"""A whole installation with two workers, on a PostgreSQL of its own, which is put up again when a fault has ended."""

import json
import os
import random
import resource
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.faults.flows import DELIVER
from tests.faults.ledger import Ledger
from tests.faults.own_postgres import OwnServer
from tests.faults.receiver import Receiver, kill
from tests.faults.scale import SCALE
from tests.server.database import Database
from tests.server.installation import CHECKOUT, COMMANDS, Installation, key_headers
from tests.server.process import Process, wait_until
from tests.server.redis_server import Redis

HOUSEHOLD = ("web", "worker", "worker2", "beat")
WORKERS = ("worker", "worker2")
GRACE = 5.0  # how long after an outage its errors may still be seen

LEASE = "SELECT split_part(leased_by, ':', 2)::int FROM records_record WHERE uuid = %s AND leased_by <> ''"
RESTLESS = """
    SELECT count(*) FROM records_record r JOIN flows_flow f ON f.id = r.flow_id
    WHERE r.status = 1 OR (f.status = 'running' AND r.wake_at < now() + interval '30 seconds')
"""


@dataclass(frozen=True)
class Answer:
    """What a caller got: when it asked (seconds of the epoch), how long it took, and the status; 0 for no answer."""

    began: float
    seconds: float
    status: int


@dataclass(frozen=True)
class Outage:
    """A time in which callers may get ``statuses`` that are no success."""

    began: float
    ended: float
    statuses: frozenset[int]


class House(Installation):
    """The processes by their names; ``redis`` is the broker, or None where PostgreSQL is."""

    def __init__(self, home: Path, server: OwnServer, redis: Redis | None, receiver: Receiver) -> None:
        super().__init__(home, Database(server.url, "flowize_faults"))
        self.server = server
        self.redis = redis
        self.receiver = receiver
        self.ledger = Ledger(home / "ledger.jsonl")
        self.answers: list[Answer] = []
        self.outages: list[Outage] = []
        self.read_to: dict[Path, int] = {}

    @property
    def broker(self) -> str:
        """Its name, for reports."""
        return "Redis" if self.redis else "PostgreSQL"

    def environment(self, **changes: str) -> dict[str, str]:
        """As it is shipped, but for the broker and a lease the tests can wait for."""
        own = {"LEASE_SECONDS": str(SCALE.lease)} | ({"BROKER_URL": self.redis.url} if self.redis else {})
        return super().environment(**(own | changes))

    def launch(self, name: str, **changes: str) -> Process:
        """A process of the Procfile; ``worker2`` is a ``worker``."""
        log = self.home / f"{len(self.started)}-{name}.log"
        process = Process(COMMANDS[name.rstrip("23")], self.environment(**changes), CHECKOUT, log)
        self.started.append(process)
        return process

    def set_up(self) -> None:
        """From an empty server to a running installation with the flows of these tests."""
        self.database.create()
        self.release()
        self.acme = json.loads(self.manage("demo", "--json", "--rate-limit", "0"))
        arguments = self.acme["project_id"], self.receiver.url
        self.manage("shell", "--no-imports", "-c", f"from tests.faults.flows import add_flows; add_flows{arguments}")
        self.revive()

    def revive(self) -> None:
        """Start whatever does not run, and wait until the installation is ready."""
        self.start_the_dead()
        self.wait_ready()

    def start_the_dead(self) -> None:
        """Start whatever does not run, as a supervisor does."""
        for name in HOUSEHOLD:
            process = self.serving.get(name)
            if process and not process.is_running:
                self.kill(name)
            if name not in self.serving:
                self.start(name)

    def replace(self, *names: str, **changes: str) -> None:
        """Kill processes with their children and start others, told ``changes``."""
        for name in names:
            self.kill(name)
            self.start(name, **changes)

    def children(self, name: str) -> list[int]:
        """The processes below a serving one."""
        process = self.serving[name]
        return [pid for pid in process.members() if pid != process.pid]

    def holder(self, uuid: str) -> int:
        """The process of a worker that has a record under its lease."""
        ((pid,),) = self.database.rows(LEASE, uuid)
        assert any(pid in self.serving[name].members() for name in WORKERS if name in self.serving)
        return int(pid)

    def worker_of(self, pid: int) -> str:
        """The worker that a process belongs to."""
        return next(name for name in WORKERS if pid in self.serving[name].members())

    def kill_holder(self, uuid: str) -> None:
        """Kill the one process that has the record."""
        kill(self.holder(uuid))

    def stop_holder(self, uuid: str) -> int:
        """Let the process that has the record stand still; returns it, to be woken up."""
        pid = self.holder(uuid)
        os.kill(pid, signal.SIGSTOP)
        return pid

    @contextmanager
    def outage(self, *statuses: int) -> Iterator[None]:
        """While this lasts, and shortly after, callers may get these statuses; 0 stands for no answer."""
        began = time.time()
        try:
            yield
        finally:
            self.outages.append(Outage(began, time.time() + GRACE, frozenset(statuses)))

    def settle(self, seconds: float = SCALE.patience) -> float:
        """Wait until every record rests; how long that took. Those that are due in half a minute do not rest yet."""
        began = time.monotonic()
        wait_until(lambda: self.database.rows(RESTLESS) == [(0,)], seconds)
        return time.monotonic() - began

    def statuses(self, prefix: str) -> dict[int, int]:
        """How many of the records that ``prefix`` names, alone or as ``prefix-…``, have each status.

        Uuids that the house makes itself may begin with the same letters, and then go on with others.
        """
        count = "SELECT status, count(*) FROM records_record WHERE uuid = %s OR starts_with(uuid, %s) GROUP BY status"
        return dict(self.database.rows(count, prefix, prefix.rstrip("-") + "-"))

    def count_in(self, uuids: list[str], status: int) -> int:
        """How many of these records have a status."""
        count = "SELECT count(*) FROM records_record WHERE uuid = ANY(%s) AND status = %s"
        return int(self.database.rows(count, uuids, status)[0][0])

    def waited(self, prefix: str) -> list[float]:
        """The seconds from the insert to the end of the records whose uuid begins with ``prefix``."""
        return [
            float(seconds)
            for (seconds,) in self.database.rows(
                "SELECT extract(epoch FROM s.started_at - r.date_created) FROM records_record r"
                " JOIN records_recordstep s ON s.record_id = r.id AND s.type = 'end' WHERE starts_with(r.uuid, %s)",
                prefix,
            )
        ]

    def busy(self) -> list[int]:
        """The processes that have records."""
        busy = "SELECT DISTINCT split_part(leased_by, ':', 2)::int FROM records_record WHERE status = 1"
        return [pid for (pid,) in self.database.rows(busy)]

    def delete(self, uuid: str) -> None:
        """Remove a record, and keep the promise."""
        headers = key_headers(self.acme)
        wait_until(lambda: self.call("DELETE", f"/v1/record/{uuid}", headers).status_code == 200, 20)
        self.ledger.note("delete", uuid)

    def end_a_connection(self, dice: random.Random) -> int:
        """End one connection of the product to the database; how many that were."""
        found = self.database.rows(
            "SELECT pid FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid() ORDER BY pid",
            self.database.name,
        )
        if not found:
            return 0
        self.database.rows("SELECT pg_terminate_backend(%s)", dice.choice(found)[0])
        return 1

    def deadlocks(self) -> int:
        """How often the database had to break up statements that waited for each other."""
        seen = "SELECT deadlocks FROM pg_stat_database WHERE datname = %s"
        return int(self.database.rows(seen, self.database.name)[0][0])

    def end_workers(self) -> None:
        """Kill both workers."""
        for name in WORKERS:
            self.kill(name)

    def forget_messages(self) -> int:
        """Let the broker lose everything it has; how many messages that were."""
        if self.redis:
            lost = int(self.redis.command("llen", "flowize"))
            self.redis.command("flushall")
            return lost
        return int(self.database.rows("SELECT pgmq.purge_queue('flowize')")[0][0])

    def logs_of(self, *names: str) -> str:
        """What the processes that serve under these names have said."""
        return "\n".join(self.serving[name].log.read_text(errors="replace") for name in names)

    def row_of(self, uuid: str) -> list[tuple[Any, ...]]:
        """A record with its document and the size of its trace, to be compared."""
        return self.database.rows(
            "SELECT r.*, d.*, (SELECT count(*) FROM records_recordstep s WHERE s.record_id = r.id)"
            " FROM records_record r JOIN records_recorddata d ON d.record_id = r.id WHERE r.uuid = %s",
            uuid,
        )

    def attempts_of(self, uuids: list[str]) -> set[int]:
        """The numbers of passes these records have taken."""
        return {
            runs for (runs,) in self.database.rows("SELECT num_runs FROM records_record WHERE uuid = ANY(%s)", uuids)
        }

    def limit_memory(self, name: str, size: int) -> None:
        """No process of a serving one may have more than ``size`` bytes; those it starts later neither."""
        for pid in self.serving[name].members():
            resource.prlimit(pid, resource.RLIMIT_AS, (size, size))

    def set_flow(self, status: str, name: str = DELIVER) -> None:
        """Pause or resume a flow past the product's own ways."""
        self.database.rows("UPDATE flows_flow SET status = %s WHERE name = %s", status, name)

    def ring(self, times: int) -> None:
        """Send the message of the bell that often."""
        code = f"from flowize.celery import app; [app.send_task('records.drain') for _ in range({times})]"
        self.manage("shell", "--no-imports", "-c", code)

    def fresh_logs(self) -> str:
        """What the processes have said since this was last asked."""
        said = []
        for log in {process.log for process in self.started}:
            text = log.read_bytes()
            said.append(text[self.read_to.get(log, 0) :].decode(errors="replace"))
            self.read_to[log] = len(text)
        return "\n".join(said)

    def tear_down(self) -> None:
        """End everything."""
        self.stop()
        self.ledger.close()
