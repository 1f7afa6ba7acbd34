"""Copying a million keys and a million rows, each action as a ratio to a plain INSERT … SELECT of the same rows.

    python -m bench.copying [ROWS [ROUNDS]]

Floor and copy take turns on one private PostgreSQL; the median of the rounds, three by default, counts. Each action is
measured on an empty target, and those that meet rows also where every row is there already and differs.
"""

import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any


def main(rows: int = 1_000_000, rounds: int = 3) -> None:
    """Prepare, measure, print one line an action."""
    with _installation():
        from apps.accounts.models import Organization, Project, Role, Workspace
        from apps.applications.members import member_caller

        project = Project.objects.create(organization=Organization.objects.create(name="bench"), name="bench")
        here, there, floor = (
            member_caller(Workspace.objects.create(project=project, api_host=host), Role.OWNER) for host in "abc"
        )
        print(f"{rows} rows, median of {rounds} rounds; memory of this process in MiB")
        for subject in (Keys(here, there, floor, rows), Rows(here, there, floor, rows)):
            _measure(subject, rounds)


class Keys:
    """A keystore in three workspaces: the source, the target, and the one that plain statements fill."""

    name = "keystore"

    def __init__(self, here: Any, there: Any, floor: Any, rows: int) -> None:
        from apps.keystores.models import Keystore

        self.source, self.target, self.floor = (
            Keystore.objects.create(workspace_id=caller.workspace_id, identifier="bench").pk
            for caller in (here, there, floor)
        )
        _execute(
            "INSERT INTO keystores_keystoreitem (keystore_id, key, data, version, date_created, date_modified) "
            "SELECT %s, 'key' || n, ('{\"temp\": ' || n || ', \"city\": \"London\"}')::json, 1, now(), now() "
            "FROM generate_series(1, %s) n",
            [self.source, rows],
        )

    def plain(self) -> None:
        _execute(
            "INSERT INTO keystores_keystoreitem (keystore_id, key, data, version, date_created, date_modified) "
            "SELECT %s, key, data, 1, now(), now() FROM keystores_keystoreitem WHERE keystore_id = %s",
            [self.floor, self.source],
        )

    def copy(self, action: Any) -> int:
        from apps.keystores.copying import copy_items

        return copy_items(self.source, self.target, action)

    def clear(self) -> None:
        _execute("DELETE FROM keystores_keystoreitem WHERE keystore_id = ANY(%s)", [[self.target, self.floor]])
        _execute("VACUUM keystores_keystoreitem")

    def fill_otherwise(self) -> None:
        _execute(
            "INSERT INTO keystores_keystoreitem (keystore_id, key, data, version, date_created, date_modified) "
            "SELECT %s, key, '{\"temp\": 0}', 1, now(), now() FROM keystores_keystoreitem WHERE keystore_id = %s",
            [self.target, self.source],
        )


class Rows:
    """A table in three workspaces, as ``Keys``."""

    name = "table"

    def __init__(self, here: Any, there: Any, floor: Any, rows: int) -> None:
        from apps.tables import storage, structure

        self.tables = []
        for caller in (here, there, floor):
            table = structure.create_table(caller, name="bench")
            for name, kind in (("username", "text"), ("age", "integer"), ("born", "date")):
                structure.add_column(caller, table, name=name, kind=kind)
            self.tables.append(table)
        self.relations = [storage.relation(table.pk) for table in self.tables]
        self.columns = [", ".join(storage.column(c.pk) for c in table.columns.all()) for table in self.tables]
        _execute(
            f"INSERT INTO {self.relations[0]} ({self.columns[0]}) "
            "SELECT 'user' || n, n %% 100, date '2000-01-01' + n %% 1000 FROM generate_series(1, %s) n",
            [rows],
        )

    def plain(self) -> None:
        _execute(
            f"INSERT INTO {self.relations[2]} (id, date_created, date_updated, {self.columns[2]}) "
            f"SELECT id, date_created, date_updated, {self.columns[0]} FROM {self.relations[0]}"
        )

    def copy(self, action: Any) -> int:
        from apps.tables.copying import RowCopier

        copier = RowCopier()
        written = copier.copy(self.tables[0], self.tables[1], action)
        copier.finish()
        return written

    def clear(self) -> None:
        for relation in self.relations[1:]:
            _execute(f"TRUNCATE {relation}")

    def fill_otherwise(self) -> None:
        _execute(
            f"INSERT INTO {self.relations[1]} (id, {self.columns[1]}) "
            f"SELECT id, 'other', 0, date '1999-01-01' FROM {self.relations[0]}"
        )


def _measure(subject: Any, rounds: int) -> None:
    from apps.core.copy_action import CopyAction

    full = [(action, True) for action in CopyAction if action is not CopyAction.INSERT]
    for action, is_full in [*((action, False) for action in CopyAction), *full]:
        plain, copied = [], []
        before = _memory()
        for _ in range(rounds):
            subject.clear()
            if is_full:
                subject.fill_otherwise()
            plain.append(_seconds(subject.plain))
            copied.append(_seconds(partial(subject.copy, action)))
        ratio = statistics.median(copied) / statistics.median(plain)
        grown = _memory() - before
        target = "full" if is_full else "empty"
        print(f"{subject.name:9} {action.value:18} {target:5} ratio {ratio:4.2f}   memory +{grown:.0f}", flush=True)


def _seconds(act: Callable[[], Any]) -> float:
    from django.db import transaction

    begun = time.perf_counter()
    with transaction.atomic():
        act()
    return time.perf_counter() - begun


def _execute(statement: str, values: Any = None) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def _memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@contextmanager
def _installation() -> Iterator[None]:
    """A private PostgreSQL with default durability in a folder of its own, migrated."""
    with tempfile.TemporaryDirectory(prefix="flowize-bench-") as home:
        os.environ["FLOWIZE_HOME"] = home
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "flowize.settings")
        import django
        from django.core.management import call_command

        from flowize import postgres

        with postgres.PrivateServer(Path(home)):
            django.setup()
            call_command("migrate", verbosity=0)
            yield


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
