"""What apps do inside the house: they read and write our own database.

``INTERNAL`` apps run in the transaction of the record's checkpoint, so what they write and how far the record has come
is committed together or not at all. ``PREPARE`` is for external apps that need something of the database before they
leave the house, such as credentials: it runs before the call is handed to a thread, and may replace its config.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from django.db import OperationalError, transaction

from apps.applications.caller import Caller
from apps.applications.scopes import SCOPES
from apps.core.errors import FlowizeError
from apps.flows.engine.results import AppError, AppResult
from apps.flows.engine.walk import Call

# PostgreSQL's codes of what a second try may cure: serialization failure, deadlock; and of a lock or a statement that
# took too long, which are the app's failure.
REPEATABLE = frozenset({"40001", "40P01"})
TOO_SLOW = frozenset({"55P03", "57014"})


@dataclass(frozen=True, slots=True)
class Place:
    """The record an app works for, and the tenant it belongs to; ``run_no`` counts its runs from 1."""

    workspace_id: int
    project_id: int
    project_name: str
    organization_id: int
    time_zone: str
    record_id: int
    uuid: str
    flow_id: int
    flow_name: str
    run_no: int
    application_id: int | None

    def caller(self) -> Caller:
        """The flow as services know callers: whoever may publish a flow may have it do everything in its workspace."""
        return Caller(
            organization_id=self.organization_id,
            project_id=self.project_id,
            project_name=self.project_name,
            workspace_id=self.workspace_id,
            time_zone=self.time_zone,
            address="",
            scopes=frozenset(SCOPES),
            application_id=self.application_id,
        )


INTERNAL: dict[str, Callable[[Place, Call], AppResult | AppError]] = {}
PREPARE: dict[str, Callable[[Place, Call], Call | AppError]] = {}


class _Undone(Exception):
    """Leaves a savepoint with what the app answered."""

    def __init__(self, error: AppError) -> None:
        self.error = error


def perform_inside(place: Place, call: Call) -> AppResult | AppError:
    """Carry out the call of an internal app in a savepoint; an error takes back what the app wrote.

    Belongs in a transaction. Raises ``OperationalError`` for what the whole transaction should be tried again for, and
    for a database that is away.
    """
    try:
        with transaction.atomic():
            result = INTERNAL[call.app](place, call)
            if isinstance(result, AppError):
                raise _Undone(result)
            return result
    except _Undone as undone:
        return undone.error
    except FlowizeError as error:
        return AppError(error_code(error), error.message)
    except OperationalError as error:
        if sqlstate(error) in TOO_SLOW:
            return AppError("too_slow", "The database did not answer in time.")
        raise


def prepare(place: Place, call: Call) -> Call | AppError:
    """An external call with what it needs of the database; most need nothing."""
    if call.app not in PREPARE:
        return call
    try:
        return PREPARE[call.app](place, call)
    except FlowizeError as error:
        return AppError(error_code(error), error.message)


def error_code(error: FlowizeError) -> str:
    """How flows name an error of a service: ``NotFound`` is ``not_found``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", type(error).__name__).lower()


def sqlstate(error: Exception) -> str:
    """PostgreSQL's code of a database error; "" when it was none of the server's."""
    return getattr(error.__cause__, "sqlstate", None) or ""
