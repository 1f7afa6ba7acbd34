"""What becomes of an app's answer: variables, and values of the record's data."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from .assignment import AssignmentError, assign
from .expressions import Expression, ExpressionError, Scope, compile_expression
from .results import AppError, AppResult
from .values import JSON

ANSWER = "answer"
_compiled = lru_cache(maxsize=2048)(compile_expression)


def mapping_expression(text: str) -> Expression:
    """An expression of ``map`` or ``write``; raises ExpressionError."""
    return _compiled(text)


def mapped(config: Mapping[str, Any], answer: JSON, scope: Scope, port: str = "ok") -> AppResult | AppError:
    """The result that leaves by ``port``, with what ``save_to``, ``map`` and ``write`` of the config ask for.

    The expressions read the roots of ``scope`` and ``answer``. Everything is kept, or nothing when one of them fails.
    """
    roots = {**scope, ANSWER: answer}
    save = {config["save_to"]: answer} if "save_to" in config else {}
    data = None
    try:
        save |= {name: mapping_expression(text).evaluate(roots) for name, text in config.get("map", {}).items()}
        for path, text in config.get("write", {}).items():
            value = mapping_expression(text).evaluate(roots)
            data = assign(scope.get("record") if data is None else data, path, value)
    except ExpressionError as error:
        return AppError("expression", str(error))
    except AssignmentError as error:
        return AppError("set", str(error))
    return AppResult(port, answer, save, data)
