"""Every refusal as a Fault: which code it has, and how both versions of SOAP spell it."""

import base64
import secrets
from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings

from apps.core.errors import BadRequest, FlowizeError, WrongCredentials
from apps.soap.namespaces import SOAP_11, SOAP_12, Version
from apps.soap.writing import DECLARATION, escaped

CREDENTIALS_CODE = 404
BOTH_VERSIONS = frozenset({"VersionMismatch", "MustUnderstand"})
# These say something of the message as a whole and are understood by what stands between caller and SOAP.
TRANSPORT_STATUSES = frozenset({405, 408, 411, 413, 415, 417, 503})


class NotSoap(BadRequest):
    """The body is no SOAP message."""

    word = "Client"


class VersionMismatch(NotSoap):
    """The Envelope is of a version that is not spoken here."""

    word = "VersionMismatch"


class NotUnderstood(BadRequest):
    """A header block that must be understood is not known."""

    word = "MustUnderstand"


@dataclass(frozen=True, slots=True)
class Fault:
    """What a Fault says; ``word`` is its code by the standard where that is not the number."""

    code: int
    text: str
    details: tuple[tuple[str, str], ...] = ()
    word: str = ""
    status: int = 500

    @classmethod
    def of(cls, error: FlowizeError) -> "Fault":
        """The Fault of an error; credentials that are wrong or missing have a code of their own in SOAP."""
        return cls(
            code=CREDENTIALS_CODE if isinstance(error, WrongCredentials) else error.code,
            text=error.message,
            details=tuple((_key(detail.path), detail.message) for detail in error.details),
            word=getattr(error, "word", ""),
            status=error.status,
        )

    def http_status(self, version: Version) -> int:
        """500 in SOAP 1.1, because its clients read nothing else; in SOAP 1.2 also 400, for what the caller did."""
        if self.code == 201:
            return 200
        if self.status in TRANSPORT_STATUSES:
            return self.status
        sender = version.is_12 and self.status < 500 and self.word not in BOTH_VERSIONS
        return 400 if sender else 500

    def items(self) -> Iterator[tuple[str, str]]:
        """What stands in the detail: the code, the text, then each fault of a document by its path."""
        yield "code", str(self.code)
        yield "message", self.text
        yield from self.details


def new_id() -> str:
    """An id that leads from a Fault to the log: 88 hexadecimal digits, as the actor of a Fault has always had."""
    return base64.b64encode(secrets.token_bytes(32)).hex()


def write_fault(fault: Fault, version: Version, fault_id: str) -> bytes:
    """The message that carries a Fault."""
    pairs = ((escaped(key), escaped(value)) for key, value in fault.items())
    items = "".join(f"<item><key>{key}</key><value>{value}</value></item>" for key, value in pairs)
    text, code = (_FAULT_12, _code_12(fault)) if version.is_12 else (_FAULT_11, _code_11(fault))
    filled = text.format(envelope=version.envelope, code=code, text=escaped(fault.text), id=fault_id, items=items)
    return (DECLARATION + filled).encode()


def write_refusal(content_type: str, error: FlowizeError) -> tuple[str, bytes]:
    """A Fault for a call that is refused before it is read; its content type tells the version.

    Such a refusal keeps its own HTTP status, since what stands between caller and SOAP must understand it.
    """
    version = version_expected(content_type)
    return f"{version.content_type}; charset=utf-8", write_fault(Fault.of(error), version, new_id())


def version_expected(content_type: str) -> Version:
    """The version that a message of that content type is likely of."""
    return SOAP_12 if content_type.partition(";")[0].strip().lower() == SOAP_12.content_type else SOAP_11


def delivered() -> Fault | None:
    """The Fault 201 that old integrations take for the success of ``webhook``, where the installation sends it."""
    return Fault(201, DELIVERED) if settings.SOAP_WEBHOOK_SUCCESS == "fault" else None


DELIVERED = "Webhook response has been saved successfully"


def _key(path: str) -> str:
    """Under which key the fault of a document stands: its place, told apart from ``code`` and ``message``."""
    return f"details/{path.removeprefix('/')}"


def _code_11(fault: Fault) -> str:
    return f"SOAP-ENV:{fault.word}" if fault.word else str(fault.code)


def _code_12(fault: Fault) -> str:
    if fault.word in BOTH_VERSIONS:
        return fault.word
    return "Receiver" if fault.status >= 500 else "Sender"


_FAULT_11 = (
    '<SOAP-ENV:Envelope xmlns:SOAP-ENV="{envelope}"><SOAP-ENV:Body><SOAP-ENV:Fault><faultcode>{code}</faultcode>'
    "<faultstring>{text}</faultstring><faultactor>{id}</faultactor><detail>{items}</detail></SOAP-ENV:Fault>"
    "</SOAP-ENV:Body></SOAP-ENV:Envelope>"
)
_FAULT_12 = (
    '<env:Envelope xmlns:env="{envelope}"><env:Body><env:Fault><env:Code><env:Value>env:{code}</env:Value></env:Code>'
    '<env:Reason><env:Text xml:lang="en">{text}</env:Text></env:Reason><env:Role>{id}</env:Role>'
    "<env:Detail>{items}</env:Detail></env:Fault></env:Body></env:Envelope>"
)
