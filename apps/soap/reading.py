"""From a message to what its operation is given, by the table of operations."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from apps.core.errors import BadRequest
from apps.soap.acts import Given
from apps.soap.decoding import Decoder
from apps.soap.envelope import TOKENS, Message, shown
from apps.soap.nodes import Node
from apps.soap.operations import ALIAS, ALIAS_OPERATION, BASE64, OBJECTS, OPERATIONS, Operation

CUSTOMER = "Customer"
HEADER = "Header"


@dataclass(frozen=True, slots=True)
class Call:
    """An operation with what it is given; ``tokens`` are those in the header, and in the header inside ``input``."""

    name: str
    operation: Operation
    given: Given
    tokens: Sequence[str]


def read_call(message: Message) -> Call:
    """The call of a message; raises ``BadRequest`` naming the element that is not what it should be."""
    operation = operation_named(message.operation)
    if operation is None:
        raise BadRequest(f"There is no operation {shown(message.call)}.")
    decoder = Decoder(message.root)
    decoder.check(message.call)
    parts = _parts(decoder, message, operation)
    tokens = [*_tokens(decoder, message.header)]
    if HEADER in parts:
        tokens += _tokens(decoder, decoder.follow(parts[HEADER]).children)
    return Call(message.operation, operation, _given(decoder, parts, operation), tokens)


def operation_named(name: str) -> Operation | None:
    """The operation of that name, the old name included."""
    return ALIAS_OPERATION if name == ALIAS else OPERATIONS.get(name)


def _parts(decoder: Decoder, message: Message, operation: Operation) -> dict[str, Node]:
    """The members of ``input``."""
    call = message.call
    node = decoder.members(call, {"input"}, message.operation).get("input")
    if node is None and decoder.follow(call).children:
        raise BadRequest(f"{message.operation} holds no element input.")
    known = {*operation.members, HEADER} | ({CUSTOMER} if message.operation == ALIAS else set())
    return {} if node is None else decoder.members(node, known, "input")


def _given(decoder: Decoder, parts: dict[str, Node], operation: Operation) -> Given:
    texts = dict(_texts(decoder, parts, operation))
    if operation is not ALIAS_OPERATION:
        return Given(texts)
    if CUSTOMER not in parts:
        raise BadRequest(f"{CUSTOMER} is missing.")
    return Given(texts, decoder.json(parts[CUSTOMER]))


def _texts(decoder: Decoder, parts: dict[str, Node], operation: Operation) -> Iterator[tuple[str, str]]:
    for name in operation.members:
        if name not in parts:
            continue
        if name not in OBJECTS:
            yield name, decoder.text(parts[name], name)
            continue
        for member, node in decoder.members(parts[name], OBJECTS[name], name).items():
            yield member, decoder.text(node, f"{name}/{member}", base64_expected=member in BASE64)


def _tokens(decoder: Decoder, blocks: Sequence[Node]) -> Iterator[str]:
    """The tokens in header blocks, whichever namespace those are of."""
    for block in blocks:
        if block.name.local in TOKENS:
            found = {block.name.local: block}
        elif block.name.local == "AuthenticationHeader":
            found = decoder.members(block, TOKENS, block.name.local)
        else:
            continue
        yield from filter(None, (decoder.text(node, name) for name, node in found.items()))
