"""Searching records."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import OperationalError, connection, transaction
from psycopg.errors import QueryCanceled

from apps.applications.caller import Caller
from apps.core.errors import BadRequest, RequestTimeout
from apps.core.paging import Page
from apps.records.fields import LONGEST_VALUE, find_field
from apps.records.search_sql import DATES, Conditions, statement

# A page that begins further down than this is walked to within the time for searches without an index.
DEEP = 10_000


@dataclass(frozen=True, slots=True)
class Search:
    """What records are searched by; what is not given does not matter.

    ``first`` and ``last`` bound the date ``date_type`` names, ``last`` being the moment just after the period.
    """

    page: Page
    uuid: str = ""
    flow_id: int | None = None
    flow_name: str = ""
    status: int | None = None
    date_type: str = "date_created"
    first: datetime | None = None
    last: datetime | None = None
    field_name: str = ""
    field_value: str = ""


@dataclass(frozen=True, slots=True)
class FoundRecord:
    """A row of a search; ``dynamic_value`` is the data field that lists show, ``None`` without one."""

    record_id: int
    uuid: str
    flow_id: int
    flow_name: str
    version_number: int
    version_id: int
    date_created: datetime
    date_started: datetime | None
    date_last_run: datetime | None
    wake_at: datetime | None
    saved_wake_at: datetime | None
    status: int
    hold: int
    at: str
    num_runs: int
    dynamic_value: str | None


@dataclass(frozen=True, slots=True)
class Found:
    """A page of matches, and how many there are: exact up to ``SEARCH_COUNT`` beyond the page's offset."""

    records: list[FoundRecord]
    total: int


def search_records(caller: Caller, search: Search) -> Found:
    """The records of the caller's workspace that fit, newest first.

    By a period of another date than the creation's they come in the order of that date. Raises ``BadRequest`` for what
    cannot be searched by and ``RequestTimeout`` when no index serves the search and it takes over ``SEARCH_SECONDS``.
    """
    caller.require("record.read")
    _check(search)
    conditions, values = _conditions(caller.workspace_id, search)
    sql = statement(conditions)
    run = _run if conditions.is_indexed and search.page.offset <= DEEP else _run_in_time
    rows = run(sql, values)
    records = [FoundRecord(*row[1:]) for row in rows if row[1] is not None]
    return Found(records, rows[0][0])


def _check(search: Search) -> None:
    if search.date_type not in DATES:
        raise BadRequest(f"date_type must be one of {', '.join(DATES)}.")
    if search.status is not None and not 0 <= search.status <= 6:
        raise BadRequest("datarecord_status must be a number from 0 to 6.")
    if bool(search.field_name) != bool(search.field_value):
        raise BadRequest("A search by a data field needs both datafield_name and datafield_value.")


def _conditions(workspace_id: int, search: Search) -> tuple[Conditions, dict[str, Any]]:
    field, values = _field(workspace_id, search) if search.field_name else ("", {})
    is_period = search.first is not None or search.last is not None
    conditions = Conditions(
        uuid=bool(search.uuid),
        flow="id" if search.flow_id is not None else "name" if search.flow_name else "",
        status=search.status is not None,
        date=search.date_type if is_period else "",
        first=search.first is not None,
        last=search.last is not None,
        field=field,
    )
    return conditions, values | _values(workspace_id, search)


def _values(workspace_id: int, search: Search) -> dict[str, Any]:
    return {
        "workspace": workspace_id,
        "uuid": search.uuid,
        "flow_id": search.flow_id,
        "flow_name": search.flow_name,
        "status": search.status,
        "first": search.first,
        "last": search.last,
        "limit": search.page.limit,
        "offset": search.page.offset,
        "most": search.page.offset + settings.SEARCH_COUNT,
    }


def _field(workspace_id: int, search: Search) -> tuple[str, dict[str, Any]]:
    """By the kept values of a data field; a name without one is a place in the documents themselves."""
    field = find_field(workspace_id, search.field_name)
    if field is not None and field.is_complete:
        return "indexed", {"field": field.field_id, "value": search.field_value[:LONGEST_VALUE]}
    path = field.path if field else search.field_name.split(".")
    return "path", {"path": list(path), "value": search.field_value}


def _run(sql: str, values: dict[str, Any]) -> Sequence[Sequence[Any]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall()


def _run_in_time(sql: str, values: dict[str, Any]) -> Sequence[Sequence[Any]]:
    milliseconds = str(int(settings.SEARCH_SECONDS * 1000))
    try:
        with transaction.atomic():
            _run("SELECT set_config('statement_timeout', %(most)s, true)", {"most": milliseconds})
            return _run(sql, values)
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise RequestTimeout(
                "The search took too long: no index serves it. Search by a data field, a flow, a status or a date."
            ) from None
        raise
