"""The six-key envelope that core endpoints answer in."""

import http
from collections.abc import Sequence
from typing import Any

from apps.core.errors import FlowizeError

# Words that http.HTTPStatus has otherwise, or otherwise from one Python release to the next.
SLUGS = {402: "request-failed", 413: "content-too-large", 414: "uri-too-long"}


def slug(status: int) -> str:
    """The ``id`` of an envelope: ``ok``, ``bad-request``, ``not-found``, …"""
    if status >= http.HTTPStatus.INTERNAL_SERVER_ERROR:
        return "server-error"
    return SLUGS.get(status) or http.HTTPStatus(status).phrase.lower().replace(" ", "-")


def success(status: int, address: str, resource: Any, message: str) -> dict[str, Any]:
    """An answer that carries a resource and its success text."""
    return {
        "id": slug(status),
        "code": status,
        "request-ip": address,
        "resource": resource,
        "message": message,
        "error": None,
    }


def methods(allowed: Sequence[str], address: str) -> dict[str, Any]:
    """The answer to OPTIONS."""
    return success(200, address, {"methods": list(allowed)}, "The allowed methods are listed.")


def brief_failure(error: FlowizeError) -> dict[str, Any]:
    """The same as ``failure`` where answers have two keys only."""
    return {"code": error.status, "error": _fault(error)}


def failure(error: FlowizeError, address: str) -> dict[str, Any]:
    """An answer that says what was wrong and where: ``error`` is ``{code, message, details?}``."""
    return {
        "id": slug(error.status),
        "code": error.status,
        "request-ip": address,
        "resource": [],
        "message": None,
        "error": _fault(error),
    }


def _fault(error: FlowizeError) -> dict[str, Any]:
    fault: dict[str, Any] = {"code": error.code, "message": error.message}
    if error.details:
        fault["details"] = [{"path": detail.path, "message": detail.message} for detail in error.details]
    return fault
