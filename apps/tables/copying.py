"""Copying the rows of one table to another, in as many statements however many there are.

Rows are written in place where few are in their way. Where many are, the target is filled anew, see ``rewriting``: each
row that is changed in place leaves a dead one behind and costs another entry in every index.
"""

from dataclasses import dataclass
from functools import cached_property

from django.db import connection
from django.db.models import F
from django.utils import timezone

from apps.core.copy_action import CopyAction
from apps.tables import rewriting, storage
from apps.tables.copy_statements import Pair
from apps.tables.models import Table

WORTH_REWRITING = 10_000  # rows that go or change
_LARGE_PART = 1 / 3  # of all rows: from there on changing them in place takes longer


class RowCopier:
    """Copies rows between tables whose columns have the same names, in the caller's transaction.

    ``finish`` must be the last that happens in it, because readers wait from there on. Rows keep their ids, columns
    that only one table has are left out, and no row passes through this process.
    """

    def __init__(self) -> None:
        self._filled: list[tuple[_Copy, list[str]]] = []

    def copy(self, source: Table, target: Table, action: CopyAction) -> int:
        """Write the rows of ``source`` to ``target``; how many that are."""
        copy = _Copy(target.pk, Pair.of(source, target), action)
        if action is CopyAction.REPLACE:
            _make_versions_stale(target)
        if not (copy.is_worth_rewriting and rewriting.begin(target.pk)):
            return copy.write_in_place()
        written = copy.fill_successor()
        self._filled.append((copy, rewriting.complete(target.pk)))
        return written

    def finish(self) -> None:
        """Let the tables that were filled anew be the ones in use."""
        for copy, indexes in self._filled:
            if not rewriting.put_in_place(copy.table_id, indexes):
                rewriting.discard(copy.table_id)
                copy.write_in_place()


@dataclass(frozen=True)
class _Copy:
    """What is to be done to one table."""

    table_id: int
    pair: Pair
    action: CopyAction

    @cached_property
    def is_worth_rewriting(self) -> bool:
        if self.action is CopyAction.INSERT:
            return False
        if self.action is CopyAction.REPLACE:
            return _number(self.pair.count(WORTH_REWRITING)) == WORTH_REWRITING
        return self.differing >= max(WORTH_REWRITING, _number(self.pair.count()) * _LARGE_PART)

    @cached_property
    def differing(self) -> int:
        """The rows that are in both tables and not the same."""
        return _number(self.pair.count_differing())

    def write_in_place(self) -> int:
        _number(self.pair.set_next_id(self.pair.target))
        if self.action is CopyAction.REPLACE:
            storage.execute(self.pair.delete())
        updated = storage.execute(self.pair.update()) if self.action is CopyAction.UPSERT and self.pair.shared else 0
        return updated + storage.execute(self.pair.insert())

    def fill_successor(self) -> int:
        successor = rewriting.successor(self.table_id)
        _number(self.pair.set_next_id(successor))
        if self.action is CopyAction.REPLACE:
            return storage.execute(self.pair.fill(successor))
        before = _number(self.pair.count())
        return self.differing + storage.execute(self.pair.merge(successor)) - before


def _make_versions_stale(table: Table) -> None:
    """Ids come again, and the versions of the rows that have them now begin anew."""
    Table.objects.filter(pk=table.pk).update(revision=F("revision") + 1, date_modified=timezone.now())


def _number(query: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return int(cursor.fetchone()[0])
