"""What a form sends as a document: ``order[lines][0][count]:number`` is the number ``count`` of the first line.

Brackets lead into objects, with numbers or nothing in them into lists. A name that comes several times is a list of its
texts. Values are texts unless the name ends with ``:number`` or ``:boolean``. Any other name is taken as it is.
"""

import re
from collections.abc import Iterable
from typing import NoReturn

from apps.core.errors import BadRequest, Detail
from apps.core.jsonio import JSON, check_value, read_json

MOST_FIELDS = 1_000
DEEPEST = 20
_NAME = re.compile(r"([^\[\]]+?)((?:\[[^\[\]]*\])*)(?::(number|boolean))?\Z")
_TRUE, _FALSE = ("true", "on", "yes", "1"), ("false", "off", "no", "0", "")


class _Node(dict[str, object]):
    """An object or list that is being put together: what stands under each part of a name."""


def read_fields(fields: Iterable[tuple[str, str]]) -> dict[str, JSON]:
    """The document of a form; raises ``BadRequest`` naming the field that cannot be read or is in another's place."""
    root = _Node()
    for count, (name, text) in enumerate(fields, start=1):
        if count > MOST_FIELDS:
            raise BadRequest(f"The form has more than {MOST_FIELDS} fields.")
        path, kind = _parts(name)
        _put(root, path, _value(name, text, kind), name)
    document = {key: _built(value) for key, value in root.items()}
    check_value(document)
    return document


def _parts(name: str) -> tuple[list[str], str | None]:
    found = _NAME.match(name)
    if found is None:
        return [name], None
    first, brackets, kind = found.groups()
    return [first, *re.findall(r"\[([^\[\]]*)\]", brackets)], kind


def _value(name: str, text: str, kind: str | None) -> JSON:
    if kind == "number":
        return _number(name, text.strip())
    if kind == "boolean":
        return _boolean(name, text.strip().lower())
    return text.replace("\r\n", "\n")  # browsers send every line end as two characters


def _number(name: str, text: str) -> JSON:
    if not text:
        return None
    try:
        number = read_json(text)
    except BadRequest:
        number = None
    if isinstance(number, bool) or not isinstance(number, int | float):
        _refuse(name, "Must be a number.")
    return number


def _boolean(name: str, text: str) -> bool:
    if text not in _TRUE + _FALSE:
        _refuse(name, "Must be true or false.")
    return text in _TRUE


def _put(node: _Node, path: list[str], value: JSON, name: str) -> None:
    if len(path) > DEEPEST:
        _refuse(name, f"The name leads through more than {DEEPEST} brackets.")
    *parents, last = path[:1] + [part or None for part in path[1:]]
    for part in parents:
        inner = node.setdefault(_next(node) if part is None else part, _Node())
        if not isinstance(inner, _Node):
            _refuse(name, "Another field has a value where this one has an object.")
        node = inner
    last = _next(node) if last is None else last
    there = node.get(last)
    if isinstance(there, _Node):
        _refuse(name, "Another field has an object where this one has a value.")
    if last not in node:
        node[last] = value
    elif isinstance(there, list):
        there.append(value)
    else:
        node[last] = [there, value]


def _next(node: _Node) -> str:
    """The place after the last one of a list."""
    return str(1 + max((int(part) for part in node if _is_place(part)), default=-1))


def _is_place(part: str) -> bool:
    return part.isascii() and part.isdecimal() and len(part) < 10


def _built(value: object) -> JSON:
    if not isinstance(value, _Node):
        return value  # type: ignore[return-value]
    if value and all(map(_is_place, value)):
        return [_built(value[part]) for part in sorted(value, key=int)]
    return {part: _built(each) for part, each in value.items()}


def _refuse(name: str, reason: str) -> NoReturn:
    raise BadRequest("The form cannot be read.", details=[Detail(name[:100], reason)])
