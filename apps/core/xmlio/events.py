"""One safe way through an XML document, on the standard library's expat: no DTD, no entities, every size bounded.

What the elements mean is up to a handler, so that documents of different kinds share the rules of reading.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, NoReturn, Protocol
from xml.parsers import expat

from apps.core.errors import BadRequest

XML_NAMESPACE = "http://www.w3.org/XML/1998/namespace"
XINCLUDE_NAMESPACE = "http://www.w3.org/2001/XInclude"
ENCODINGS = ("utf-8", "utf8")
PIECE = 64 * 1024
# Looked for where a tag begins; nothing is tried twice, so that a miss costs no more than a look at each character.
_ATTRIBUTES = r"""<[^\s<>/!?]++(?:\s++[^\s<>=/"']++\s*+=\s*+(?:"[^"<]*+"|'[^'<]*+')){%d}"""


class Name(NamedTuple):
    """A name without its prefix, and the namespace the prefix stood for."""

    namespace: str | None
    local: str


Attributes = Sequence[tuple[Name, str]]


class Handler(Protocol):
    """What is told of a document; it may raise ``XMLFault``, and the caller learns where."""

    def start(self, name: Name, attributes: Attributes) -> None:
        """An element begins."""

    def text(self, data: str) -> None:
        """A piece of the open element's text."""

    def end(self) -> None:
        """The open element ends."""


class NotXML(BadRequest):
    """The document is not well-formed."""


class XMLFault(Exception):
    """The document cannot be read; the text says why, as the beginning of a sentence."""

    line = column = 0


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a document may be: ``depth`` in elements inside one another, ``attributes`` of one element.

    ``markup`` is how long one tag or comment may be, in bytes, about; ``None`` leaves it to the rest.
    """

    depth: int = 101
    elements: int = 300_000
    attributes: int = 256
    name_length: int = 512
    markup: int | None = None


DEFAULT = Limits()


def read_events(
    body: bytes | str,
    handler: Handler,
    limits: Limits = DEFAULT,
    prefixes: Mapping[str, str] | None = None,
    *,
    recoded: bool = False,
) -> None:
    """Tell ``handler`` of every element, in time that grows with the length of the document.

    Bytes must be UTF-8, and declare nothing else unless they were ``recoded``; text has been decoded already, and what
    it declares itself to be is ignored. ``prefixes`` are taken for declared. Comments and processing instructions are
    passed over. Raises ``BadRequest`` with line and column.
    """
    document = _utf8(body)
    parser = expat.ParserCreate("utf-8")
    driver = _Driver(handler, limits, dict(prefixes or {}))
    parser.buffer_text, parser.buffer_size, parser.ordered_attributes = True, 65536, True
    parser.StartElementHandler = _located(parser, driver.start)
    parser.EndElementHandler = _located(parser, driver.end)
    parser.CharacterDataHandler = handler.text
    parser.StartDoctypeDeclHandler = _located(parser, driver.refuse_doctype)
    if isinstance(body, bytes) and not recoded:
        parser.XmlDeclHandler = _located(parser, driver.check_declaration)
    try:
        _feed(parser, document, limits)
    except XMLFault as fault:
        _refuse(BadRequest, str(fault), fault.line, fault.column)
    except expat.ExpatError as error:
        _refuse(NotXML, f"Not valid XML: {expat.errors.messages[error.code]}", error.lineno, error.offset)


def _feed(parser: expat.XMLParserType, document: bytes, limits: Limits) -> None:
    """Hand over the document in pieces, so that a fault near its beginning ends the work there.

    expat takes in a whole tag before anybody is told of its attributes. Pieces grow while one is open, because expat
    begins an open one again with each.
    """
    begin, size = 0, PIECE
    while begin + size < len(document):
        parser.Parse(document[begin : begin + size], False)
        begin += size
        opened = parser.CurrentByteIndex
        size = max(PIECE, begin - opened)
        if begin - opened >= PIECE and (reason := _fault_of_open(document, opened, begin, limits)):
            fault = XMLFault(reason)
            fault.line, fault.column = parser.CurrentLineNumber, parser.CurrentColumnNumber
            raise fault
    parser.Parse(document[begin:], True)


def _fault_of_open(document: bytes, opened: int, end: int, limits: Limits) -> str | None:
    """What is wrong with a tag or comment that has not ended at ``end``, if anything is."""
    if re.compile((_ATTRIBUTES % (limits.attributes + 1)).encode()).match(document, opened, end):
        return _too_many_attributes(limits)
    if limits.markup is not None and end - opened > limits.markup:
        return f"A tag or comment is longer than {limits.markup} bytes"
    return None


def _too_many_attributes(limits: Limits) -> str:
    return f"An element has more than {limits.attributes} attributes"


def _utf8(body: bytes | str) -> bytes:
    """The document's bytes, once they are UTF-8: left alone, expat would look for other encodings by itself."""
    try:
        document = body.encode() if isinstance(body, str) else body
        if isinstance(body, bytes) and not body.isascii():
            body.decode()
    except UnicodeError:  # a text may bring surrogates of its own
        raise BadRequest("The document is not UTF-8.") from None
    if b"\0" in document:
        raise BadRequest("The document holds a NUL character.")
    return document


def _located(parser: expat.XMLParserType, callback: Callable[..., None]) -> Callable[..., None]:
    """Note the place of a fault: once it is out of the callback, expat has moved on."""

    def call(*arguments: Any) -> None:
        try:
            callback(*arguments)
        except XMLFault as fault:
            fault.line, fault.column = parser.CurrentLineNumber, parser.CurrentColumnNumber
            raise

    return call


def _refuse(kind: type[BadRequest], reason: str, line: int, column: int) -> NoReturn:
    raise kind(f"{reason} at line {line}, column {column + 1}.") from None


@dataclass(slots=True)
class _Driver:
    """Holds the limits and resolves prefixes between expat and a handler."""

    handler: Handler
    limits: Limits
    prefixes: dict[str, str]
    depth: int = 0
    elements: int = 0
    names: dict[str, Name] = field(default_factory=dict)
    """The elements' names as they are resolved with the present prefixes."""
    attribute_names: dict[str, Name] = field(default_factory=dict)
    """Those of attributes, which have no default namespace."""
    outer: list[dict[str, str | None] | None] = field(default_factory=list)
    """For each open element what its own prefixes stood for around it, where it has declared some."""

    def start(self, qualified: str, pairs: list[str]) -> None:
        self.depth += 1
        self.elements += 1
        if self.depth > self.limits.depth or self.elements > self.limits.elements:
            self._refuse_size()
        self.outer.append(self._declare(pairs) if pairs else None)
        name = self.names.get(qualified)
        if name is None:
            name = self.names[qualified] = self._element_name(qualified)
        self.handler.start(name, self._attributes(pairs) if pairs else ())

    def end(self, qualified: str) -> None:
        self.depth -= 1
        if (outer := self.outer.pop()) is not None:
            self._restore(outer)
        self.handler.end()

    @staticmethod
    def refuse_doctype(*declared: object) -> NoReturn:
        raise XMLFault("A document type declaration is not accepted")

    @staticmethod
    def check_declaration(version: str, encoding: str | None, standalone: int) -> None:
        if encoding is not None and encoding.lower() not in ENCODINGS:
            raise XMLFault("The only encoding that is read is UTF-8; the document declares another")

    def _refuse_size(self) -> NoReturn:
        if self.depth > self.limits.depth:
            raise XMLFault(f"The document is nested more than {self.limits.depth} elements deep")
        raise XMLFault(f"The document has more than {self.limits.elements} elements")

    def _element_name(self, qualified: str) -> Name:
        name = self._resolve(qualified, self.prefixes.get(""))
        if name.namespace == XINCLUDE_NAMESPACE:
            raise XMLFault("XInclude is not supported")
        return name

    def _declare(self, pairs: list[str]) -> dict[str, str | None] | None:
        """Note the prefixes that an element declares; returns what those stood for before, if it declares any."""
        if len(pairs) > 2 * self.limits.attributes:
            raise XMLFault(_too_many_attributes(self.limits))
        if not any(name.startswith("xmlns") for name in pairs[::2]):
            return None
        declared = {
            name.partition(":")[2]: value
            for name, value in zip(pairs[::2], pairs[1::2], strict=True)
            if name == "xmlns" or name.startswith("xmlns:")
        }
        if not declared:
            return None
        outer = {prefix: self.prefixes.get(prefix) for prefix in declared}
        self.prefixes.update(declared)
        self.names, self.attribute_names = {}, {}
        return outer

    def _restore(self, outer: Mapping[str, str | None]) -> None:
        # Only what changed: a copy of all prefixes for each element would take quadratic time.
        for prefix, meaning in outer.items():
            if meaning is None:
                del self.prefixes[prefix]
            else:
                self.prefixes[prefix] = meaning
        self.names, self.attribute_names = {}, {}

    def _attributes(self, pairs: list[str]) -> Attributes:
        found: dict[Name, str] = {}
        for qualified, value in zip(pairs[::2], pairs[1::2], strict=True):
            if qualified == "xmlns" or qualified.startswith("xmlns:"):
                continue
            name = self.attribute_names.get(qualified)
            if name is None:
                name = self.attribute_names[qualified] = self._resolve(qualified, None)
            if name in found:
                raise XMLFault(f"The attribute {name.local} is given twice")
            found[name] = value
        return list(found.items())

    def _resolve(self, qualified: str, default: str | None) -> Name:
        if len(qualified) > self.limits.name_length:
            raise XMLFault(f"A name has more than {self.limits.name_length} characters")
        prefix, colon, local = qualified.partition(":")
        if not colon:
            return Name(default or None, prefix)
        if not prefix or not local or ":" in local:
            raise XMLFault("A name has a colon in a wrong place")
        namespace = XML_NAMESPACE if prefix == "xml" else self.prefixes.get(prefix)
        if not namespace:
            raise XMLFault(f"The prefix {prefix[:24]} is not declared")
        return Name(namespace, local)
