"""From the root of a message to the one call in it."""

from collections.abc import Sequence
from dataclasses import dataclass

from apps.core.errors import BadRequest
from apps.soap.faults import NotSoap, NotUnderstood, VersionMismatch
from apps.soap.namespaces import NEXT_ACTORS, SERVICE, VERSIONS, Version
from apps.soap.nodes import Node

# Header blocks that carry a token.
TOKENS = frozenset({"AccessToken", "SessionID"})
UNDERSTOOD = TOKENS | {"AuthenticationHeader"}
YES = frozenset({"1", "true"})
LONGEST_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Message:
    """A call: the name of its operation, its element, and the header blocks beside it."""

    root: Node
    version: Version
    operation: str
    call: Node
    header: Sequence[Node]


def version_of(root: Node) -> Version:
    """The version of the Envelope; raises ``NotSoap`` when it is none, ``VersionMismatch`` for another version."""
    if root.name.local != "Envelope":
        raise NotSoap(f"The document is no SOAP message: its root is {shown(root)}, not Envelope.")
    version = VERSIONS.get(root.name.namespace or "")
    if version is None:
        raise VersionMismatch("The Envelope is neither of SOAP 1.1 nor of SOAP 1.2.")
    return version


def read_message(root: Node, version: Version) -> Message:
    """The call in an Envelope of that version.

    Raises ``NotSoap`` without a Body, ``NotUnderstood`` for a header block that must be understood, ``BadRequest``
    for a Body with no call or several.
    """
    body = _part(root, version, "Body")
    if body is None:
        raise NotSoap("The Envelope has no Body.")
    header = _part(root, version, "Header")
    blocks = header.children if header else []
    for block in blocks:
        _check_understood(block, version)
    call = _only_call(body)
    if call.name.namespace != SERVICE:
        raise BadRequest(f"The operation {shown(call)} is not in the namespace {SERVICE}.")
    return Message(root, version, call.name.local, call, blocks)


def shown(node: Node) -> str:
    """The name of an element, as long as messages show it."""
    name = node.name.local
    return name if len(name) <= LONGEST_SHOWN else name[:LONGEST_SHOWN] + "…"


def _part(root: Node, version: Version, name: str) -> Node | None:
    found = [child for child in root.children if child.name == (version.envelope, name)]
    if len(found) > 1:
        raise BadRequest(f"The Envelope has more than one {name}.")
    return found[0] if found else None


def _check_understood(block: Node, version: Version) -> None:
    required = (block.get("mustUnderstand", version.envelope) or "").strip() in YES
    actor = block.get("role" if version.is_12 else "actor", version.envelope) or ""
    if required and actor in NEXT_ACTORS and block.name.local not in UNDERSTOOD:
        raise NotUnderstood(f"The header block {shown(block)} is not understood.")


def _only_call(body: Node) -> Node:
    """The first child; the others may only be what it refers to."""
    roots = [child for child in body.children if not is_target(child)] or body.children[:1]
    if not roots:
        raise BadRequest("The Body holds no call.")
    if len(roots) > 1:
        raise BadRequest(f"The Body holds more than one call: {shown(roots[0])} and {shown(roots[1])}.")
    return roots[0]


def is_target(node: Node) -> bool:
    """Whether an element can be referred to."""
    return any(name.local == "id" for name in node.attributes)
