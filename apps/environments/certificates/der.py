"""The little of DER that is needed to see a certificate as it was written, before anything interprets it."""

from collections.abc import Iterator
from dataclasses import dataclass

SEQUENCE, SET, INTEGER, OBJECT_IDENTIFIER, UTF8_STRING = 0x30, 0x31, 0x02, 0x06, 0x0C
_VERSION = 0xA0


class MalformedDer(ValueError):
    """The bytes are no DER of what they should be."""


@dataclass(frozen=True, slots=True)
class Element:
    """One value: its tag, its content and ``encoding``, which is tag, length and content."""

    tag: int
    content: bytes
    encoding: bytes

    def children(self) -> list["Element"]:
        """The values inside."""
        return list(_elements(self.content))


@dataclass(frozen=True, slots=True)
class Outline:
    """Parts of a certificate: ``serial`` as a number of either sign, the names and the signature's algorithm."""

    serial: int
    issuer: Element
    subject: Element
    signature_algorithm: str


def outline(certificate: bytes) -> Outline:
    """The parts of a DER certificate; raises MalformedDer."""
    try:
        whole, *rest = _elements(certificate)
        tbs, algorithm, *_ = whole.children()
        parts = tbs.children()
        serial, _, issuer, _, subject = parts[1:6] if parts[0].tag == _VERSION else parts[:5]
        oid = algorithm.children()[0]
    except (ValueError, IndexError):
        raise MalformedDer("The bytes are no certificate.") from None
    if rest or serial.tag != INTEGER or not serial.content:
        raise MalformedDer("The bytes are no certificate.")
    return Outline(int.from_bytes(serial.content, signed=True), issuer, subject, dotted(oid.content))


def encode(tag: int, content: bytes) -> bytes:
    """Tag, length and content."""
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes((tag, 0x80 | len(length))) + length + content


def dotted(content: bytes) -> str:
    """The content of an object identifier as people write it: ``2.5.4.3``."""
    numbers, number = [], 0
    for byte in content:
        number = number << 7 | byte & 0x7F
        if not byte & 0x80:
            numbers.append(number)
            number = 0
    if not numbers:
        raise MalformedDer("An object identifier is empty.")
    first = min(numbers[0] // 40, 2)
    return ".".join(map(str, (first, numbers[0] - 40 * first, *numbers[1:])))


def _elements(data: bytes) -> Iterator[Element]:
    start = 0
    while start < len(data):
        begin, end = _bounds(data, start)
        yield Element(data[start], data[begin:end], data[start:end])
        start = end


def _bounds(data: bytes, start: int) -> tuple[int, int]:
    begin = start + 2
    length = data[start + 1] if begin <= len(data) else len(data)
    if length & 0x80:
        begin += length & 0x7F
        length = int.from_bytes(data[start + 2 : begin])
    if not begin <= begin + length <= len(data) or data[start] & 0x1F == 0x1F:
        raise MalformedDer("A length does not fit.")
    return begin, begin + length
