"""The same order twice is carried out once: the first answer is kept beside its effect and given again."""

from collections.abc import Callable

from django.conf import settings
from django.db import connection, transaction

from apps.applications.idempotency import Answer, check_key
from apps.core.errors import Conflict
from apps.environments.callers import OrganizationCaller
from apps.environments.models import GivenAnswer

_FORGET = """
DELETE FROM environments_givenanswer
WHERE organization_id = %(organization)s AND date_created <= now() - %(seconds)s * interval '1 second'
"""
# Of calls with one key at the same time the others wait here until the first has committed or given up.
_CLAIM = """
INSERT INTO environments_givenanswer (organization_id, key, fingerprint, status, document, date_created)
VALUES (%(organization)s, %(key)s, %(fingerprint)s, 0, '', now())
ON CONFLICT (organization_id, key) DO NOTHING RETURNING id
"""


def answer_once(
    caller: OrganizationCaller, key: str, fingerprint: str, act: Callable[[], Answer]
) -> tuple[Answer, bool]:
    """The answer of ``act``, or the one it gave for the same key before; and whether it is that one.

    Keys are the organization's own, and last ``IDEMPOTENCY_SECONDS``. Raises ``Conflict`` when the key was used for
    another request. What ``act`` raises leaves neither an effect nor an answer behind.
    """
    check_key(key)
    with transaction.atomic():
        claimed = _claim(caller, key, fingerprint)
        if claimed is None:
            return _given(caller, key, fingerprint), True
        answer = act()
        GivenAnswer.objects.filter(pk=claimed).update(status=answer.status, document=answer.document)
    return answer, False


def _claim(caller: OrganizationCaller, key: str, fingerprint: str) -> int | None:
    values: dict[str, str | int] = {
        "organization": caller.organization_id,
        "key": key,
        "fingerprint": fingerprint,
        "seconds": settings.IDEMPOTENCY_SECONDS,
    }
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, values)
        cursor.execute(_CLAIM, values)
        row = cursor.fetchone()
    return row[0] if row else None


def _given(caller: OrganizationCaller, key: str, fingerprint: str) -> Answer:
    row = GivenAnswer.objects.get(organization=caller.organization_id, key=key)
    if row.fingerprint != fingerprint:
        raise Conflict("The Idempotency-Key was used for another request.")
    return Answer(row.status, row.document)
