"""``manage.py up``: a whole installation from nothing, in the foreground."""

import contextlib
import errno
import http.client
import io
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from honcho.environ import parse_procfile

from flowize.management.processes import Processes
from flowize.postgres import PostgresUnavailable, PrivateServer

NAMES = ("web", "worker", "beat")
ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what such a server is reached by


class Command(BaseCommand):
    """Starts the private PostgreSQL if DATABASE_URL is unset, prepares the database, and runs web, worker and beat."""

    help = "Run everything in the foreground: PostgreSQL (when DATABASE_URL is unset), web, worker and beat."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Whether to build the demonstration organization."""
        parser.add_argument("--no-demo", action="store_true", help="leave the demonstration organization as it is")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until Ctrl-C, SIGTERM or the end of one of the processes; its exit code becomes ours."""
        _require_free_port()
        signal.signal(signal.SIGTERM, _exit)
        try:
            with PrivateServer(settings.FLOWIZE_HOME) if settings.EMBEDDED else contextlib.nullcontext():
                code = self._run(demo=not options["no_demo"])
        except PostgresUnavailable as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            code = 128 + signal.SIGINT
        sys.exit(code)

    def _run(self, demo: bool) -> int:
        call_command("migrate", interactive=False, skip_checks=False)
        call_command("install_broker")
        greeting = io.StringIO()
        if demo:
            call_command("demo", stdout=greeting)
        connection.close()
        greeting.write(f"\nFlowize answers on {settings.PUBLIC_URL} - Ctrl-C ends it.\n")
        return _serve(greeting.getvalue())


def _serve(greeting: str) -> int:
    commands = dict(parse_procfile((settings.BASE_DIR / "Procfile").read_text()).processes)
    search = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    environment = os.environ | {
        "PATH": search,
        "PORT": str(settings.PORT),
        "FLOWIZE_HOME": str(settings.FLOWIZE_HOME),
        "PYTHONUNBUFFERED": "1",
    }
    processes = Processes({name: commands[name] for name in NAMES}, environment, settings.BASE_DIR)
    ended = threading.Event()
    # Said once the server answers, or the lines of its start would push it out of sight.
    threading.Thread(target=_greet, args=(lambda: processes.say(greeting), ended), daemon=True).start()
    try:
        return processes.run()
    finally:
        ended.set()


def _greet(greet: Callable[[], None], ended: threading.Event) -> None:
    while not ended.wait(0.3):
        if _is_served():
            return greet()
    return None


def _is_served() -> bool:
    host = _host()
    client = http.client.HTTPConnection(ANYWHERE.get(host, host), settings.PORT, timeout=5)
    try:
        client.request("GET", "/healthz", headers={"Host": urlsplit(settings.PUBLIC_URL).netloc})
        return client.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        client.close()


def _host() -> str:
    return os.environ.get("HOST", "127.0.0.1")


def _require_free_port() -> None:
    host = _host()
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, settings.PORT), family=family).close()
    except OSError as error:
        reason = "it is in use" if error.errno == errno.EADDRINUSE else error.strerror
        raise CommandError(
            f"Cannot listen on port {settings.PORT} of {host}: {reason}. Name another one with PORT=8001."
        ) from error


def _exit(number: int, frame: FrameType | None) -> NoReturn:
    # Leaves through the context managers, so that PostgreSQL is stopped.
    sys.exit(128 + number)
