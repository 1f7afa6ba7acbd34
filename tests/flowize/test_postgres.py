"""The private PostgreSQL, started for real in homes of its own."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import environ
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from flowize import postgres
from flowize.postgres import PostgresUnavailable, PrivateServer

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    home = tmp_path / "private" / "home"
    home.parent.mkdir(mode=0o700)
    yield home
    if postgres.socket_dir(home).exists():
        postgres.socket_dir(home).rmdir()


@pytest.fixture
def server(home: Path) -> Iterator[PrivateServer]:
    """A server of the home that is fast and gone after the test."""
    server = PrivateServer(home, fsync=False)
    yield server
    server.stop()


def ask(home: Path, question: str) -> object:
    with psycopg.connect(postgres.url(home), autocommit=True) as connection:
        cursor = connection.execute(question)
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None


def postmaster(home: Path) -> int:
    (pid_file,) = home.glob("pg*/postmaster.pid")
    return int(pid_file.read_text().splitlines()[0])


def lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def ends(pid: int) -> bool:
    """A process that has ended may stay visible until its new parent took note."""
    deadline = time.monotonic() + 10
    while lives(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not lives(pid)


def start_elsewhere(home: Path, *, prefix: tuple[str, ...] = ()) -> subprocess.Popen[str]:
    """Another process that starts the home's server, answers a query, and stops when its input closes."""
    program = (
        "import sys, psycopg; from pathlib import Path; from flowize import postgres\n"
        "home = Path(sys.argv[1])\n"
        "with postgres.PrivateServer(home, fsync=False):\n"
        "    with psycopg.connect(postgres.url(home)) as connection:\n"
        "        print(connection.execute('SELECT 6 * 7').fetchone()[0], flush=True)\n"
        "    sys.stdin.read()\n"
    )
    return subprocess.Popen(
        [*prefix, sys.executable, "-c", program, str(home)],
        cwd=CHECKOUT,
        env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(CHECKOUT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_url_means_the_same_socket_to_django_and_to_libpq(tmp_path: Path) -> None:
    folder = str(postgres.socket_dir(tmp_path))
    url = postgres.url(tmp_path, "other")

    django = environ.Env.db_url_config(url)

    assert (django["ENGINE"], django["NAME"], django["USER"]) == (
        "django.db.backends.postgresql",
        "other",
        "flowize",
    )
    assert (django["HOST"], django["OPTIONS"]) == ("", {"host": folder, "port": 5432})
    expected = {"host": folder, "port": "5432", "user": "flowize", "dbname": "other"}
    assert conninfo_to_dict(url) == expected
    assert conninfo_to_dict(postgres.conninfo(url)) == expected


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (
            "psql://u:p%40s%20s@db.example:6432/app?sslmode=require&conn_max_age=60",
            {"host": "db.example", "port": "6432", "user": "u", "password": "p@s s", "dbname": "app"}
            | {"sslmode": "require"},
        ),
        ("postgres:////var/run/postgresql/app", {"host": "/var/run/postgresql", "dbname": "app"}),
        ("postgresql:///app", {"dbname": "app"}),
    ],
)
def test_conninfo_says_in_words_what_a_database_url_says(url: str, words: dict[str, str]) -> None:
    assert conninfo_to_dict(postgres.conninfo(url)) == words


def test_socket_path_stays_within_the_limit_and_differs_between_homes() -> None:
    long = Path("/", *["x" * 200] * 5)
    folder = postgres.socket_dir(long)

    assert len(os.fsencode(folder / ".s.PGSQL.5432")) <= 107
    assert folder != postgres.socket_dir(long / "y")
    assert folder == postgres.socket_dir(long / "y" / "..")


def test_started_server_has_the_database_as_flowize_needs_it(home: Path) -> None:
    with PrivateServer(home):
        assert ask(home, "SELECT current_user || '/' || current_database()") == "flowize/flowize"
        assert ask(home, "SHOW server_encoding") == "UTF8"
        assert ask(home, "SHOW timezone") == "UTC"
        assert ask(home, "SHOW max_connections") == "200"
        assert ask(home, "SHOW listen_addresses") == ""
        assert ask(home, "SHOW fsync") == "on"
        assert ask(home, "SELECT lower('ÀÉ') || ('a' > 'B')") == "àétrue"
        assert postgres.socket_dir(home).stat().st_mode & 0o777 == 0o700


def test_server_without_fsync_is_one(home: Path, server: PrivateServer) -> None:
    server.start()

    assert ask(home, "SHOW fsync") == "off"


def test_home_with_a_very_long_path_is_served(home: Path) -> None:
    deep = home / ("x" * 120) / ("y" * 120)
    with PrivateServer(deep, fsync=False):
        assert ask(deep, "SELECT 1") == 1


def test_second_start_changes_nothing_and_a_restart_keeps_the_data(home: Path, server: PrivateServer) -> None:
    server.start()
    first = postmaster(home)
    ask(home, "CREATE TABLE kept AS SELECT 7 AS n")

    server.start()
    assert postmaster(home) == first

    server.stop()
    assert ends(first)
    assert not postgres.socket_dir(home).exists()

    server.start()
    assert ask(home, "SELECT n FROM kept") == 7


def test_killed_server_is_taken_over_with_its_data(home: Path, server: PrivateServer) -> None:
    server.start()
    ask(home, "CREATE TABLE kept AS SELECT 7 AS n")
    killed = postmaster(home)

    os.kill(killed, signal.SIGKILL)
    server.start()

    assert postmaster(home) != killed
    assert ask(home, "SELECT n FROM kept") == 7


def test_process_number_that_another_program_got_is_no_running_server(home: Path, server: PrivateServer) -> None:
    with PrivateServer(home, fsync=False):
        pass
    (data,) = home.glob("pg*")
    sleeper = subprocess.Popen(["sleep", "60"])
    try:
        (data / "postmaster.pid").write_text(f"{sleeper.pid}\n{data}\n{int(time.time())}\n5432\n\n\n\n")
        server.start()
        assert ask(home, "SELECT 1") == 1
        assert sleeper.poll() is None
    finally:
        sleeper.kill()
        sleeper.wait()


def test_interrupted_creation_is_begun_again(home: Path, server: PrivateServer) -> None:
    with PrivateServer(home, fsync=False):
        pass
    (data,) = home.glob("pg*")
    half = data.with_name(f"new-{data.name}")
    data.rename(half)
    (half / "PG_VERSION").unlink()

    server.start()

    assert ask(home, "SELECT 1") == 1
    assert not half.exists()


def test_starters_at_the_same_time_share_one_server(home: Path) -> None:
    starters = [start_elsewhere(home) for _ in range(3)]
    try:
        answers = [starter.stdout.readline() for starter in starters if starter.stdout]
        assert answers == ["42\n"] * 3
        pid = postmaster(home)
    finally:
        for starter in starters:
            starter.communicate(timeout=60)
    assert [starter.returncode for starter in starters] == [0, 0, 0]
    assert ends(pid)


def test_server_runs_on_while_another_process_uses_it(home: Path) -> None:
    other = start_elsewhere(home)
    try:
        assert other.stdout
        assert other.stdout.readline() == "42\n"
        with PrivateServer(home, fsync=False):
            pid = postmaster(home)
        assert lives(pid)
        assert ask(home, "SELECT 1") == 1
    finally:
        other.communicate(timeout=60)
    assert ends(pid)


def test_user_killed_without_warning_does_not_count_as_one(home: Path) -> None:
    other = start_elsewhere(home)
    assert other.stdout
    assert other.stdout.readline() == "42\n"
    pid = postmaster(home)
    other.kill()
    other.communicate(timeout=60)
    assert lives(pid)

    with PrivateServer(home, fsync=False):
        assert postmaster(home) == pid

    assert ends(pid)


def test_ordinary_user_can_run_it() -> None:
    if os.geteuid() != 0:
        pytest.skip("already an ordinary user: the other tests show it")
    if shutil.which("setpriv") is None:
        pytest.skip("setpriv is needed to become another user")
    prefix = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups")
    if subprocess.run([*prefix, sys.executable, "-c", "import psycopg"], cwd="/", check=False).returncode:
        pytest.skip("user 65534 may not read this checkout")
    with tempfile.TemporaryDirectory() as folder:
        os.chown(folder, 65534, 65534)
        other = start_elsewhere(Path(folder, "home"), prefix=prefix)
        assert other.stdout
        answer = other.stdout.readline()
        owner = postgres.socket_dir(Path(folder, "home")).stat().st_uid if answer else None
        _, error = other.communicate(timeout=60)
    assert (answer, owner, error) == ("42\n", 65534, "")


def test_folder_of_programs_without_programs_is_refused(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PG_BIN", str(tmp_path))

    with pytest.raises(PostgresUnavailable, match=r"PG_BIN=.* holds no PostgreSQL 14 or newer\. Set DATABASE_URL"):
        PrivateServer(home).start()


def test_data_of_a_version_that_is_not_there_is_never_replaced_by_an_empty_database(home: Path) -> None:
    (home / "pg9").mkdir(parents=True)
    (home / "pg9" / "PG_VERSION").write_text("9\n")

    with pytest.raises(PostgresUnavailable, match="holds data of PostgreSQL 9, and only"):
        PrivateServer(home).start()

    assert [folder.name for folder in home.glob("pg*")] == ["pg9"]


def test_socket_folder_open_to_others_is_refused(home: Path) -> None:
    folder = postgres.socket_dir(home)
    folder.mkdir(mode=0o755)

    with pytest.raises(PostgresUnavailable, match="open to others"):
        PrivateServer(home).start()


def test_broken_data_folder_is_reported_with_the_servers_own_words(home: Path) -> None:
    with PrivateServer(home, fsync=False):
        pass
    (data,) = home.glob("pg*")
    (data / "global" / "pg_control").unlink()

    with pytest.raises(PostgresUnavailable, match="pg_control"):
        PrivateServer(home, fsync=False).start()
