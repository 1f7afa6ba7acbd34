from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import Http404
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from apps.core import errors
from apps.core.http.exception_handler import as_flowize_error, handle


def answered(exc: Exception) -> Any:
    return handle(exc, {"request": Request(APIRequestFactory().get("/", REMOTE_ADDR="192.0.2.7"))})


def test_an_error_of_ours_keeps_details_and_headers() -> None:
    error = errors.TooManyRequests(headers={"Retry-After": "7"}, details=[errors.Detail("/a/0", "is wrong")])
    response = answered(error)
    assert response.status_code == 429
    assert response["Retry-After"] == "7"
    assert response.data == {
        "id": "too-many-requests",
        "code": 429,
        "request-ip": "192.0.2.7",
        "resource": [],
        "message": None,
        "error": {
            "code": 429,
            "message": "Too many requests.",
            "details": [{"path": "/a/0", "message": "is wrong"}],
        },
    }


@pytest.mark.parametrize(
    ("error", "status", "code", "slug"),
    [
        (errors.BadRequest(), 400, 400, "bad-request"),
        (errors.WrongCredentials(), 401, 401, "unauthorized"),
        (errors.MissingScope(), 401, 401, "unauthorized"),
        (errors.NothingChanged(), 402, 402, "request-failed"),
        (errors.InvalidToken(), 403, 436, "forbidden"),
        (errors.AddressNotAllowed(), 403, 437, "forbidden"),
        (errors.NotFound(), 404, 404, "not-found"),
        (errors.MethodNotAllowed(), 405, 405, "method-not-allowed"),
        (errors.NotAcceptable(), 406, 406, "not-acceptable"),
        (errors.RequestTimeout(), 408, 408, "request-timeout"),
        (errors.Conflict(), 409, 409, "conflict"),
        (errors.PreconditionFailed(), 412, 412, "precondition-failed"),
        (errors.BodyTooLarge(), 413, 413, "content-too-large"),
        (errors.UnsupportedMediaType(), 415, 415, "unsupported-media-type"),
        (errors.TooManyRequests(), 429, 429, "too-many-requests"),
        (errors.ServerError(), 500, 500, "server-error"),
        (errors.ServiceUnavailable(), 503, 503, "server-error"),
    ],
)
def test_the_error_table(error: errors.FlowizeError, status: int, code: int, slug: str) -> None:
    response = answered(error)
    data = response.data
    assert (response.status_code, data["code"], data["error"]["code"], data["id"]) == (status, status, code, slug)
    assert data["error"]["message"] == error.default_message


@pytest.mark.parametrize(
    ("exc", "kind"),
    [
        (Http404("secret path"), errors.NotFound),
        (exceptions.NotFound("x"), errors.NotFound),
        (PermissionDenied("x"), errors.Forbidden),
        (exceptions.PermissionDenied("x"), errors.Forbidden),
        (exceptions.MethodNotAllowed("PATCH"), errors.MethodNotAllowed),
        (exceptions.NotAcceptable(), errors.NotAcceptable),
        (exceptions.UnsupportedMediaType("text/x"), errors.UnsupportedMediaType),
        (exceptions.ParseError("x"), errors.BadRequest),
        (RequestDataTooBig("x"), errors.BodyTooLarge),
        (OperationalError("FATAL: password of user"), errors.ServiceUnavailable),
        (InterfaceError("x"), errors.ServiceUnavailable),
        (ValueError("secret"), errors.ServerError),
        (KeyError("secret"), errors.ServerError),
    ],
)
def test_foreign_exceptions_are_translated_and_say_nothing_of_their_cause(
    exc: Exception, kind: type[errors.FlowizeError]
) -> None:
    error = as_flowize_error(exc)
    assert type(error) is kind
    assert "secret" not in error.message
    assert "password" not in error.message


def test_a_database_that_is_away_asks_to_come_back() -> None:
    response = answered(OperationalError("connection refused"))
    assert (response.status_code, response["Retry-After"]) == (503, "2")


def test_too_large_names_the_limit(settings: Any) -> None:
    settings.BODY_LIMIT = 123
    assert as_flowize_error(RequestDataTooBig()).message == "The request body is larger than 123 bytes."
