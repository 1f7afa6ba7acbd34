"""One request and its answer: reading, proving who calls, carrying out, and telling what went wrong."""

import hashlib
import json
import re
from collections.abc import Mapping

import structlog
from django.http import HttpRequest, HttpResponse
from django.utils.http import parse_header_parameters

from apps.applications.caller import Caller
from apps.applications.carriers import host_of
from apps.applications.idempotency import HEADER, REPLAYED, Answer, answer_once
from apps.applications.ratelimit import RateState, count_call, count_delivery, count_failed_login
from apps.core.errors import BadRequest, FlowizeError, UnsupportedMediaType
from apps.core.http.client import address_of
from apps.core.http.envelope import slug
from apps.core.http.exception_handler import as_flowize_error
from apps.core.jsonio import write_json
from apps.soap.acts import Outcome, read_document
from apps.soap.charsets import recode
from apps.soap.credentials import caller_of
from apps.soap.envelope import Message, read_message, version_of
from apps.soap.faults import DELIVERED, Fault, delivered, new_id, version_expected, write_fault
from apps.soap.nodes import read_tree
from apps.soap.operations import ALIAS, AUTH, OBJECTS, Operation
from apps.soap.reading import Call, operation_named, read_call
from apps.soap.writing import write_answer
from apps.triggers.carriers import delivery_in
from apps.triggers.services import receive
from apps.webhooks.receivers import find_receiver

log = structlog.get_logger(__name__)

MEDIA_TYPES = ("text/xml", "application/soap+xml", "application/xml")
# Where callers paste the whole address of a webhook for its uri.
WEBHOOK_ADDRESS = re.compile(r".*/v1/webhook/([^/]+)/?")


class Exchange:
    """What is known of a request on the way to its answer."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        self.address = address_of(request)
        self.version = version_expected(request.META.get("CONTENT_TYPE", ""))
        self.rate: RateState | None = None
        self.headers: dict[str, str] = {}

    def answer(self) -> HttpResponse:
        """The answer, a Fault where the call cannot be carried out."""
        try:
            call = self._call()
            structlog.contextvars.bind_contextvars(operation=call.name)
            return self._deliver(call) if call.operation.act is None else self._carry_out(call)
        except Exception as error:  # noqa: BLE001 - whatever happens, the caller reads a Fault
            return self._refused(error)

    def _call(self) -> Call:
        charset, action = self._content_type()
        root = read_tree(recode(self.request.body, charset))
        self.version = version_of(root)
        message = read_message(root, self.version)
        _check_action(message, self.request.headers.get("SOAPAction") or action)
        return read_call(message)

    def _content_type(self) -> tuple[str | None, str]:
        """The charset and the action that the content type names, when it is one that is read."""
        media_type, parameters = parse_header_parameters(self.request.META.get("CONTENT_TYPE", ""))
        if media_type.lower() not in MEDIA_TYPES:
            raise UnsupportedMediaType(f"Send the message as {', '.join(MEDIA_TYPES[:2])} or {MEDIA_TYPES[2]}.")
        if self.request.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
            raise UnsupportedMediaType("The body must not be compressed or encoded otherwise.")
        return parameters.get("charset"), parameters.get("action", "")

    def _carry_out(self, call: Call) -> HttpResponse:
        caller = caller_of(self.request, call.tokens, call.given)
        self.rate = count_call(caller)
        self.rate.require()
        caller.require(call.operation.scope)
        outcome = self._once(caller, call)
        if call.name == ALIAS:
            return self._respond(200, _alias_answer(self, outcome))
        return self._respond(200, self._written(call, outcome))

    def _once(self, caller: Caller, call: Call) -> Outcome:
        """What the operation answers; a change that was made under the same ``Idempotency-Key`` is not made again."""
        operation, key = call.operation, self.request.headers.get(HEADER)
        assert operation.act is not None  # noqa: S101 - deliveries go another way
        act = operation.act
        if key is None or not operation.changes:
            return act(caller, call.given)

        def answer() -> Answer:
            outcome = act(caller, call.given)
            return Answer(operation.code, write_json([outcome.resource, outcome.message]).decode())

        given, replayed = answer_once(caller, key, _fingerprint(call), answer)
        if replayed:
            self.headers[REPLAYED] = "true"
        return Outcome(*json.loads(given.document))

    def _deliver(self, call: Call) -> HttpResponse:
        """Take in a delivery to a webhook; its uri is the only credential."""
        uri = call.given.required("Uri")
        found = WEBHOOK_ADDRESS.fullmatch(uri)
        receiver = find_receiver(found[1] if found else uri, host=host_of(self.request), address=self.address)
        self.rate = count_delivery(receiver.webhook_id, receiver.rate_limit)
        self.rate.require()
        payload = read_document("Payload", call.given.required("Payload"))
        receipt = receive(receiver, payload, address=self.address, delivery=delivery_in(self.request))
        if receipt.repeated:
            self.headers[REPLAYED] = "true"
        if fault := delivered():
            return self._fault(fault, {})
        return self._respond(200, self._written(call, Outcome("", DELIVERED)))

    def _written(self, call: Call, outcome: Outcome) -> bytes:
        operation: Operation = call.operation
        members = {
            "Id": slug(operation.code),
            "Code": str(operation.code),
            "RequestIP": self.address,
            "Resource": outcome.resource,
            "Message": outcome.message,
            "Error": operation.error,
        }
        return write_answer(self.version, call.name, members.items())

    def _refused(self, cause: Exception) -> HttpResponse:
        error = as_flowize_error(cause)
        if self.rate is None:
            error = self._counted(error)
        return self._fault(Fault.of(error), error.headers, cause)

    def _counted(self, error: FlowizeError) -> FlowizeError:
        """Count a call of nobody known against its address; the error is another when that has called too often."""
        try:
            self.rate = count_failed_login(self.address)
            self.rate.require()
        except Exception as other:  # noqa: BLE001 - the database may be away
            return as_flowize_error(other)
        return error

    def _fault(self, fault: Fault, headers: Mapping[str, str], cause: Exception | None = None) -> HttpResponse:
        fault_id = new_id()
        structlog.contextvars.bind_contextvars(fault=fault.word or fault.code, fault_id=fault_id)
        if fault.status >= 500 and cause is not None and fault.code != 201:
            log.error("request failed", error=type(cause).__name__, exc_info=cause if fault.status == 500 else None)
        self.headers |= headers
        return self._respond(fault.http_status(self.version), write_fault(fault, self.version, fault_id))

    def _respond(self, status: int, body: bytes) -> HttpResponse:
        headers = {"Cache-Control": "no-store", **(self.rate.headers if self.rate else {}), **self.headers}
        content_type = f"{self.version.content_type}; charset=utf-8"
        return HttpResponse(body, status=status, content_type=content_type, headers=headers)


def _alias_answer(exchange: Exchange, outcome: Outcome) -> bytes:
    members = {"Result": "SUCCESS", "DataRecordID": outcome.resource, "Message": outcome.message}
    return write_answer(exchange.version, ALIAS, members.items(), accessor="return", kind=f"{ALIAS}Response")


def _check_action(message: Message, action: str) -> None:
    """An action is a hint that proxies go by; one that names another operation is a trap, everything else is noise."""
    named = re.split(r"[#/:]", action.strip().strip("\"'"))[-1]
    if operation_named(named) is not None and named != message.operation:
        raise BadRequest(f"The SOAPAction names {named}, the message calls {message.operation[:40]}.")


def _fingerprint(call: Call) -> str:
    """What tells calls of one caller apart; credentials may be others the second time."""
    texts = {name: text for name, text in call.given.texts.items() if name not in OBJECTS[AUTH]}
    return hashlib.sha256(write_json([call.name, dict(sorted(texts.items())), call.given.customer])).hexdigest()
