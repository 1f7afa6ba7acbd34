"""What external apps do outside the house, in two parts.

``prepare`` looks up what a call needs and may read the database; what it gives back is carried out in any thread,
beside other calls, and must not keep a connection to the database.
"""

from collections.abc import Callable

from apps.core.crypto import Undecipherable
from apps.core.egress import EgressError
from apps.flows.engine.results import AppError, AppResult
from apps.flows.engine.walk import Call
from apps.records.effects.effect import CannotBegin, Effect
from apps.records.effects.http import prepare_http

__all__ = ["EFFECTS", "Effect", "prepare"]

EFFECTS: dict[str, Callable[[int, Call], Effect]] = {"core.http": prepare_http}


def prepare(workspace_id: int, call: Call) -> Effect:
    """The call, ready to be made; whatever goes wrong, then or now, comes back as an ``AppError``."""
    try:
        effect = EFFECTS[call.app](workspace_id, call)
    except CannotBegin as refusal:
        return _failing(AppError(refusal.code, str(refusal)))
    except Undecipherable:
        return _failing(AppError("auth", "The stored secret cannot be read any more: enter it again."))
    return lambda: _carried_out(effect)


def _carried_out(effect: Effect) -> AppResult | AppError:
    try:
        return effect()
    except EgressError as error:
        return AppError(error.code, str(error))


def _failing(error: AppError) -> Effect:
    return lambda: error
