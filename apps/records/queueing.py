"""The queue acts: pausing, resuming, executing, taking out, continuing after an error, setting aside."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db import connection, transaction

from apps.applications.caller import Caller
from apps.core.errors import BadRequest, Detail, NotFound, NothingChanged
from apps.records.life_cycle import Act, QueueState, refusal, state_of
from apps.records.locks import Locked, lock_records
from apps.records.nudge import nudge_on_commit
from apps.records.waking import wake_parents

UNKNOWN = "There is no such data record."
QUEUE_ACTS = {act.word: act for act in (Act.PAUSE, Act.RESUME, Act.EXECUTE, Act.DEQUEUE, Act.CONTINUE)}
_MOST_DETAILS = 20

# A lease that ran out may still have a worker who believes in it: the token goes, and its late write finds no row.
_UNLEASED = "lease_token = NULL, leased_by = ''"
_ENTER = f"status = 0, hold = 0, wake_at = now(), saved_wake_at = NULL, {_UNLEASED}"
_LEAVE = f"hold = 0, wake_at = NULL, saved_wake_at = NULL, {_UNLEASED}"
_LISTENS = """EXISTS (
    SELECT FROM records_listener l
    WHERE l.record_id = records_record.id AND l.run_no = records_record.run_no AND l.seq = records_record.seq)"""

_SET: dict[Act, str] = {
    Act.PAUSE: f"status = 0, hold = 1, saved_wake_at = wake_at, wake_at = NULL, {_UNLEASED}",
    # Without a date it was held at a stop, which it enters again, or it listened. Then it has done so all the time, and
    # what came meanwhile counts.
    Act.RESUME: f"""
        status = CASE WHEN saved_wake_at > now() THEN 4 ELSE 0 END, hold = 0,
        wake_at = greatest(saved_wake_at, now()), saved_wake_at = NULL,
        entered_at = CASE WHEN saved_wake_at IS NOT NULL OR {_LISTENS} THEN entered_at END, {_UNLEASED}""",
    Act.EXECUTE: _ENTER,
    Act.DEQUEUE: f"status = CASE status WHEN 1 THEN 0 ELSE status END, {_LEAVE}",
    # After the guards against endless loops, and after its time, only a new run can go on. A record that was set aside
    # between two attempts has some in its trace already; the step that follows is one of its own, as after any other
    # failure.
    Act.CONTINUE: f"""
        run_no = run_no + (error_code IN ('loop_guard', 'max_steps', 'expired'))::int,
        run_started = CASE WHEN error_code IN ('loop_guard', 'max_steps', 'expired') THEN NULL ELSE run_started END,
        seq = CASE WHEN error_code IN ('loop_guard', 'max_steps', 'expired') THEN 0
                   ELSE seq + (error_code IN ('crash_loop', 'defect') AND attempt > 1)::int END,
        attempt = 1, claims = 0, entered_at = NULL, error_code = '', error_text = '', {_ENTER}""",
    Act.REVIEW: f"status = 5, {_LEAVE}",
}

_CHANGE = """
UPDATE records_record SET {columns} WHERE id = ANY(%s) RETURNING id, uuid, status, hold, wake_at, seq
"""

# A run that begins anew has executed nothing yet.
_CHANGE_WITH_COUNTERS = f"""
WITH changed AS ({_CHANGE}), counters AS (
    UPDATE records_recorddata d SET state = d.state - 'executions' - 'moves'
    FROM changed WHERE d.record_id = changed.id AND changed.seq = 0 AND d.state ?| array['executions', 'moves']
)
SELECT * FROM changed
"""  # noqa: S608 - of constants


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one record: where it stands now, and why it stayed as it was ("" when it did not)."""

    uuid: str
    state: QueueState
    refusal: str = ""


def change_queue(caller: Caller, act: Act, uuids: Sequence[str]) -> list[Result]:
    """Do a queue act with each record that is in a state for it; one result for each uuid, in their order.

    The others stay as they are and say why. Raises ``NotFound`` when none of them exists, ``NothingChanged`` when none
    could change.
    """
    caller.require("record")
    return act_on(caller, act, uuids, lambda ids: _change(act, ids))


def review_records(caller: Caller, uuids: Sequence[str]) -> list[Result]:
    """Note that a person has seen to records that finished with errors; results and errors as ``change_queue``."""
    caller.require("record")
    return act_on(caller, Act.REVIEW, uuids, lambda ids: _change(Act.REVIEW, ids))


def act_on(
    caller: Caller, act: Act, uuids: Sequence[str], change: Callable[[list[int]], Mapping[str, QueueState]]
) -> list[Result]:
    """Lock the records, let ``change`` have those the act is for, and say what became of each.

    ``change`` takes ids and answers the new states by uuid.
    """
    wanted = checked_uuids(uuids)
    with transaction.atomic():
        locked = lock_records(caller.workspace_id, wanted)
        if not locked:
            raise NotFound(UNKNOWN)
        free = [row.record_id for row in locked.values() if not refusal(act, row.state)]
        if not free:
            raise NothingChanged(f"No data record could be {act.past}.", details=_reasons(act, wanted, locked))
        changed = change(free)
        nudge_on_commit()
    return [_result(act, uuid, locked.get(uuid), changed) for uuid in wanted]


def checked_uuids(uuids: Sequence[str]) -> list[str]:
    """The uuids without repetitions; raises ``BadRequest`` for none and for more than one call takes."""
    wanted = list(dict.fromkeys(uuids))
    if not wanted:
        raise BadRequest("Name the data records: there is no uuid.")
    if len(uuids) > settings.RECORDS_PER_CALL:
        raise BadRequest(f"One call takes at most {settings.RECORDS_PER_CALL} data records.")
    return wanted


def _change(act: Act, ids: list[int]) -> dict[str, QueueState]:
    statement = _CHANGE_WITH_COUNTERS if act is Act.CONTINUE else _CHANGE
    with connection.cursor() as cursor:
        cursor.execute(statement.format(columns=_SET[act]), [ids])
        rows = cursor.fetchall()
    if act is Act.DEQUEUE:
        wake_parents(ids)  # what waits for these would wait for ever
    return {uuid: state_of(status, hold, wake_at) for _, uuid, status, hold, wake_at, _ in rows}


def _result(act: Act, uuid: str, row: Locked | None, changed: Mapping[str, QueueState]) -> Result:
    if row is None:
        return Result(uuid, QueueState.NONE, UNKNOWN)
    return Result(uuid, changed.get(uuid, row.state), refusal(act, row.state))


def _reasons(act: Act, wanted: Sequence[str], locked: Mapping[str, Locked]) -> list[Detail]:
    results = [_result(act, uuid, locked.get(uuid), {}) for uuid in wanted[:_MOST_DETAILS]]
    return [Detail(f"/{index}", result.refusal) for index, result in enumerate(results)]
