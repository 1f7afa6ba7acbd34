"""The bytes of files: kept once for each organization, read whole or in parts, removed when nobody has them."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from django.db import connection

from apps.contents.models import FileContent

SLICE = 1024 * 1024
UNUSED_HOURS = 24
REMOVED_AT_ONCE = 100

# What is there already need not be sent; its date is touched so that it is not removed before it is referred to.
_TOUCH = """
UPDATE contents_filecontent SET used_at = now() WHERE organization_id = %s AND sha256 = %s RETURNING id
"""
_INSERT = """
INSERT INTO contents_filecontent (organization_id, sha256, size, content, used_at) VALUES (%s, %s, %s, %s, now())
ON CONFLICT (organization_id, sha256) DO UPDATE SET used_at = now() RETURNING id
"""
_REMOVE = """
DELETE FROM contents_filecontent WHERE id IN (
    SELECT c.id FROM contents_filecontent c WHERE c.used_at < now() - %(hours)s * interval '1 hour'
      AND NOT EXISTS (SELECT FROM contents_websitefile f WHERE f.content_id = c.id)
      AND NOT EXISTS (SELECT FROM contents_storedfile f WHERE f.content_id = c.id)
    ORDER BY c.id LIMIT %(most)s
    FOR UPDATE SKIP LOCKED
) AND used_at < now() - %(hours)s * interval '1 hour'
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """Bytes that are stored."""

    content_id: int
    sha256: str
    size: int


def keep(organization_id: int, content: bytes) -> Kept:
    """Store bytes unless the organization has them; whoever does not refer to them within a day may lose them."""
    sha256 = hashlib.sha256(content).hexdigest()
    with connection.cursor() as cursor:
        cursor.execute(_TOUCH, [organization_id, sha256])
        row = cursor.fetchone()
        if row is None:
            cursor.execute(_INSERT, [organization_id, sha256, len(content), content])
            row = cursor.fetchone()
    return Kept(row[0], sha256, len(content))


def read(content_id: int, start: int = 0, length: int | None = None) -> bytes:
    """The bytes, or ``length`` of them from ``start``, which is all that is read then."""
    if length is None:
        return bytes(FileContent.objects.values_list("content", flat=True).get(pk=content_id))
    with connection.cursor() as cursor:
        sql = "SELECT substr(content, %s, %s) FROM contents_filecontent WHERE id = %s"
        cursor.execute(sql, [start + 1, length, content_id])
        row = cursor.fetchone()
    return bytes(row[0]) if row else b""


def slices(content_id: int, start: int, length: int) -> Iterator[bytes]:
    """The same in pieces of a megabyte; ends early when the content was removed meanwhile."""
    end = start + length
    while start < end and (piece := read(content_id, start, min(SLICE, end - start))):
        yield piece
        start += len(piece)


def remove_unused() -> int:
    """Remove contents that nobody has referred to for a day; returns how many.

    A file may come to refer to one while it is looked at: then the database refuses the removal, and the next run
    leaves it alone.
    """
    removed = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_REMOVE, {"hours": UNUSED_HOURS, "most": REMOVED_AT_ONCE})
            count = cursor.rowcount
        removed += count
        if count < REMOVED_AT_ONCE:
            return removed
