"""What may be done with a record in which state, and where it leads: the one table for services, admin and docs.

The engine's own moves (claims, waits, ends) are not here: they follow the flow.
"""

from datetime import datetime
from enum import Enum

from apps.records.models import Hold, Status


class QueueState(Enum):
    """Where a record stands in the queue: ``key`` is the number as text that callers see, ``label`` its word."""

    NEW = "0", "New"  # due; the next worker takes it
    PROCESSING = "1", "Processing"  # in a worker's hands
    PAUSED = "2", "Paused"  # by a queue action; keeps its date
    ERROR = "3", "Error"  # failed; may be resumed at the failed object
    SCHEDULED = "4", "Scheduled"  # due at a date
    WAITING = "5", "Waiting"  # at a stop, or for an event
    NONE = "", ""  # finished, reviewed or taken out

    def __init__(self, key: str, label: str) -> None:
        self.key = key
        self.label = label


class Act(Enum):
    """What can be done with a record: ``word`` is its name, ``past`` how sentences about it end."""

    PAUSE = "pause-queue", "paused"
    RESUME = "resume-queue", "resumed"
    EXECUTE = "execute-queue", "executed"
    DEQUEUE = "delete-from-queue", "deleted from the queue"
    CONTINUE = "resume-and-continue", "resumed from error status"
    REVIEW = "review", "reviewed"
    MOVE = "move", "moved"
    UPDATE = "update", "updated"
    DELETE = "delete", "deleted"

    def __init__(self, word: str, past: str) -> None:
        self.word = word
        self.past = past


_FREE = [state for state in QueueState if state is not QueueState.PROCESSING]

# From state to the states it may lead to; a state that is not named refuses the act. Nothing follows a deletion.
TABLE: dict[Act, dict[QueueState, tuple[QueueState, ...]]] = {
    Act.PAUSE: dict.fromkeys([QueueState.NEW, QueueState.SCHEDULED, QueueState.WAITING], (QueueState.PAUSED,)),
    Act.RESUME: {QueueState.PAUSED: (QueueState.NEW, QueueState.SCHEDULED)},  # scheduled while its date is ahead
    Act.EXECUTE: dict.fromkeys(
        [QueueState.NEW, QueueState.SCHEDULED, QueueState.PAUSED, QueueState.WAITING], (QueueState.NEW,)
    ),
    Act.DEQUEUE: dict.fromkeys(
        [QueueState.NEW, QueueState.ERROR, QueueState.SCHEDULED, QueueState.PAUSED, QueueState.WAITING],
        (QueueState.NONE,),
    ),
    Act.CONTINUE: {QueueState.ERROR: (QueueState.NEW,)},
    Act.REVIEW: {QueueState.ERROR: (QueueState.NONE,)},
    Act.MOVE: dict.fromkeys(_FREE, (QueueState.NEW,)),
    Act.UPDATE: {state: (state,) for state in _FREE},
    Act.DELETE: dict.fromkeys(_FREE, ()),
}

_BY_HOLD = {
    Hold.PAUSED: QueueState.PAUSED,
    Hold.STOPPED: QueueState.WAITING,
    Hold.WAITING: QueueState.WAITING,
    Hold.ERROR: QueueState.ERROR,
}


def state_of(status: int, hold: int, wake_at: datetime | None, now: datetime | None = None) -> QueueState:
    """Where a record with these columns stands.

    With ``now``, the database's clock, a record whose worker let its lease run out is new again, as it is for claims.
    """
    if status == Status.PROCESSING:
        expired = now is not None and wake_at is not None and wake_at <= now
        return QueueState.NEW if expired else QueueState.PROCESSING
    if hold:
        return _BY_HOLD[Hold(hold)]
    if wake_at is None:
        return QueueState.NONE
    return QueueState.SCHEDULED if status == Status.SCHEDULED else QueueState.NEW


def refusal(act: Act, state: QueueState) -> str:
    """Why ``act`` is not for a record in that state; "" when it is."""
    if state in TABLE[act]:
        return ""
    if state is QueueState.PROCESSING:
        reason = "it is being used"
    elif state is QueueState.NONE:
        reason = "it is not in the queue"
    else:
        reason = f"its queue status is {state.label}"
    return f"Data record cannot be {act.past}: {reason}"
