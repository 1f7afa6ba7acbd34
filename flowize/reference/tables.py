"""The tables of ``docs/api.md`` that are made of the code."""

from collections.abc import Iterable, Sequence

from apps.applications.scopes import SCOPES
from apps.core.http import envelope
from apps.core.http.openapi import answers


def with_tables(page: str) -> str:
    """The page with fresh tables between its marks ``<!-- NAME -->`` and ``<!-- end -->``."""
    for name, table in {"errors": _errors(), "scopes": _scopes()}.items():
        before, mark, rest = page.partition(f"<!-- {name} -->\n")
        _, end, after = rest.partition("<!-- end -->")
        if not end:
            raise LookupError(f"The page has no place for the table of {name}.")
        page = before + mark + table + end + after
    return page


def _errors() -> str:
    rows = [
        [
            str(kind.status),
            str(kind.code),
            f"`{envelope.slug(kind.status)}`",
            kind.default_message,
            answers.meaning(kind),
            f"`{kind.__name__}`",
        ]
        for kind in answers.family()
    ]
    return _table(["Status", "`code`", "`id`", "Message", "When", "Class"], rows)


def _scopes() -> str:
    return _table(["Scope", "Allows"], [[f"`{scope}`", meaning] for scope, meaning in SCOPES.items()])


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines).replace("| --- ", "|---").replace("--- |", "---|")
