"""Parameters that may come as a header or in the URL."""

from collections.abc import Sequence

from django.http import HttpRequest
from rest_framework.request import Request

from apps.core.errors import BadRequest

MOST_CHARACTERS = 8 * 1024


def one_of(
    request: Request | HttpRequest, *, headers: Sequence[str] = (), parameters: Sequence[str] = ()
) -> str | None:
    """The value under any of the names, the first header before the first parameter; ``None`` when none is given.

    An empty value counts as not given. Raises ``BadRequest`` naming the parameter for a value that was given twice,
    is overlong or holds control characters.
    """
    plain: HttpRequest = request._request if isinstance(request, Request) else request
    vars(plain).setdefault("varies_by", {}).update(dict.fromkeys(headers))
    for name in headers:
        if value := (plain.headers.get(name) or "").strip():
            return _checked(name, header_text(value))
    for name in parameters:
        values = plain.GET.getlist(name)
        if len(values) > 1:
            raise BadRequest(f"The parameter {name} is given more than once.")
        if values and (value := values[0].strip()):
            return _checked(name, value)
    return None


def header_text(value: str) -> str:
    """A header's bytes as UTF-8 where they are; servers hand them over as Latin-1 (PEP 3333)."""
    try:
        return value.encode("latin-1").decode()
    except (UnicodeEncodeError, UnicodeDecodeError):
        return value


def _checked(name: str, value: str) -> str:
    if len(value) > MOST_CHARACTERS:
        raise BadRequest(f"{name} is longer than {MOST_CHARACTERS} characters.")
    if any(ord(character) < 32 or 0x7F <= ord(character) < 0xA0 for character in value):
        raise BadRequest(f"{name} holds control characters.")
    return value
