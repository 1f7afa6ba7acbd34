"""The one family of errors that services raise; its members are the published error table.

Each class names its HTTP status, the ``error.code`` callers see and the standing text. Deliveries turn them into
envelopes (``core.http.exception_handler``) or Faults; no other place builds an error body.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Detail:
    """One fault of a document: ``path`` is a JSON Pointer (or a parameter's name), ``message`` says what is wrong."""

    path: str
    message: str


class FlowizeError(Exception):
    """The request could not be fulfilled."""

    status = 500
    code = 500
    default_message = "We had a problem with our server. Try again later."

    def __init__(
        self,
        message: str | None = None,
        *,
        details: Sequence[Detail] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.message = message or self.default_message
        self.details = tuple(details)
        self.headers = dict(headers or {})
        super().__init__(self.message)


class BadRequest(FlowizeError):
    """A parameter is missing or cannot be read, or the document does not fit."""

    status = code = 400
    default_message = "The request is not valid."


class WrongCredentials(FlowizeError):
    """No credentials, unknown ones, or of a kind that the call or the application does not take."""

    status = code = 401
    default_message = "The credentials are not correct."


class MissingScope(FlowizeError):
    """The caller is known but lacks the scope the call needs."""

    status = code = 401
    default_message = "The permissions are not correct."


class NothingChanged(FlowizeError):
    """Nothing of what the call names may change that way."""

    status = code = 402
    default_message = "The parameters were valid but the request failed."


class Forbidden(FlowizeError):
    """Keys in a URL that the application does not allow; plain HTTP where HTTPS is required."""

    status = code = 403
    default_message = "Your request is not allowed."


class InvalidToken(Forbidden):
    """The access token is unknown, expired or revoked."""

    code = 436
    default_message = "Access token not valid."


class AddressNotAllowed(Forbidden):
    """The client's address is not on the list of the application or webhook."""

    code = 437
    default_message = "Ip not valid."


class RecordInUse(Forbidden):
    """A worker is processing the record at this moment."""

    default_message = "Data record cannot be changed: it is being used"


class NotFound(FlowizeError):
    """No such path, or no such row in the caller's workspace."""

    status = code = 404
    default_message = "The requested resource doesn't exist."


class MethodNotAllowed(FlowizeError):
    """The path exists but not for this method; ``Allow`` names those it takes."""

    status = code = 405
    default_message = "The method is not allowed for this path."


class NotAcceptable(FlowizeError):
    """``Accept`` allows none of the formats there are."""

    status = code = 406
    default_message = "The requested format is not available."


class RequestTimeout(FlowizeError):
    """The request did not arrive in full within 30 seconds."""

    status = code = 408
    default_message = "The request took too long. Try later."


class Conflict(FlowizeError):
    """A name is taken, or the present state does not allow the change."""

    status = code = 409
    default_message = "The request conflicts with the current state."


class LengthRequired(FlowizeError):
    """The body has no Content-Length and the server cannot tell where it ends."""

    status = code = 411
    default_message = "The request needs a Content-Length."


class PreconditionFailed(FlowizeError):
    """The resource is no longer in the state named by ``If-Match``."""

    status = code = 412
    default_message = "The resource has changed since it was read."


class BodyTooLarge(FlowizeError):
    """The body is over ``BODY_LIMIT``."""

    status = code = 413
    default_message = "The request body is too large."


class AnswerTooLarge(FlowizeError):
    """The answer would be larger than the installation sends at once."""

    status = code = 413
    default_message = "The answer would be too large: ask for it in parts."


class UriTooLong(FlowizeError):
    """The request line is over 8,190 bytes."""

    status = code = 414
    default_message = "The request line is too long."


class UnsupportedMediaType(FlowizeError):
    """The body's Content-Type or charset is not one that can be read."""

    status = code = 415
    default_message = "The content type of the body is not supported."


class ExpectationFailed(FlowizeError):
    """The ``Expect`` header asks for something other than ``100-continue``."""

    status = code = 417
    default_message = "The expectation cannot be met."


class TooManyRequests(FlowizeError):
    """The caller's limit for this window is used up; ``Retry-After`` says when the next one begins."""

    status = code = 429
    default_message = "Too many requests."


class HeadersTooLarge(FlowizeError):
    """A header is over 8,190 bytes, or there are over 100 of them."""

    status = code = 431
    default_message = "The headers are too large or too many."


class ServerError(FlowizeError):
    """Something failed on our side; the request id leads to the log."""

    status = code = 500


class StorageFull(FlowizeError):
    """The environment holds as much as was ordered: remove something, or order more storage."""

    status = code = 507
    default_message = "The storage of this environment is used up."


class NotImplementedHere(FlowizeError):
    """The body comes in a transfer coding that is not supported."""

    status = code = 501
    default_message = "The transfer coding is not supported."


class ServiceUnavailable(FlowizeError):
    """The database cannot be reached just now; ``Retry-After`` says when to try again."""

    status = code = 503
    default_message = "The service is not available just now. Try again later."
