"""The statements of searches: which index each one walks, newest first, and how far.

Every clause is written here; what a caller says comes in as bound values only. A search that an index answers in order
reads a page of it whatever the table holds, others are given a time to end in.
"""

from dataclasses import dataclass

DATES = {"date_created": "r.date_created", "date_started": "r.date_started", "date_last_run": "r.date_last_run"}

_FLOWS = "SELECT f.id FROM flows_flow f WHERE f.workspace_id = %(workspace)s{named}"
_FLOW_BY_ID, _FLOW_BY_NAME = " AND f.id = %(flow_id)s", " AND f.name = %(flow_name)s"


@dataclass(frozen=True, slots=True)
class Conditions:
    """What is searched by: which of the values of a search are given, ``date`` the column a period is meant for.

    ``field`` is ``"indexed"`` for a data field whose values are kept, ``"path"`` for a place in the documents.
    """

    uuid: bool = False
    flow: str = ""
    status: bool = False
    date: str = ""
    first: bool = False
    last: bool = False
    field: str = ""

    @property
    def is_merged(self) -> bool:
        """Whether the matches come from several parts of an index, one for each flow and status in question."""
        alone = not self.uuid and not self.field and self.date in ("", "date_created")
        return alone and bool(self.flow or self.status)

    @property
    def is_indexed(self) -> bool:
        """Whether one index holds exactly the matches, in order."""
        if self.uuid:
            return True
        if self.field:
            return self.field == "indexed" and not (self.flow or self.status or self.first or self.last)
        return self.date in ("", "date_created") or not (self.flow or self.status)


def statement(conditions: Conditions) -> str:
    """One page of matches with all that a row shows, and in every row the number of matches as far as it is counted.

    Without matches on the page there is one row, of which only the number is filled.
    """
    source, order = _source(conditions)
    counted, _ = _source(conditions, reach="%(most)s")
    # In order too, although a count needs none: otherwise a common value is looked for in everybody's rows.
    in_order = "" if conditions.is_merged else f"ORDER BY {order} "
    return _PAGE.format(source=source, order=order, counted=counted, in_order=in_order)


_PAGE = """
WITH page AS MATERIALIZED (
    SELECT m.id, row_number() OVER () AS n
    FROM (SELECT m.id FROM ({source}) m ORDER BY {order} LIMIT %(limit)s OFFSET %(offset)s) m
)
SELECT t.total, r.id, r.uuid, r.flow_id, f.name, v.number, r.flow_version_id, r.date_created, r.date_started,
       r.date_last_run, r.wake_at, r.saved_wake_at, r.status, r.hold, r.at, r.num_runs,
       (SELECT x.value FROM schemas_datafield l JOIN records_recordfield x ON x.field_id = l.id
        WHERE l.workspace_id = %(workspace)s AND l.list_column AND x.record_id = r.id)
FROM (SELECT count(*) AS total FROM (SELECT 1 FROM ({counted}) m {in_order}LIMIT %(most)s) c) t
LEFT JOIN (
    page JOIN records_record r ON r.id = page.id AND r.workspace_id = %(workspace)s
    JOIN flows_flow f ON f.id = r.flow_id JOIN flows_flowversion v ON v.id = r.flow_version_id
) ON true
ORDER BY page.n
"""


def _source(conditions: Conditions, reach: str = "%(limit)s + %(offset)s") -> tuple[str, str]:
    """The matches with the columns they are ordered by, and that order."""
    filters = " AND ".join(["r.workspace_id = %(workspace)s", *_filters(conditions)])
    if conditions.uuid:
        return f"SELECT r.id FROM records_record r WHERE {filters} AND r.uuid = %(uuid)s", "m.id DESC"  # noqa: S608
    if conditions.field:
        return _by_field(conditions, filters)
    if conditions.date not in ("", "date_created"):
        column = DATES[conditions.date]
        return f"SELECT r.id, {column} AS date FROM records_record r WHERE {filters}", "m.date DESC, m.id DESC"  # noqa: S608
    if conditions.is_merged:
        return _by_flow_and_status(conditions, reach), "m.date_created DESC, m.id DESC"
    return f"SELECT r.id, r.date_created FROM records_record r WHERE {filters}", "m.date_created DESC, m.id DESC"  # noqa: S608


def _filters(conditions: Conditions) -> list[str]:
    """Those that are asked of each row."""
    found = []
    if conditions.flow:
        found.append(f"r.flow_id IN ({_flows(conditions)})")
    if conditions.status:
        found.append("r.status = %(status)s")
    return found + _period(conditions)


def _period(conditions: Conditions) -> list[str]:
    column = DATES[conditions.date or "date_created"]
    first = [f"{column} >= %(first)s"] if conditions.first else []
    last = [f"{column} < %(last)s"] if conditions.last else []
    return first + last


def _flows(conditions: Conditions) -> str:
    named = {"": "", "id": _FLOW_BY_ID, "name": _FLOW_BY_NAME}[conditions.flow]
    return _FLOWS.format(named=named)


def _by_flow_and_status(conditions: Conditions, reach: str) -> str:
    """The newest of each flow and status in question, each from its own part of the index."""
    statuses = "SELECT %(status)s::smallint" if conditions.status else "SELECT generate_series(0, 6)::smallint"
    period = "".join(f" AND {item}" for item in _period(conditions))
    return f"""
        SELECT d.id, d.date_created FROM ({_flows(conditions)}) w (flow_id) CROSS JOIN ({statuses}) s (status)
        CROSS JOIN LATERAL (
            SELECT r.id, r.date_created FROM records_record r
            WHERE r.flow_id = w.flow_id AND r.status = s.status{period}
            ORDER BY r.date_created DESC, r.id DESC LIMIT {reach}
        ) d
    """  # noqa: S608


def _by_field(conditions: Conditions, filters: str) -> tuple[str, str]:
    if conditions.field == "path":
        return (
            "SELECT r.id, r.date_created FROM records_record r JOIN records_recorddata d ON d.record_id = r.id"  # noqa: S608
            f" WHERE {filters} AND d.data #>> %(path)s::text[] = %(value)s"
        ), "m.date_created DESC, m.id DESC"
    kept = "x.field_id = %(field)s AND x.value = %(value)s"
    if conditions.is_indexed:
        return f"SELECT x.record_id AS id FROM records_recordfield x WHERE {kept}", "m.id DESC"  # noqa: S608
    return (
        "SELECT r.id FROM records_recordfield x JOIN records_record r ON r.id = x.record_id"  # noqa: S608
        f" WHERE {kept} AND {filters}"
    ), "m.id DESC"
