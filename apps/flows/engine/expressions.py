"""The closed expression language: a subset of Python's syntax compiled to closures over JSON values.

Roots are names looked up in a scope; ``a.b`` and ``a["b"]`` look up keys of objects, ``a[0]`` items of lists, and what
is missing is null. A key that is no name, or a Python keyword, is written ``a["first-name"]``. ``true``, ``false`` and
``null`` may be written for ``True``, ``False`` and ``None``. Only what stands in ``functions.FUNCTIONS`` can be called.

Two roots are read when they are needed: in the scope ``static`` is a function without arguments, ``keystore`` one that
takes keystore and key. ``keystore`` can only stand in ``keystore.name.key``.
"""

import ast
import threading
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from . import operators
from .functions import FUNCTIONS, Function
from .operators import OperationError
from .values import ValueRefused, check_number, check_text, to_text

MAX_LENGTH = 2_000
MAX_DEPTH = 50
LITERALS = {"true": True, "false": False, "null": None}

Scope = Mapping[str, Any]
Closure = Callable[[Scope], Any]

# warnings.catch_warnings changes process-wide state; two compiling threads must not restore each other's.
_parsing = threading.Lock()


class ExpressionError(ValueError):
    """An expression that cannot be compiled or evaluated; ``position`` counts its characters from 1."""

    def __init__(self, message: str, position: int) -> None:
        self.message = message
        self.position = position
        super().__init__(f"{message} (character {position})")


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression; ``names`` are the roots it reads, ``keystores`` those of the root ``keystore``.

    Safe to share between threads.
    """

    text: str
    names: frozenset[str]
    evaluate: Closure
    keystores: frozenset[str] = frozenset()


def compile_expression(text: str) -> Expression:
    """Compiles the text once; ``.evaluate(scope)`` may then run any number of times.

    Both raise ExpressionError. Limits: 2,000 characters, 50 levels; results of 100,000 characters, 10,000 items,
    64 bit.
    """
    compiler = _Compiler(text)
    closure = compiler.compile(compiler.parse(), 1)
    return Expression(text, frozenset(compiler.names), closure, frozenset(compiler.keystores))


class _Compiler:
    """Compiles one text, remembering the roots it reads."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.names: set[str] = set()
        self.keystores: set[str] = set()
        # Inside brackets line breaks and comments mean nothing; a bare carriage return is no line break for us.
        self.source = "(" + text.replace("\r", " ") + "\n)"

    def parse(self) -> ast.expr:
        self._check_text()
        try:
            with _parsing, warnings.catch_warnings():
                warnings.simplefilter("ignore")
                root = ast.parse(self.source, mode="eval").body
        except SyntaxError as error:
            position = self._clamp(self._line_start(error.lineno or 1) + (error.offset or 1) - 1)
            # Python's advice behind the first sentence is about Python.
            message = error.msg.partition(". ")[0]
            raise ExpressionError(f"not an expression: {message}", position) from None
        except (MemoryError, RecursionError):
            raise ExpressionError("nested too deeply", 1) from None
        except ValueError as error:
            raise ExpressionError(f"not an expression: {error}", 1) from None
        if (root.lineno, root.col_offset) == (1, 0):
            # The root begins at our own bracket: it was closed inside the text, as in ``a) + (b``, or holds a tuple.
            raise ExpressionError("not one expression: check the brackets and commas", 1)
        return root

    def _check_text(self) -> None:
        if len(self.text) > MAX_LENGTH:
            raise ExpressionError(f"longer than {MAX_LENGTH:,} characters", MAX_LENGTH + 1)
        if not self.text.strip():
            raise ExpressionError("empty", 1)
        try:
            check_text(self.text)
        except ValueRefused as refusal:
            raise ExpressionError(f"contains {refusal}", 1) from None

    def compile(self, node: ast.expr, depth: int) -> Closure:
        if depth > MAX_DEPTH:
            raise self.error(f"nested more than {MAX_DEPTH} deep", node)
        build = _BUILDERS.get(type(node))
        if build is None:
            raise self.error(f"{type(node).__name__} is not part of the language", node)
        return build(self, node, depth + 1)

    def error(self, message: str, node: ast.expr) -> ExpressionError:
        return ExpressionError(message, self.position(node))

    def position(self, node: ast.expr) -> int:
        start = self._line_start(node.lineno)
        line = self.source[start:].partition("\n")[0]
        return self._clamp(start + len(line.encode()[: node.col_offset].decode(errors="ignore")))

    def _line_start(self, lineno: int) -> int:
        start = 0
        for _ in range(lineno - 1):
            start = self.source.find("\n", start) + 1
        return start

    def _clamp(self, index: int) -> int:
        return max(1, min(index, len(self.text) or 1))


def _constant(compiler: _Compiler, node: ast.Constant, depth: int) -> Closure:
    value = node.value
    try:
        if isinstance(value, str):
            check_text(value)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            check_number(value)
        elif value is not None and not isinstance(value, bool):
            raise ValueRefused(f"a value of type {type(value).__name__}")
    except ValueRefused as refusal:
        raise compiler.error(f"{refusal} is not part of the language", node) from None
    return lambda scope: value


def _name(compiler: _Compiler, node: ast.Name, depth: int) -> Closure:
    name = node.id
    if name in LITERALS:
        value = LITERALS[name]
        return lambda scope: value
    if name == "keystore":
        raise compiler.error("name a keystore and a key: keystore.name.key", node)
    compiler.names.add(name)
    if name == "static":
        return _guarded(_static, [_scope], compiler.position(node))
    return lambda scope: scope.get(name)


def _list(compiler: _Compiler, node: ast.List, depth: int) -> Closure:
    items = [compiler.compile(item, depth) for item in node.elts]
    return lambda scope: [item(scope) for item in items]


def _keystore(compiler: _Compiler, node: ast.Attribute | ast.Subscript, depth: int) -> Closure | None:
    """The reading of ``keystore.name.key``, or nothing when the node is something else."""
    inner = node.value
    if not isinstance(inner, ast.Attribute | ast.Subscript) or not _is_root(inner.value, "keystore"):
        return None
    name = inner.attr if isinstance(inner, ast.Attribute) else getattr(inner.slice, "value", None)
    if not isinstance(name, str):
        raise compiler.error("the name of a keystore is written out", inner)
    compiler.names.add("keystore")
    compiler.keystores.add(name)
    if isinstance(node, ast.Attribute):
        text = node.attr
        return _guarded(_key_reader(name), [_scope, lambda scope: text], compiler.position(node))
    return _guarded(_key_reader(name), [_scope, compiler.compile(node.slice, depth)], compiler.position(node))


def _static(scope: Scope) -> Any:
    reader = scope.get("static")
    return None if reader is None else reader()


def _is_root(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _key_reader(keystore: str) -> Callable[[Scope, Any], Any]:
    def read(scope: Scope, key: Any) -> Any:
        reader = scope.get("keystore")
        if reader is None or isinstance(key, bool) or not isinstance(key, str | int | float):
            return None
        return reader(keystore, to_text(key))

    return read


def _scope(scope: Scope) -> Scope:
    return scope


def _attribute(compiler: _Compiler, node: ast.Attribute, depth: int) -> Closure:
    if (reading := _keystore(compiler, node, depth)) is not None:
        return reading
    container, key = compiler.compile(node.value, depth), node.attr

    def look_up(scope: Scope) -> Any:
        value = container(scope)
        return value.get(key) if isinstance(value, dict) else None

    return look_up


def _subscript(compiler: _Compiler, node: ast.Subscript, depth: int) -> Closure:
    if isinstance(node.slice, ast.Slice | ast.Tuple):
        raise compiler.error("a range is not part of the language", node.slice)
    if (reading := _keystore(compiler, node, depth)) is not None:
        return reading
    container, index = compiler.compile(node.value, depth), compiler.compile(node.slice, depth)
    return lambda scope: operators.element(container(scope), index(scope))


def _bool_op(compiler: _Compiler, node: ast.BoolOp, depth: int) -> Closure:
    parts = [compiler.compile(part, depth) for part in node.values]
    stops_at = isinstance(node.op, ast.Or)

    def evaluate(scope: Scope) -> Any:
        value = None
        for part in parts:
            value = part(scope)
            if bool(value) is stops_at:
                break
        return value

    return evaluate


def _unary_op(compiler: _Compiler, node: ast.UnaryOp, depth: int) -> Closure:
    operand = compiler.compile(node.operand, depth)
    if isinstance(node.op, ast.Not):
        return lambda scope: not operand(scope)
    function = _UNARY.get(type(node.op))
    if function is None:
        raise compiler.error(f"{type(node.op).__name__} is not part of the language", node)
    return _guarded(function, [operand], compiler.position(node))


def _bin_op(compiler: _Compiler, node: ast.BinOp, depth: int) -> Closure:
    function = _BINARY.get(type(node.op))
    if function is None:
        raise compiler.error(f"{type(node.op).__name__} is not part of the language", node)
    operands = [compiler.compile(node.left, depth), compiler.compile(node.right, depth)]
    return _guarded(function, operands, compiler.position(node))


def _compare(compiler: _Compiler, node: ast.Compare, depth: int) -> Closure:
    for op in node.ops:
        if type(op) not in _COMPARISONS:
            raise compiler.error("use == and != instead of is", node)
    functions = [_COMPARISONS[type(op)] for op in node.ops]
    operands = [compiler.compile(operand, depth) for operand in (node.left, *node.comparators)]
    position = compiler.position(node)
    if len(functions) == 1:
        return _guarded(functions[0], operands, position)
    return _chain(functions, operands, position)


def _chain(functions: list[operators.Binary], operands: list[Closure], position: int) -> Closure:
    def evaluate(scope: Scope) -> bool:
        left = operands[0](scope)
        for function, operand in zip(functions, operands[1:], strict=True):
            right = operand(scope)
            try:
                if not function(left, right):
                    return False
            except OperationError as error:
                raise ExpressionError(str(error), position) from None
            left = right
        return True

    return evaluate


def _if_exp(compiler: _Compiler, node: ast.IfExp, depth: int) -> Closure:
    test, then, other = (compiler.compile(part, depth) for part in (node.test, node.body, node.orelse))
    return lambda scope: then(scope) if test(scope) else other(scope)


def _call(compiler: _Compiler, node: ast.Call, depth: int) -> Closure:
    name = node.func.id if isinstance(node.func, ast.Name) else None
    function = FUNCTIONS.get(name) if name is not None else None
    if name is None or function is None:
        raise compiler.error("only the functions of the language can be called", node.func)
    if node.keywords or any(isinstance(argument, ast.Starred) for argument in node.args):
        raise compiler.error(f"{name}() takes plain arguments only", node)
    if not function.least <= len(node.args) <= function.most:
        raise compiler.error(f"wrong number of arguments: {function.usage}", node)
    arguments = [compiler.compile(argument, depth) for argument in node.args]
    return _guarded(_named(name, function), arguments, compiler.position(node))


def _named(name: str, function: Function) -> Callable[..., Any]:
    def call(*arguments: Any) -> Any:
        try:
            return function.call(*arguments)
        except OperationError as error:
            raise OperationError(f"{name}(): {error}") from None

    return call


def _guarded(function: Callable[..., Any], operands: list[Closure], position: int) -> Closure:
    """Evaluates the operands, then the function, giving its errors the position."""
    if len(operands) == 2:
        left, right = operands

        def evaluate_two(scope: Scope) -> Any:
            try:
                return function(left(scope), right(scope))
            except OperationError as error:
                raise ExpressionError(str(error), position) from None

        return evaluate_two

    def evaluate(scope: Scope) -> Any:
        try:
            return function(*[operand(scope) for operand in operands])
        except OperationError as error:
            raise ExpressionError(str(error), position) from None

    return evaluate


_UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.USub: operators.negate,
    ast.UAdd: operators.keep_sign,
}
_BINARY: dict[type[ast.operator], operators.Binary] = {
    ast.Add: operators.add,
    ast.Sub: operators.subtract,
    ast.Mult: operators.multiply,
    ast.Div: operators.divide,
    ast.FloorDiv: operators.floor_divide,
    ast.Mod: operators.remainder,
}
_COMPARISONS: dict[type[ast.cmpop], operators.Binary] = {
    ast.Eq: operators.equal,
    ast.NotEq: operators.unequal,
    ast.Lt: operators.less,
    ast.LtE: operators.less_or_equal,
    ast.Gt: operators.greater,
    ast.GtE: operators.greater_or_equal,
    ast.In: operators.within,
    ast.NotIn: operators.not_within,
}
_BUILDERS: dict[type[ast.expr], Callable[..., Closure]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.List: _list,
    ast.Attribute: _attribute,
    ast.Subscript: _subscript,
    ast.BoolOp: _bool_op,
    ast.UnaryOp: _unary_op,
    ast.BinOp: _bin_op,
    ast.Compare: _compare,
    ast.IfExp: _if_exp,
    ast.Call: _call,
}
