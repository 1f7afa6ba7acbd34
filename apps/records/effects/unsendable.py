"""What the effects of all external apps have in common."""


class Unsendable(Exception):
    """The call cannot be made as the flow asks for it; ``code`` is that of the step's error."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)
