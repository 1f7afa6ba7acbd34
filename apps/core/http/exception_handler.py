"""Every exception on its way out of an API view becomes one of our errors, and that an envelope."""

from collections.abc import Mapping
from typing import Any

import structlog
from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response

from apps.core import errors
from apps.core.http import envelope
from apps.core.http.client import address_of

CHALLENGE = 'Bearer realm="flowize"'
log = structlog.get_logger(__name__)


def as_flowize_error(exc: BaseException) -> errors.FlowizeError:
    """Our error for any exception; what nobody foresaw is a ``ServerError`` that tells nothing of its cause."""
    if isinstance(exc, errors.FlowizeError):
        return exc
    for kinds, make in _TRANSLATIONS:
        if isinstance(exc, kinds):
            return make(exc)
    return errors.ServerError()


def _unavailable(exc: BaseException) -> errors.FlowizeError:
    return errors.ServiceUnavailable(headers={"Retry-After": "2"})


def _method_not_allowed(exc: BaseException) -> errors.FlowizeError:
    return errors.MethodNotAllowed()


def _too_large(exc: BaseException) -> errors.FlowizeError:
    return errors.BodyTooLarge(f"The request body is larger than {settings.BODY_LIMIT} bytes.")


def _unsupported(exc: BaseException) -> errors.FlowizeError:
    return errors.UnsupportedMediaType(
        "The body's Content-Type is not supported: send application/json or application/xml."
    )


_TRANSLATIONS: tuple[tuple[tuple[type[BaseException], ...], Any], ...] = (
    ((OperationalError, InterfaceError), _unavailable),
    ((RequestDataTooBig,), _too_large),
    ((Http404, exceptions.NotFound), lambda exc: errors.NotFound()),
    ((PermissionDenied, exceptions.PermissionDenied), lambda exc: errors.Forbidden()),
    ((exceptions.MethodNotAllowed,), _method_not_allowed),
    ((exceptions.NotAcceptable,), lambda exc: errors.NotAcceptable()),
    ((exceptions.UnsupportedMediaType,), _unsupported),
    ((exceptions.ParseError,), lambda exc: errors.BadRequest()),
)


def _challenge(error: errors.FlowizeError) -> str:
    """RFC 6750 section 3: a token's fault is named, missing credentials are not."""
    if isinstance(error, errors.InvalidToken):
        return f'{CHALLENGE}, error="invalid_token"'
    return f'{CHALLENGE}, error="insufficient_scope"' if isinstance(error, errors.MissingScope) else CHALLENGE


def handle(exc: Exception, context: Mapping[str, Any]) -> Response:
    """DRF's hook: the envelope of the error, with its headers."""
    error = as_flowize_error(exc)
    if error.status >= 500:
        log.error("request failed", error=type(exc).__name__, exc_info=exc if error.status == 500 else None)
    if (error.status == 401 or isinstance(error, errors.InvalidToken)) and "WWW-Authenticate" not in error.headers:
        error.headers["WWW-Authenticate"] = _challenge(error)
    response = Response(envelope.failure(error, address_of(context["request"]._request)), status=error.status)
    for name, value in error.headers.items():
        response[name] = value
    return response
