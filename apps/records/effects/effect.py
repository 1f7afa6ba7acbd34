"""What the effects of all external apps have in common."""

from collections.abc import Callable
from typing import TypeAlias

from apps.flows.engine.results import AppError, AppResult

Effect: TypeAlias = Callable[[], AppResult | AppError]
"""A call with everything it needs at hand; it may be made in any thread."""


class CannotBegin(Exception):
    """The call cannot be made as the flow asks for it; ``code`` is that of the step's error."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)
