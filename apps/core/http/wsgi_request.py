"""Requests whose URL is UTF-8 whatever their body claims to be."""

from collections.abc import Mapping
from typing import Any

from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.utils.http import parse_header_parameters


class Utf8Request(WSGIRequest):
    """Django decodes the URL's parameters with the body's charset, before anything could refuse it.

    Some codecs fail on that with an error nobody catches, others take quadratic time.
    """

    def _set_content_type_params(self, meta: Mapping[str, Any]) -> None:
        """Note the charset without using it; the parsers refuse what they do not read."""
        self.content_type, self.content_params = parse_header_parameters(meta.get("CONTENT_TYPE", ""))


class Utf8Handler(WSGIHandler):
    """The WSGI application that makes such requests."""

    request_class = Utf8Request
