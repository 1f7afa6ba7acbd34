"""What external apps do outside the house; it may be done in any thread, which keeps no connection to the database.

What a call needs of the database is looked up before, by ``house.PREPARE``.
"""

import time
from collections.abc import Callable

from apps.core.egress import EgressError
from apps.flows.engine.results import AppError, AppResult
from apps.flows.engine.walk import Call
from apps.records.effects.email import send_email
from apps.records.effects.http import call_http
from apps.records.effects.unsendable import Unsendable
from apps.records.observing import note_call

__all__ = ["EFFECTS", "perform"]

EFFECTS: dict[str, Callable[[Call], AppResult | AppError]] = {"core.http": call_http, "core.email": send_email}


def perform(call: Call) -> AppResult | AppError:
    """Carry out a prepared call; whatever goes wrong comes back as an ``AppError``."""
    begun = time.monotonic()
    result = _attempt(call)
    note_call(call.app, time.monotonic() - begun, result.code if isinstance(result, AppError) else None)
    return result


def _attempt(call: Call) -> AppResult | AppError:
    try:
        return EFFECTS[call.app](call)
    except Unsendable as refusal:
        return AppError(refusal.code, str(refusal))
    except EgressError as error:
        return AppError(error.code, str(error))
