"""JSON whose text stays as it was written."""

from typing import Any

from django.db import models


class JSONTextField(models.TextField):
    """A column of PostgreSQL's type ``json``, read and written as text.

    ``jsonb`` would sort the keys of objects and spell numbers anew; whoever stores a document wants the same one back.
    """

    def db_type(self, connection: Any) -> str:
        """The type that checks JSON and leaves it alone."""
        return "json"

    def get_placeholder(self, value: Any, compiler: Any, connection: Any) -> str:
        """A text that becomes JSON."""
        return "%s::json"

    def select_format(self, compiler: Any, sql: str, params: Any) -> tuple[str, Any]:
        """The text of it: the driver would read the column into Python's values otherwise."""
        return f"{sql}::text", params
