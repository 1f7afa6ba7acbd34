"""From XML to a JSON value.

The root's name is dropped. An element with children is an object, repeated tags make a list, attributes become
``@name``, text beside children or attributes ``#text``; any other element is a string. Marks (``type="integer"``) say
otherwise. Prefixes are dropped: an element is known by its local name.
"""

from collections.abc import Callable
from typing import Any

from apps.core import jsonio
from apps.core.errors import BadRequest
from apps.core.jsonio import JSON
from apps.core.xmlio import marks
from apps.core.xmlio.events import Attributes, Limits, Name, XMLFault, read_events

XSI = "http://www.w3.org/2001/XMLSchema-instance"
MOST_ELEMENTS = 20_000_000  # of a document that is not kept in memory
TRUTHS = {"true": True, "1": True, "false": False, "0": False}


def read_xml(body: bytes | str, *, limits: jsonio.Limits = jsonio.DEFAULT) -> JSON:
    """Read one document; its value has passed the same checks as one that came as JSON.

    Raises ``BadRequest`` with line and column of what cannot be read, or as ``jsonio.check_value`` does.
    """
    values = _Values()
    # A container of the last level may still hold plain values.
    read_events(body, values, Limits(depth=limits.depth + 1, name_length=limits.key_length))
    jsonio.check_value(values.result, limits=limits)
    return values.result


def read_xml_items(body: bytes | str, take: Callable[[JSON], None], *, limits: jsonio.Limits = jsonio.DEFAULT) -> None:
    """Read a document whose root holds one value after the other, and hand each to ``take`` as soon as it is read.

    The values are not checked as ``read_xml`` checks its one. Raises ``BadRequest`` with line and column.
    """
    read_events(
        body, _Items(take), Limits(depth=limits.depth + 2, elements=MOST_ELEMENTS, name_length=limits.key_length)
    )


class _Open:
    """An element whose end has not come yet."""

    __slots__ = ("items", "key", "mark", "members", "repeated", "text")

    def __init__(self, key: str, mark: str | None, members: dict[str, Any]) -> None:
        self.key = key
        self.mark = mark
        self.members = members
        self.items: list[Any] = []
        self.repeated: set[str] | None = None
        self.text: list[str] = []

    def add(self, key: str, value: Any) -> None:
        """Take in a child; one whose key has come before makes a list of it."""
        if self.mark == marks.ARRAY:
            self.items.append(value)
        elif key not in self.members:
            self.members[key] = value
        elif self.repeated and key in self.repeated:
            self.members[key].append(value)
        else:
            self.members[key] = [self.members[key], value]
            self.repeated = (self.repeated or set()) | {key}


class _Values:
    """Builds the value while the document is read, so that no tree is kept beside it."""

    def __init__(self) -> None:
        self.result: Any = None
        self.open: list[_Open] = []

    def start(self, name: Name, attributes: Attributes) -> None:
        key, mark, members = name.local, None, {}
        if attributes:
            mark, plain = _mark(attributes)
            if name.local == marks.ENTRY:
                key = _key(plain)
            members = {marks.ATTRIBUTE + local: value for local, value in plain.items()}
        self.open.append(_Open(key, mark, members))

    def text(self, data: str) -> None:
        self.open[-1].text.append(data)

    def end(self) -> None:
        ended = self.open.pop()
        value = _value(ended)
        if self.open:
            self.open[-1].add(ended.key, value)
        else:
            self.result = value


class _Items(_Values):
    """Hands out what is inside the root instead of keeping it."""

    def __init__(self, take: Callable[[JSON], None]) -> None:
        super().__init__()
        self.take = take

    def end(self) -> None:
        """A child of the root is an item."""
        if len(self.open) == 2:
            self.take(_value(self.open.pop()))
        else:
            super().end()


def _mark(attributes: Attributes) -> tuple[str | None, dict[str, str]]:
    """The mark among the attributes, and the attributes that are data, by their local names."""
    mark = None
    plain: dict[str, str] = {}
    for (namespace, local), value in attributes:
        if namespace == XSI:
            if local == "nil" and TRUTHS.get(value.strip()):
                mark = marks.NULL
        elif namespace is None and local == marks.TYPE and value in marks.MARKS:
            mark = value
        elif local in plain:
            raise XMLFault(f"The attribute {local} is given twice")
        else:
            plain[local] = value
    return mark, plain


def _key(plain: dict[str, str]) -> str:
    """The key of an ``entry``, which is taken out of its attributes."""
    if marks.KEY in plain:
        return plain.pop(marks.KEY)
    if marks.ESCAPED_KEY in plain:
        return _unescaped(plain.pop(marks.ESCAPED_KEY))
    return marks.ENTRY


def _value(ended: _Open) -> Any:
    text = "".join(ended.text)
    if ended.mark is None:
        return _object(ended.members, text) if ended.members else text
    if ended.mark == marks.OBJECT:
        return _object(ended.members, text)
    if ended.members:
        raise XMLFault(f"An element of type {ended.mark} holds what cannot be in it")
    if ended.mark == marks.ARRAY:
        if text.strip(marks.BLANK):
            raise XMLFault("An element of type array holds text")
        return ended.items
    return _SCALARS[ended.mark](text)


def _object(members: dict[str, Any], text: str) -> dict[str, Any]:
    if text := text.strip(marks.BLANK):
        members[marks.TEXT] = text
    return members


def _integer(text: str) -> int:
    value = _json(text)
    if type(value) is not int:
        raise XMLFault("An element of type integer holds something else")
    return value


def _number(text: str) -> int | float:
    value = _json(text)
    if type(value) not in (int, float):
        raise XMLFault("An element of type number holds something else")
    return value


def _json(text: str) -> Any:
    """A number, read as everywhere: range and digits included."""
    try:
        return jsonio.read_json(text.strip(marks.BLANK))
    except BadRequest as error:
        unread = error.message.startswith("Not valid JSON")
        raise XMLFault("The number cannot be read" if unread else error.message.rstrip(".")) from None


def _boolean(text: str) -> bool:
    try:
        return TRUTHS[text.strip(marks.BLANK)]
    except KeyError:
        raise XMLFault("An element of type boolean holds neither true nor false") from None


def _null(text: str) -> None:
    if text.strip(marks.BLANK):
        raise XMLFault("An element of type null holds text")


def _unescaped(text: str) -> str:
    try:
        return marks.unescape(text)
    except ValueError:
        raise XMLFault("A backslash begins no escape") from None


_SCALARS: dict[str, Any] = {
    marks.STRING: str,
    marks.INTEGER: _integer,
    marks.NUMBER: _number,
    marks.BOOLEAN: _boolean,
    marks.NULL: _null,
    marks.ESCAPED: _unescaped,
}
