"""``fields=a,b.c``: which parts of a resource an answer holds."""

from typing import Any, Optional

from rest_framework.request import Request

from apps.core.errors import BadRequest
from apps.core.http.parameters import one_of

Fields = dict[str, Optional["Fields"]]
"""Each chosen key with the keys chosen inside it; ``None`` is all of it."""

Path = tuple[str, ...]
_LONGEST_SHOWN = 80


def read_fields(request: Request) -> Fields | None:
    """The fields a request chooses, or none when it leaves the answer whole."""
    text = one_of(request, parameters=("fields",))
    paths = [path.strip() for path in (text or "").split(",")]
    chosen: Fields = {}
    for path in filter(None, paths):
        _add(chosen, path.split("."))
    return chosen or None


def _add(chosen: Fields, parts: list[str]) -> None:
    for part in parts[:-1]:
        inner = chosen.setdefault(part, {})
        if inner is None:  # all of it is chosen already
            return
        chosen = inner
    chosen[parts[-1]] = None


def select(resource: Any, fields: Fields) -> Any:
    """The chosen parts of a resource, also of each element of lists in it.

    Raises ``BadRequest`` naming a field that is in no element. What has no elements cannot be told wrong.
    """
    found: set[Path] = set()
    chosen = _select(resource, fields, (), found)
    for path in _paths(fields, ()):
        if path not in found:
            raise BadRequest(f"There is no field {'.'.join(path)[:_LONGEST_SHOWN]} in the answer.")
    return chosen


def _select(value: Any, fields: Fields, above: Path, found: set[Path]) -> Any:
    if isinstance(value, list) and value:
        return [_select(item, fields, above, found) for item in value]
    if isinstance(value, dict):
        return {
            name: _inner(value[name], inner, (*above, name), found) for name, inner in fields.items() if name in value
        }
    if value is None or value == []:
        found.update(_paths(fields, above))
    return value


def _inner(value: Any, fields: Fields | None, path: Path, found: set[Path]) -> Any:
    found.add(path)
    return value if fields is None else _select(value, fields, path, found)


def _paths(fields: Fields, above: Path) -> list[Path]:
    """Every chosen path, the longer after the shorter."""
    found: list[Path] = []
    for name, inner in fields.items():
        found.append((*above, name))
        found += _paths(inner, (*above, name)) if inner else []
    return found
