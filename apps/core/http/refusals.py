"""Refusals before any view has the request: the envelope, or what the path's own callers read."""

import re

from django.conf import settings
from django.utils.module_loading import import_string

from apps.core.errors import FlowizeError
from apps.core.http import envelope
from apps.core.http.formats import format_for

# Where answers are ``{code, data}`` and errors ``{code, error}``.
BRIEF_PATH = re.compile(r"^/v1/environment(/|$)")


def write_refusal(path: str, accept: str, content_type: str, error: FlowizeError, address: str) -> tuple[str, bytes]:
    """The content type and the body of a refusal; ``content_type`` and ``accept`` are the request's."""
    if writer := settings.REFUSAL_WRITERS.get(path.rstrip("/")):
        written: tuple[str, bytes] = import_string(writer)(content_type, error)
        return written
    chosen = format_for(accept, content_type)
    document = envelope.brief_failure(error) if BRIEF_PATH.match(path) else envelope.failure(error, address)
    return chosen.content_type, chosen.write(document)
