"""What the operators of the expression language do to JSON values.

Comparing never fails: values of different kinds are unequal, and neither is smaller than the other. Calculating with
the wrong kinds raises OperationError.
"""

import operator
from collections.abc import Callable
from typing import Any

from .values import ValueRefused, check_number

MAX_TEXT = 100_000
MAX_LIST = 10_000
Binary = Callable[[Any, Any], Any]


class OperationError(ValueError):
    """An operator or a function cannot work on these values; the expression adds the position."""


def kind(value: object) -> str:
    """The JSON name of a value's type, for messages."""
    if value is None:
        return "null"
    names = {bool: "boolean", int: "number", float: "number", str: "text", list: "list", dict: "object"}
    return names.get(type(value), type(value).__name__)


def is_number(value: object) -> bool:
    """True for integers and floats; booleans are no numbers here."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def bounded_number(number: int | float) -> int | float:
    """The number itself; raises OperationError when it is not finite or beyond 64 bit."""
    try:
        check_number(number)
    except ValueRefused as refusal:
        raise OperationError(f"the result is {refusal}") from None
    return number


def bounded_size(length: int, limit: int) -> None:
    """Raises OperationError when a result of this length would be too long; ask before building it."""
    if length > limit:
        raise OperationError(f"the result is longer than {limit:,}")


def add(left: Any, right: Any) -> Any:
    """The sum of two numbers, or two texts or two lists one after the other."""
    if is_number(left) and is_number(right):
        return bounded_number(left + right)
    if isinstance(left, str) and isinstance(right, str):
        bounded_size(len(left) + len(right), MAX_TEXT)
        return left + right
    if isinstance(left, list) and isinstance(right, list):
        bounded_size(len(left) + len(right), MAX_LIST)
        return left + right
    raise OperationError(f"+ needs two numbers, two texts or two lists, not {kind(left)} and {kind(right)}")


def arithmetic(symbol: str, calculate: Binary) -> Binary:
    """A binary operator that takes numbers only; raises OperationError for others and for division by zero."""

    def apply(left: Any, right: Any) -> Any:
        if not (is_number(left) and is_number(right)):
            raise OperationError(f"{symbol} needs two numbers, not {kind(left)} and {kind(right)}")
        try:
            return bounded_number(calculate(left, right))
        except ZeroDivisionError:
            raise OperationError("division by zero") from None
        except OverflowError:
            raise OperationError("the result is a number that is not finite") from None

    return apply


def negate(value: Any) -> Any:
    """The number with its sign changed."""
    if not is_number(value):
        raise OperationError(f"- needs a number, not {kind(value)}")
    return bounded_number(-value)


def keep_sign(value: Any) -> Any:
    """The number itself: the unary plus."""
    if not is_number(value):
        raise OperationError(f"+ needs a number, not {kind(value)}")
    return value


def equal(left: Any, right: Any) -> bool:
    """Equality of JSON: true is not 1, also inside lists and objects."""
    if left is right:
        return True
    if isinstance(left, bool) or isinstance(right, bool):
        return False
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(equal, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(equal(item, right[key]) for key, item in left.items())
    return bool(left == right)


def unequal(left: Any, right: Any) -> bool:
    """The opposite of ``equal``."""
    return not equal(left, right)


def ordering(compare: Binary) -> Binary:
    """An order operator: two numbers or two texts; false for everything else."""

    def apply(left: Any, right: Any) -> bool:
        if (is_number(left) and is_number(right)) or (isinstance(left, str) and isinstance(right, str)):
            return bool(compare(left, right))
        return False

    return apply


def contains(container: Any, item: Any) -> bool:
    """Whether a list holds the item, an object the key or a text the text; nothing is in null."""
    if container is None:
        return False
    if isinstance(container, list):
        return any(equal(element, item) for element in container)
    if isinstance(container, dict | str):
        return isinstance(item, str) and item in container
    raise OperationError(f"only text, lists and objects contain something, not {kind(container)}")


def element(container: Any, index: Any) -> Any:
    """The member of an object by key, of a list or text by position (from the end when negative); null if missing."""
    if isinstance(container, dict):
        return container.get(index) if isinstance(index, str) else None
    if isinstance(container, list | str) and isinstance(index, int) and not isinstance(index, bool):
        return container[index] if -len(container) <= index < len(container) else None
    return None


subtract = arithmetic("-", operator.sub)
multiply = arithmetic("*", operator.mul)
divide = arithmetic("/", operator.truediv)
floor_divide = arithmetic("//", operator.floordiv)
remainder = arithmetic("%", operator.mod)
less = ordering(operator.lt)
less_or_equal = ordering(operator.le)
greater = ordering(operator.gt)
greater_or_equal = ordering(operator.ge)


def within(item: Any, container: Any) -> bool:
    """The operator ``in``."""
    return contains(container, item)


def not_within(item: Any, container: Any) -> bool:
    """The operator ``not in``."""
    return not contains(container, item)
