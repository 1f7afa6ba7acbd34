"""The apps for keystores and tables: as callers know them, and together with the record's checkpoint or not at all."""

import os
import signal
import subprocess
import sys
import threading
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.conf import settings
from django.db import connection, connections

from apps.keystores.models import Keystore, KeystoreItem
from apps.records import checkpoints
from apps.records.execution import drain
from apps.records.models import Record, RecordStep, Status
from apps.tables import services as tables
from tests.conftest import Tenant, publish
from tests.keystores.conftest import LONDON, STRUCTURE, fill, make_keystore, stored
from tests.records.conftest import ADULT, flow_of, insert, make_due, steps
from tests.tables.conftest import make_table

pytestmark = pytest.mark.django_db
for_real = pytest.mark.django_db(transaction=True)


def run(
    tenant: Tenant, app: str, data: Any = ADULT, ports: tuple[str, ...] = ("ok", "missing"), **config: Any
) -> Record:
    """A record of a flow with that one app, after it has run."""
    act = {"type": "app", "app": app, "with": config, "retry": {"max": 0}, "next": dict.fromkeys(ports, "end")}
    name = f"acting-{Record.objects.count()}"
    publish(tenant, flow_of(name, act=act))
    record = insert(tenant, data, flow=name)
    drain()
    return Record.objects.select_related("content").get(pk=record.pk)


def hidden(name: str) -> str:
    """The name as a template, which nobody judges before a record comes by."""
    return f"{{{{ '{name}' }}}}"


def outcome(record: Record) -> tuple[str, Any, Any]:
    """The port it left the app by, its output, and the variables."""
    step = RecordStep.objects.get(record=record, object="act")
    return step.port, step.output, record.content.vars


def failure(record: Record) -> tuple[str, str]:
    assert record.status == Status.FAILED
    return record.error_code, record.error_text


@pytest.fixture
def weather(acme: Tenant) -> Keystore:
    keystore = make_keystore(acme)
    fill(keystore, london=LONDON)
    return keystore


@pytest.fixture
def people(acme: Tenant) -> Any:
    make_table(acme, "people", username="text", age="integer", seen="datetime")
    return lambda: [
        {"username": row.values["username"], "age": row.values["age"]}
        for row in tables.search_rows(acme.caller, "people").rows
    ]


# --- Keystores --------------------------------------------------------------------------------------------------


def test_a_key_is_read(acme: Tenant, weather: Keystore) -> None:
    record = run(acme, "core.keystore.get", {"city": "london"}, keystore="weather", key="{{ city }}", save_to="now")
    assert outcome(record) == ("ok", LONDON, {"now": LONDON})


def test_a_missing_key_has_a_port_of_its_own_and_is_not_made(acme: Tenant, weather: Keystore) -> None:
    record = run(acme, "core.keystore.get", keystore="weather", key="paris", save_to="now")
    assert outcome(record) == ("missing", None, {"now": None})
    assert stored(weather) == {"london": LONDON}


def test_a_missing_key_is_made_with_the_structure_when_asked(acme: Tenant, weather: Keystore) -> None:
    record = run(acme, "core.keystore.get", keystore="weather", key="paris", create=True, save_to="now")
    assert outcome(record) == ("ok", STRUCTURE, {"now": STRUCTURE})
    assert stored(weather) == {"london": LONDON, "paris": STRUCTURE}


def test_a_key_is_written_whole(acme: Tenant, weather: Keystore) -> None:
    value = {"temp": "{{ client.age }}"}
    assert (
        outcome(run(acme, "core.keystore.put", ports=("ok",), keystore="weather", key="london", value=value))[0] == "ok"
    )
    run(acme, "core.keystore.put", {"n": 7}, ports=("ok",), keystore="weather", key="{{ n }}", value=None)
    assert stored(weather) == {"london": {"temp": 30}, "7": None}


def test_a_raw_keystore_keeps_texts(acme: Tenant) -> None:
    letters = make_keystore(acme, "letters", kind="raw", structure="")
    run(acme, "core.keystore.put", ports=("ok",), keystore="letters", key="a", value="Dear {{ client.age }}")
    run(acme, "core.keystore.put", ports=("ok",), keystore="letters", key="b", value={"a": 1})
    assert stored(letters) == {"a": "Dear 30", "b": '{"a":1}'}
    assert outcome(run(acme, "core.keystore.get", keystore="letters", key="a"))[1] == "Dear 30"


def test_a_key_is_removed_once(acme: Tenant, weather: Keystore) -> None:
    ports = [outcome(run(acme, "core.keystore.delete", keystore="weather", key="london"))[0] for _ in range(2)]
    assert ports == ["ok", "missing"]
    assert stored(weather) == {}


@pytest.mark.parametrize("app", ["core.keystore.get", "core.keystore.put", "core.keystore.delete"])
@pytest.mark.parametrize("keystore", ["gone", "rivals", "no name"])
def test_a_keystore_of_nobody_or_of_somebody_else_is_not_found(
    acme: Tenant, rival: Tenant, app: str, keystore: str
) -> None:
    theirs = make_keystore(rival, "rivals")
    fill(theirs, london=LONDON)
    more = {"value": 1} if app.endswith("put") else {}
    ports = ("ok",) if more else ("ok", "missing")
    record = run(acme, app, ports=ports, keystore=hidden(keystore), key="london", **more)
    assert failure(record) == ("not_found", "There is no such keystore.")
    assert stored(theirs) == {"london": LONDON}


@pytest.mark.parametrize("key", ["a/b", "..", "a\nb", "{{ client.none }}"])
def test_what_is_no_key_is_refused(acme: Tenant, weather: Keystore, key: str) -> None:
    record = run(acme, "core.keystore.put", ports=("ok",), keystore="weather", key=key, value=1)
    assert failure(record)[0] in ("bad_request", "config")
    assert stored(weather) == {"london": LONDON}


# --- Tables -----------------------------------------------------------------------------------------------------


def test_a_row_is_inserted(acme: Tenant, people: Any) -> None:
    values = {"username": "ada {{ client.age }}", "age": "{{ client.age }}", "seen": "2026-01-15T12:00:00+00:00"}
    port, output, variables = outcome(
        run(acme, "core.table.insert", ports=("ok",), table="people", values=values, save_to="row")
    )
    row = tables.search_rows(acme.caller, "people").rows[0]
    shown = {"id": str(row.id), "username": "ada 30", "age": 30, "seen": "2026-01-15 13:00:00"}
    assert port == "ok"
    assert shown.items() <= output.items()
    assert set(output) == {*shown, "date_created", "date_updated"}
    assert variables == {"row": output}


def test_rows_are_found(acme: Tenant, people: Any) -> None:
    for name, age in (("ada", 30), ("bob", 20), ("eve", 40)):
        tables.insert_row(acme.caller, "people", {"username": name, "age": age})
    where = {"rules": [{"field": "age", "operator": ">=", "value": "{{ client.age }}"}]}
    more = {"order_field": "age", "order_type": "DESC", "limit": 1}
    port, output, variables = outcome(
        run(acme, "core.table.select", table="people", where=where, save_to="found", **more)
    )
    assert (port, output["matches"], [row["username"] for row in output["rows"]]) == ("ok", 2, ["eve"])
    assert variables == {"found": output}


def test_no_rows_have_a_port_of_their_own(acme: Tenant, people: Any) -> None:
    assert outcome(run(acme, "core.table.select", table="people", save_to="found")) == (
        "missing",
        {"rows": [], "matches": 0},
        {"found": {"rows": [], "matches": 0}},
    )


def test_rows_are_changed(acme: Tenant, people: Any) -> None:
    for name in ("ada", "bob", "ada"):
        tables.insert_row(acme.caller, "people", {"username": name, "age": 1})
    where = {"rules": [{"field": "username", "operator": "=", "value": "ada"}]}
    change = {"table": "people", "values": {"age": "{{ client.age }}"}, "save_to": "result"}
    assert outcome(run(acme, "core.table.update", where=where, **change)) == (
        "ok",
        {"changed": 2},
        {"result": {"changed": 2}},
    )
    assert people() == [{"username": n, "age": a} for n, a in (("ada", 30), ("bob", 1), ("ada", 30))]
    bob = tables.search_rows(acme.caller, "people").rows[1].id
    assert outcome(run(acme, "core.table.update", id=bob, **change))[0] == "ok"
    nobody = {"rules": [{"field": "username", "operator": "=", "value": "zoe"}]}
    assert outcome(run(acme, "core.table.update", where=nobody, **change))[:2] == ("missing", {"changed": 0})
    assert outcome(run(acme, "core.table.update", id=bob + 5, **change))[:2] == ("missing", {"changed": 0})


def test_a_row_is_removed_once(acme: Tenant, people: Any) -> None:
    _, row = tables.insert_row(acme.caller, "people", {"username": "ada"})
    ports = [
        outcome(run(acme, "core.table.delete", {"row": str(row.id)}, table="people", id="{{ row }}"))[0]
        for _ in range(2)
    ]
    assert ports == ["ok", "missing"]
    assert people() == []


@pytest.mark.parametrize(
    ("app", "config"),
    [
        ("core.table.insert", {"values": {"username": "x"}}),
        ("core.table.select", {}),
        ("core.table.update", {"values": {"username": "x"}, "id": 1}),
        ("core.table.delete", {"id": 1}),
    ],
)
def test_a_table_of_nobody_or_of_somebody_else_is_not_found(
    acme: Tenant, rival: Tenant, app: str, config: dict[str, Any]
) -> None:
    make_table(rival, "rivals", username="text")
    tables.insert_row(rival.caller, "rivals", {"username": "kept"})
    ports = ("ok",) if app.endswith("insert") else ("ok", "missing")
    for table in ("gone", "rivals", "a b"):
        assert failure(run(acme, app, ports=ports, table=hidden(table), **config)) == (
            "not_found",
            f"There is no table '{table}'.",
        )
    assert [row.values for row in tables.search_rows(rival.caller, "rivals").rows] == [{"username": "kept"}]


@pytest.mark.parametrize(
    ("app", "config", "message"),
    [
        ("core.table.insert", {"values": {"size": 1}}, "The table people has no column 'size'."),
        ("core.table.insert", {"values": {"age": "old"}}, "age must be a whole number"),
        ("core.table.insert", {"values": {"id": 5}}, "id is set by the system and cannot be written."),
        ("core.table.update", {"values": {"age": 1}}, "Name the rows to change"),
        ("core.table.update", {"values": {"age": 1}, "where": {"rules": []}}, "Name the rows to change"),
        ("core.table.select", {"where": {"rules": [{"field": "size", "operator": "=", "value": 1}]}}, ""),
        ("core.table.select", {"limit": "ten"}, ""),
    ],
)
def test_faults_are_those_of_the_api(acme: Tenant, people: Any, app: str, config: dict[str, Any], message: str) -> None:
    ports = ("ok",) if app.endswith("insert") else ("ok", "missing")
    code, text = failure(run(acme, app, ports=ports, table="people", **config))
    assert (code, text[: len(message)]) == ("bad_request", message)
    assert people() == []


def test_a_search_that_takes_too_long_is_an_error_that_a_flow_can_try_again(
    acme: Tenant, people: Any, settings: Any
) -> None:
    for _ in range(200):
        tables.insert_row(acme.caller, "people", {"username": "a" * 2000})
    settings.TABLE_SEARCH_SECONDS = 0.001
    where = {
        "rules": [
            {"field": "username", "operator": "contains", "value": "b" + "a" * 50 * (n % 3 + 1)} for n in range(40)
        ]
    }
    code, _ = failure(run(acme, "core.table.select", table="people", where=where | {"condition": "OR"}))
    assert code == "request_timeout"


# --- Together with the checkpoint -------------------------------------------------------------------------------


def counting_flow() -> dict[str, Any]:
    row = {
        "type": "app",
        "app": "core.table.insert",
        "with": {"table": "people", "values": {"username": "{{ client.name }}"}},
    }
    key = {"type": "app", "app": "core.keystore.put", "with": {"keystore": "weather", "key": "done", "value": True}}
    return flow_of("counting", row=row | {"next": {"ok": "key"}}, key=key | {"next": {"ok": "end"}})


@for_real
@pytest.mark.parametrize("dies", [1, 2])
def test_a_worker_that_dies_before_a_commit_leaves_neither_row_nor_step(
    acme: Tenant, people: Any, weather: Keystore, monkeypatch: pytest.MonkeyPatch, dies: int
) -> None:
    """The checkpoint of the first or of the second app never comes; another worker does the whole of it, once."""
    publish(acme, counting_flow())
    record = insert(acme, {"client": {"name": "ada"}}, flow="counting")
    real, written = checkpoints._step_values, []

    def dying(run_no: int, done: Any) -> Any:
        written.append(done)
        if len(written) == dies:
            raise KeyboardInterrupt
        return real(run_no, done)

    monkeypatch.setattr(checkpoints, "_step_values", dying)
    with pytest.raises(KeyboardInterrupt):
        drain()
    record.refresh_from_db()
    kept = [object_ for _, _, object_, _ in steps(record)]
    assert len(people()) == kept.count("row") == dies - 1
    assert "done" not in stored(weather)
    make_due(record)
    drain()
    record.refresh_from_db()
    assert record.status == Status.FINISHED
    assert people() == [{"username": "ada", "age": None}]
    assert stored(weather)["done"] is True
    assert [seq for seq, *_ in steps(record)] == [1, 2, 3, 4]


def database_url() -> str:
    """The test's database, for another process."""
    found = connection.settings_dict
    options = found["OPTIONS"]
    words = {"host": found["HOST"] or options.get("host", ""), "port": found["PORT"] or options.get("port", "")}
    owner = f"{quote(found['USER'])}:{quote(found['PASSWORD'] or '')}".removesuffix(":")
    return f"postgresql://{owner}@/{found['NAME']}?{urlencode({key: value for key, value in words.items() if value})}"


@for_real
def test_a_killed_worker_leaves_both_row_and_step_or_neither(acme: Tenant, people: Any, weather: Keystore) -> None:
    """Killed after the row was inserted and before the checkpoint of the same transaction."""
    publish(acme, counting_flow())
    record = insert(acme, {"client": {"name": "ada"}}, flow="counting")
    environment = os.environ | {"DATABASE_URL": database_url(), "FLOWIZE_FAILPOINTS": "before-checkpoint=kill"}
    work = [sys.executable, "manage.py", "shell", "-c", "from apps.records.execution import drain; drain()"]
    worker = subprocess.run(work, cwd=settings.BASE_DIR, env=environment, capture_output=True, check=False)
    assert worker.returncode == -signal.SIGKILL, worker.stderr.decode()
    record.refresh_from_db()
    assert (record.status, record.claims) == (Status.PROCESSING, 1)
    assert (people(), steps(record)) == ([], [])
    make_due(record)
    drain()
    assert people() == [{"username": "ada", "age": None}]
    assert [seq for seq, *_ in steps(record)] == [1, 2, 3, 4]


@for_real
def test_a_worker_whose_lease_has_gone_writes_no_row(acme: Tenant, people: Any, weather: Keystore) -> None:
    from apps.flows.engine.walk import advance
    from apps.flows.selectors import program
    from apps.records.claims import claim_due
    from apps.records.inside import carry_out
    from apps.records.runs import Run

    publish(acme, counting_flow())
    record = insert(acme, {"client": {"name": "ada"}}, flow="counting")
    (claimed,) = claim_due("slow:1", 10)
    late = Run.of(claimed)
    call, done = advance(program(claimed.version_id), late.token, late.host)
    make_due(record)
    drain()
    assert carry_out(late, call, done) is None
    assert people() == [{"username": "ada", "age": None}]


@for_real
def test_many_records_write_one_key_at_once(acme: Tenant, weather: Keystore) -> None:
    act = {
        "type": "app",
        "app": "core.keystore.put",
        "with": {"keystore": "weather", "key": "last", "value": "{{ n }}"},
    }
    publish(acme, flow_of("racing", act=act | {"next": {"ok": "end"}}))
    for n in range(20):
        insert(acme, {"n": n}, flow="racing")

    def work() -> None:
        try:
            drain()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Record.objects.filter(status=Status.FINISHED).count() == 20
    assert KeystoreItem.objects.get(key="last").version == 20
