"""The same call twice has one effect: the first answer is kept beside its effect and given again."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.db import connection, transaction

from apps.applications.caller import Caller
from apps.applications.models import GivenAnswer
from apps.core.errors import BadRequest, Conflict

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
_KEY = re.compile(r"[\x21-\x7e]{1,255}")

# Of calls with one key at the same time the others wait here until the first has committed or given up.
_CLAIM = """
INSERT INTO applications_givenanswer AS given (workspace_id, caller, key, fingerprint, status, document, date_created)
VALUES (%(workspace)s, %(caller)s, %(key)s, %(fingerprint)s, 0, '', now())
ON CONFLICT (workspace_id, caller, key) DO UPDATE
    SET fingerprint = excluded.fingerprint, status = 0, document = '', date_created = excluded.date_created
    WHERE given.date_created <= now() - %(seconds)s * interval '1 second'
RETURNING id
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call was answered; ``document`` is the text of its JSON."""

    status: int
    document: str


def answer_once(caller: Caller, key: str, fingerprint: str, act: Callable[[], Answer]) -> tuple[Answer, bool]:
    """The answer of ``act``, or the one it gave for the same key before; and whether it is that one.

    Keys are the caller's own, and last ``IDEMPOTENCY_SECONDS``. ``fingerprint`` tells requests apart: raises
    ``Conflict`` when the key was used for another. What ``act`` raises leaves neither an effect nor an answer behind.
    """
    check_key(key)
    with transaction.atomic():
        claimed = _claim(caller, key, fingerprint)
        if claimed is None:
            return _given(caller, key, fingerprint), True
        answer = act()
        GivenAnswer.objects.filter(pk=claimed).update(status=answer.status, document=answer.document)
    return answer, False


def check_key(key: str) -> None:
    """Raise ``BadRequest`` for a text that cannot be a key."""
    if not _KEY.fullmatch(key):
        raise BadRequest(f"{HEADER} must be 1 to 255 visible ASCII characters without spaces.")


def _claim(caller: Caller, key: str, fingerprint: str) -> int | None:
    """The row of a key that is free, or none."""
    values: dict[str, str | int] = {
        "workspace": caller.workspace_id,
        "caller": caller.rate_key,
        "key": key,
        "fingerprint": fingerprint,
        "seconds": settings.IDEMPOTENCY_SECONDS,
    }
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, values)
        row = cursor.fetchone()
    return row[0] if row else None


def _given(caller: Caller, key: str, fingerprint: str) -> Answer:
    row = GivenAnswer.objects.in_workspace(caller.workspace_id).get(caller=caller.rate_key, key=key)
    if row.fingerprint != fingerprint:
        raise Conflict("The Idempotency-Key was used for another request.")
    return Answer(row.status, row.document)
