"""What a change may be made to depend on, as services know it."""

from datetime import datetime
from typing import Protocol
from uuid import UUID

Part = str | int | datetime | UUID | None
"""One piece of what tells a version of a row from all others: its kind, its key, its counter or date."""


class Precondition(Protocol):
    """The condition a caller has set for a change."""

    def check(self, *version: Part, modified: datetime | None = None) -> None:
        """Raise ``PreconditionFailed`` unless ``version`` is one the caller meant.

        Ask it with the row locked, in the transaction of the change; without any part for a row that does not exist.
        """
