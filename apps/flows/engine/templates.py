"""Templates: JSON whose texts may hold ``{{ expression }}``.

A path alone may be written between at signs: ``@data.path@`` leads into the record, ``@static.path@`` and
``@keystore.name.key.path@`` into what the workspace keeps.

A text that is exactly one expression gives its value with its type; in longer texts values are written as ``to_text``
does. Keys are never templates. A literal ``{{`` is written ``{{ "{{" }}``.
"""

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from html import escape
from typing import Any

from .expressions import ExpressionError, Scope, compile_expression
from .operators import element
from .values import JSON, MAX_DEPTH, ValueRefused, measure, to_text

MAX_OUTPUT = 1_000_000

_OPENING = re.compile(r"\{\{|@(data|static|keystore)((?:\.[\w-]+)+)@")
_ROOTS = {"data": "record", "static": "static"}
_CLOSING = re.compile(r"""\}\}|["']""")

Render = Callable[[Scope], JSON]
Path = tuple[str, ...]


class TemplateError(ValueError):
    """A template that cannot be compiled or rendered.

    ``path`` leads to the text inside the JSON, ``position`` counts its characters from 1 (0: the whole).
    """

    def __init__(self, message: str, path: Path = (), position: int = 0) -> None:
        self.message = message
        self.path = path
        self.position = position
        where = "/".join(path)
        at = f" (character {position})" if position else ""
        super().__init__(f"{where}: {message}{at}" if where else f"{message}{at}")


@dataclass(frozen=True, slots=True)
class Template:
    """A compiled template; ``names`` are the roots it reads, ``keystores`` those of the root ``keystore``.

    ``dynamic`` is false when it holds no expression.
    """

    names: frozenset[str]
    keystores: frozenset[str]
    dynamic: bool
    _render: Render

    def render(self, scope: Scope) -> JSON:
        """The value for this scope; raises TemplateError when an expression fails or the output is over 1 MB."""
        return self.render_measured(scope)[0]

    def render_measured(self, scope: Scope) -> tuple[JSON, int]:
        """The value and its size in characters."""
        value = self._render(scope)
        try:
            return value, measure(value, MAX_OUTPUT)
        except ValueRefused as refusal:
            raise TemplateError(f"the output is {refusal}") from None


@dataclass(slots=True)
class Names:
    """What the expressions of a template read."""

    roots: set[str] = field(default_factory=set)
    keystores: set[str] = field(default_factory=set)


def compile_template(value: JSON, html: Collection[str] = ()) -> Template:
    """Compiles texts, lists and objects of any depth up to 100; raises TemplateError.

    ``html`` names members of an object whose texts are HTML: what their expressions give is escaped.
    """
    names = Names()
    render = _compile(value, (), names, html)
    return Template(frozenset(names.roots), frozenset(names.keystores), not isinstance(render, _Constant), render)


def is_dynamic(text: str) -> bool:
    """Whether the text holds an expression, so that its value is known only when a record comes by."""
    return _OPENING.search(text) is not None


@dataclass(frozen=True, slots=True)
class _Constant:
    """A part without expressions."""

    value: JSON

    def __call__(self, scope: Scope) -> JSON:
        return self.value


def _compile(value: JSON, path: Path, names: Names, html: Collection[str] = ()) -> Render:
    if len(path) > MAX_DEPTH:
        raise TemplateError(f"nested more than {MAX_DEPTH} deep", path[:3])
    if isinstance(value, str):
        return _compile_text(value, path, names, escaped=bool(path) and path[0] in html)
    if isinstance(value, list):
        return _compile_list([_compile(item, (*path, str(n)), names, html) for n, item in enumerate(value)], value)
    if isinstance(value, dict):
        members = {key: _compile(item, (*path, str(key)), names, html) for key, item in value.items()}
        return _compile_object(members, value)
    return _Constant(value)


def _compile_list(items: list[Render], value: JSON) -> Render:
    if all(isinstance(item, _Constant) for item in items):
        return _Constant(value)
    return lambda scope: [item(scope) for item in items]


def _compile_object(members: dict[str, Render], value: JSON) -> Render:
    if all(isinstance(member, _Constant) for member in members.values()):
        return _Constant(value)
    return lambda scope: {key: member(scope) for key, member in members.items()}


def _compile_text(text: str, path: Path, names: Names, escaped: bool) -> Render:
    parts = [_escaped(part) if escaped and callable(part) else part for part in _parts(text, path, names)]
    if not any(callable(part) for part in parts):
        return _Constant(text)
    if len(parts) == 1 and callable(parts[0]):
        return parts[0]
    return _joined(parts, path)


def _escaped(render: Render) -> Render:
    return lambda scope: escape(to_text(render(scope)))


def _joined(parts: list[str | Render], path: Path) -> Render:
    def render(scope: Scope) -> str:
        texts = []
        left = MAX_OUTPUT
        for part in parts:
            value = part(scope) if callable(part) else part
            try:
                left -= measure(value, left)
            except ValueRefused as refusal:
                raise TemplateError(f"the output is {refusal}", path) from None
            texts.append(to_text(value))
        return "".join(texts)

    return render


def _parts(text: str, path: Path, names: Names) -> Iterator[str | Render]:
    """The literal pieces and the compiled expressions of a text, in their order."""
    start = 0
    while opening := _OPENING.search(text, start):
        if opening.start() > start:
            yield text[start : opening.start()]
        if opening[1] is not None:
            yield _path(opening[1], opening[2][1:].split("."), opening.start(), path, names)
            start = opening.end()
        else:
            end = _closing(text, opening.end(), path)
            yield _expression(text[opening.end() : end], opening.end(), path, names)
            start = end + 2
    if start < len(text):
        yield text[start:]


def _closing(text: str, start: int, path: Path) -> int:
    """Where the expression that begins at ``start`` ends: the first ``}}`` outside its quotes."""
    index = start
    while found := _CLOSING.search(text, index):
        if found[0] == "}}":
            return found.start()
        index = _after_quote(text, found.end(), found[0])
    raise TemplateError("'{{' has no matching '}}'", path, start - 1)


def _after_quote(text: str, index: int, quote: str) -> int:
    while index < len(text) and text[index] != quote:
        index += 2 if text[index] == "\\" else 1
    return index + 1


def _expression(text: str, offset: int, path: Path, names: Names) -> Render:
    try:
        expression = compile_expression(text)
    except ExpressionError as error:
        raise TemplateError(error.message, path, error.position + offset) from None
    names.roots |= expression.names
    names.keystores |= expression.keystores
    return _located(expression.evaluate, offset, path)


def _located(evaluate: Render, offset: int, path: Path) -> Render:
    """The evaluation, its errors at their place in the template."""

    def render(scope: Scope) -> Any:
        try:
            return evaluate(scope)
        except ExpressionError as error:
            raise TemplateError(error.message, path, error.position + offset) from None

    return render


def _path(root: str, keys: list[str], start: int, path: Path, names: Names) -> Render:
    """A path between at signs, which begins at that index of its text."""
    if root == "keystore" and len(keys) < 2:
        raise TemplateError("name a keystore and a key: @keystore.name.key@", path, start + 1)
    head = _ROOTS.get(root) or f"keystore['{keys[0]}']['{keys[1]}']"
    try:
        expression = compile_expression(head)
    except ExpressionError as error:  # of what was put together here, so its position says nothing
        raise TemplateError(error.message, path, start + 1) from None
    names.roots |= expression.names
    names.keystores |= expression.keystores
    return _below(_located(expression.evaluate, start, path), keys[2:] if root == "keystore" else keys)


def _below(base: Render, keys: list[str]) -> Render:
    def render(scope: Scope) -> Any:
        value = base(scope)
        for key in keys:
            index = int(key) if isinstance(value, list) and key.isdecimal() and len(key) < 10 else key
            value = element(value, index)
        return value

    return render
