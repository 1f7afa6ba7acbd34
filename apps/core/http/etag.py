"""Conditional requests (RFC 9110, section 13), decided by versions and not by rendered answers.

An entity tag has two halves. The first seals the tenant and the version of the row; the second whatever else shapes
the answer: format, chosen fields, time zone. Reads compare whole tags. Changes compare the first half alone, because it
does not matter in which format somebody read the version that they want to change.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from django.utils.crypto import salted_hmac
from django.utils.http import http_date, parse_etags, parse_http_date_safe

from apps.core.errors import PreconditionFailed
from apps.core.jsonio import write_json
from apps.core.preconditions import Part

LAYOUT = 1  # raise it when the answers of unchanged rows change their shape: what clients keep is no longer good
VERSION_DIGITS, SHAPE_DIGITS = 24, 8


class NotModified(Exception):
    """The client has the present answer already."""


@dataclass(frozen=True, slots=True)
class Validators:
    """What an answer can be recognised by: the two halves of its tag, and when its row was last changed."""

    version: str
    shape: str
    modified: datetime | None = None

    @property
    def tag(self) -> str:
        """The entity tag, in quotes."""
        return f'"{self.version}-{self.shape}"'

    @property
    def headers(self) -> dict[str, str]:
        """``ETag`` and, where the date of the last change is known, ``Last-Modified``."""
        dated = {"Last-Modified": http_date(int(self.modified.timestamp()))} if self.modified else {}
        return {"ETag": self.tag} | dated


def seal_version(tenant: Part, version: tuple[Part, ...]) -> str:
    """The first half of a tag; nobody can guess it, and another tenant's row of the same version has another."""
    return _seal((tenant, *version), VERSION_DIGITS)


def seal_shape(*parts: Part) -> str:
    """The second half of a tag."""
    return _seal((LAYOUT, *parts), SHAPE_DIGITS)


def _seal(parts: tuple[Part, ...], digits: int) -> str:
    text = write_json([_plain(part) for part in parts])
    return salted_hmac("apps.core.http.etag", text, algorithm="sha256").hexdigest()[:digits]


def _plain(part: Part) -> str | int | None:
    if isinstance(part, datetime):
        return part.astimezone(UTC).isoformat()
    return part if isinstance(part, str | int) or part is None else str(part)


class Conditions:
    """The conditions that a request's headers set; what cannot be read of them is as good as absent.

    Only an unreadable ``If-Match`` is not: whoever sends one means to be refused rather than to overwrite.
    """

    NAMES = ("If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since")

    def __init__(self, headers: Mapping[str, str]) -> None:
        self.must_match = _tags(headers.get("If-Match"))
        self.must_differ = _tags(headers.get("If-None-Match")) or None
        self.changed_since = _moment(headers.get("If-Modified-Since"))
        self.unchanged_since = _moment(headers.get("If-Unmodified-Since"))

    @property
    def for_reads(self) -> bool:
        """Whether there is any that a read must look at."""
        return self.for_changes or self.changed_since is not None

    @property
    def for_changes(self) -> bool:
        """Whether there is any that a change must look at."""
        return any(item is not None for item in (self.must_match, self.must_differ, self.unchanged_since))

    def check_read(self, current: Validators) -> None:
        """Raise ``NotModified`` when the client has this answer, ``PreconditionFailed`` when it asked for another."""
        self._check_wanted(current.version, current.modified)
        if self.must_differ is not None:
            has_it = _matches_weakly(self.must_differ, current.tag)
        else:
            has_it = not _is_after(current.modified, self.changed_since)
        if has_it:
            raise NotModified

    def check_change(self, version: str | None, modified: datetime | None) -> None:
        """Raise ``PreconditionFailed`` unless a row of that version may be changed; ``None`` is a row not there."""
        self._check_wanted(version, modified)
        if version is not None and self.must_differ is not None and _names(self.must_differ, version):
            raise PreconditionFailed

    def _check_wanted(self, version: str | None, modified: datetime | None) -> None:
        if self.must_match is not None:
            strong = [tag for tag in self.must_match if not tag.startswith("W/")]
            stale = version is None or not _names(strong, version)
        else:
            stale = modified is not None and self.unchanged_since is not None
            stale = stale and _is_after(modified, self.unchanged_since)
        if stale:
            raise PreconditionFailed


class TagPrecondition:
    """The condition of a change, for services (see ``core.preconditions``)."""

    def __init__(self, conditions: Conditions, tenant: Part) -> None:
        self.conditions = conditions
        self.tenant = tenant

    def check(self, *version: Part, modified: datetime | None = None) -> None:
        """Raise ``PreconditionFailed`` unless the row has a version that the request names."""
        self.conditions.check_change(seal_version(self.tenant, version) if version else None, modified)


def _tags(header: str | None) -> list[str] | None:
    return None if header is None else parse_etags(header)


def _moment(header: str | None) -> int | None:
    return None if header is None else parse_http_date_safe(header)


def _is_after(modified: datetime | None, since: int | None) -> bool:
    """Whether the change came later, in whole seconds; an unknown date is always later."""
    return modified is None or since is None or int(modified.timestamp()) > since


def _matches_weakly(tags: list[str], current: str) -> bool:
    return "*" in tags or any(tag.removeprefix("W/") == current for tag in tags)


def _names(tags: list[str], version: str) -> bool:
    """Whether any tag is of that version, in whichever shape."""
    return "*" in tags or any(tag.removeprefix("W/").strip('"').partition("-")[0] == version for tag in tags)
