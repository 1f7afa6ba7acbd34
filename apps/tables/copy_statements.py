"""The statements that copy rows between two physical tables, with names that are made of ids alone (``storage``)."""

from dataclasses import dataclass

from apps.tables import storage
from apps.tables.models import Table

_SYSTEM = ["id", "date_created", "date_updated"]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two physical tables: ``shared`` are columns of one name, the target's first; ``own`` only the target has."""

    source: str
    target: str
    shared: list[tuple[str, str]]
    own: list[str]

    @classmethod
    def of(cls, source: Table, target: Table) -> "Pair":
        """The physical tables of two tables of people."""
        theirs = {column.name: storage.column(column.pk) for column in source.columns.all()}
        ours = {column.name: storage.column(column.pk) for column in target.columns.all()}
        return cls(
            source=storage.relation(source.pk),
            target=storage.relation(target.pk),
            shared=[(ours[name], theirs[name]) for name in ours if name in theirs],
            own=[ours[name] for name in ours if name not in theirs],
        )

    def count(self, most: int | None = None) -> str:
        """The number of rows in the target, counted no further than ``most``."""
        limit = "" if most is None else f" LIMIT {most:d}"
        return f"SELECT count(*) FROM (SELECT FROM {self.target}{limit}) AS counted"

    def count_differing(self) -> str:
        """The number of rows that are there and differ."""
        return f"SELECT count(*) FROM {self.target} r JOIN {self.source} s ON s.id = r.id WHERE {self._differs}"

    def set_next_id(self, relation: str) -> str:
        """New rows of ``relation`` come after the copied ones and all there ever were, from this moment on."""
        return (
            f"SELECT setval({_sequence(relation)}, greatest(max(id), nextval({_sequence(self.target)}))) "
            f"FROM {self.source}"
        )

    def delete(self) -> str:
        """All rows of the target."""
        return f"DELETE FROM {self.target}"

    def update(self) -> str:
        """Rows that are there and differ."""
        values = ", ".join(f"{ours} = s.{theirs}" for ours, theirs in self.shared)
        return (
            f"UPDATE {self.target} r SET {values}, version = r.version + 1, date_updated = s.date_updated "
            f"FROM {self.source} s WHERE r.id = s.id AND ({self._differs})"
        )

    def insert(self) -> str:
        """Rows that are not there yet.

        Whoever inserts beside it gets a higher id. Without a clause for conflicts it costs what a plain insert does; a
        row that was under way with a copied id before is a unique violation, and the deployment is tried again.
        """
        return f"{self.fill(self.target)} WHERE NOT EXISTS (SELECT FROM {self.target} r WHERE r.id = s.id)"

    def fill(self, relation: str) -> str:
        """All rows, into ``relation``, which has the target's columns."""
        into = ", ".join([*_SYSTEM, *(ours for ours, _ in self.shared)])
        taken = ", ".join(f"s.{name}" for name in [*_SYSTEM, *(theirs for _, theirs in self.shared)])
        return f"INSERT INTO {relation} ({into}) SELECT {taken} FROM {self.source} s"

    def merge(self, relation: str) -> str:
        """What ``update`` and ``insert`` would leave in the target, into ``relation``."""
        both = ", ".join(
            [
                "r.*, s.id AS new_id, s.date_created AS new_created, s.date_updated AS new_updated",
                *(f"s.{theirs} AS new_{ours}" for ours, theirs in self.shared),
                f"s.id IS NOT NULL AND (r.id IS NULL OR {self._differs}) AS is_taken",
            ]
        )
        values = {
            "id": "coalesce(id, new_id)",
            "version": "coalesce(version + is_taken::int, 1)",
            "date_created": "coalesce(date_created, new_created)",
            "date_updated": "CASE WHEN is_taken THEN new_updated ELSE date_updated END",
            **{ours: f"CASE WHEN is_taken THEN new_{ours} ELSE {ours} END" for ours, _ in self.shared},
            **{ours: ours for ours in self.own},
        }
        return (  # without OFFSET, whether rows differ would be found out for each column
            f"INSERT INTO {relation} ({', '.join(values)}) SELECT {', '.join(values.values())} FROM ("
            f"SELECT {both} FROM {self.target} r FULL JOIN {self.source} s ON s.id = r.id OFFSET 0) AS merged"
        )

    @property
    def _differs(self) -> str:
        return " OR ".join([f"r.{ours} IS DISTINCT FROM s.{theirs}" for ours, theirs in self.shared] or ["false"])


def _sequence(relation: str) -> str:
    return f"pg_get_serial_sequence('{relation}', 'id')"
