"""A whole installation as it is shipped: the lines of the Procfile, on a database and a port of their own."""

import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import requests
from honcho.environ import parse_procfile

from flowize.demo.content import SAMPLE
from tests.server.database import Database
from tests.server.process import Process, wait_until
from tests.server.stock import FLOW_NAME

CHECKOUT = Path(__file__).resolve().parents[2]
COMMANDS: dict[str, str] = dict(parse_procfile((CHECKOUT / "Procfile").read_text()).processes)
SERVING = ("web", "worker", "beat")
LEASE_SECONDS = 4
FINISHED = "Finished"

Demo = dict[str, str]


class Installation:
    """web, worker and beat on one database; each may be ended, killed and started again by its name."""

    def __init__(self, home: Path, database: Database) -> None:
        self.home = home
        self.database = database
        self.port = free_port()
        self.base_url = f"http://127.0.0.1:{self.port}"
        self.serving: dict[str, Process] = {}
        self.started: list[Process] = []
        self.issued: list[str] = []
        self.acme: Demo = {}
        self.rival: Demo = {}
        self.elsewhere_app_key = ""

    def environment(self, **changes: str) -> dict[str, str]:
        """What the processes are told; nothing of the test run's own settings."""
        return {
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            "FLOWIZE_HOME": str(self.home),
            "DATABASE_URL": self.database.url,
            "PORT": str(self.port),
            "EGRESS_ALLOW": "127.0.0.0/8",
            "LEASE_SECONDS": str(LEASE_SECONDS),
            "PYTHONUNBUFFERED": "1",
        } | changes

    def launch(self, name: str, **changes: str) -> Process:
        """A process of the Procfile beside those that serve."""
        log = self.home / f"{len(self.started)}-{name}.log"
        process = Process(COMMANDS[name], self.environment(**changes), CHECKOUT, log)
        self.started.append(process)
        return process

    def start(self, *names: str, **changes: str) -> None:
        """Start serving processes that do not run."""
        for name in names:
            assert name not in self.serving
            self.serving[name] = self.launch(name, **changes)

    def end(self, name: str) -> int:
        """Ask a serving process to end; its exit code."""
        return self.serving.pop(name).end()

    def kill(self, name: str) -> None:
        """Kill a serving process with all its children."""
        self.serving.pop(name).kill()

    def restart_worker(self, **changes: str) -> None:
        """Kill the worker with its children and start another."""
        self.kill("worker")
        self.start("worker", **changes)

    def stop(self) -> None:
        """End everything that was ever started here."""
        for process in self.started:
            process.kill()

    def release(self) -> None:
        """Prepare the database."""
        assert self.launch("release").wait(90) == 0, self.logs()

    def manage(self, *arguments: str) -> str:
        """What a ``manage.py`` command prints."""
        command = [sys.executable, str(CHECKOUT / "manage.py"), *arguments]
        result = subprocess.run(command, env=self.environment(), capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stderr
        return result.stdout

    def wait_ready(self, path: str = "/readyz", port: int | None = None) -> None:
        """Wait for the web server to answer 200."""
        url = f"http://127.0.0.1:{port or self.port}{path}"
        wait_until(lambda: _status(url) == 200, 60)

    def logs(self) -> str:
        """Everything that the processes have said."""
        return "\n".join(process.log.read_text(errors="replace") for process in self.started)

    def call(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: Any = None,
        port: int | None = None,
    ) -> requests.Response:
        """One request on a connection of its own; ``body`` is sent as JSON."""
        url = f"http://127.0.0.1:{port or self.port}{path}"
        return requests.request(method, url, headers=headers, json=body, timeout=20)

    def insert(self, uuid: str, *, delay: float = 0.0, port: int | None = None) -> requests.Response:
        """Insert a record of Acme's that calls the sink, which is to answer after ``delay`` seconds."""
        headers = key_headers(self.acme) | {"X-Flow": FLOW_NAME, "X-Uuid": uuid}
        return self.call("POST", "/v1/record", headers, SAMPLE | {"delay": delay}, port)

    def shown(self, uuid: str) -> dict[str, Any]:
        """A record of Acme's as callers see it."""
        answer = self.call("GET", f"/v1/record/{uuid}", key_headers(self.acme))
        assert answer.status_code == 200, answer.text
        resource: dict[str, Any] = answer.json()["resource"]
        return resource

    def wait_finished(self, *uuids: str, seconds: float = 20) -> None:
        """Wait for records of Acme's to come to their end."""
        count = "SELECT count(*) FROM records_record WHERE uuid = ANY(%s) AND status = 2"
        wait_until(lambda: self.database.rows(count, list(uuids)) == [(len(uuids),)], seconds)

    def trace_of(self, uuid: str) -> list[tuple[int, str]]:
        """The steps in the journal of a record: number and object."""
        return self.database.rows(
            "SELECT s.seq, s.object FROM records_recordstep s JOIN records_record r ON r.id = s.record_id"
            " WHERE r.uuid = %s ORDER BY s.run_no, s.seq, s.attempt",
            uuid,
        )

    def token(self, tenant: Demo) -> str:
        """A fresh access token of a tenant's application."""
        answer = self.call("GET", "/v1/checkauthentication", client_headers(tenant)).json()["resource"]
        self.issued += [answer["access_token"], answer["refresh_token"]]
        return str(answer["access_token"])


def key_headers(tenant: Demo) -> dict[str, str]:
    """The keys of the application with all scopes."""
    return {"X-Apikey": tenant["api_key"], "X-App": tenant["app_key"]}


def client_headers(tenant: Demo) -> dict[str, str]:
    """What buys a token."""
    return {
        "client_id": tenant["client_id"],
        "client_secret": tenant["client_secret"],
        "grant_type": "client_credentials",
    }


def secrets_of(tenant: Demo) -> list[str]:
    """What must never be seen again."""
    return [tenant[name] for name in ("api_key", "organization_api_key", "client_secret", "password")]


def free_port() -> int:
    """A port nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


def _status(url: str) -> int:
    try:
        return requests.get(url, timeout=10).status_code
    except requests.RequestException:
        return 0
