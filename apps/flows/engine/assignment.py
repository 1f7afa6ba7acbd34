"""Changing a record's data by dotted paths, without touching the data it came from."""

from typing import Any

from .values import JSON


class AssignmentError(ValueError):
    """The path leads through a value that is neither an object nor an item of a list."""


def assign(data: JSON, path: str, value: JSON) -> JSON:
    """The data with ``value`` at the dotted path; objects that are missing on the way are made.

    Only the containers on the path are copied. Raises AssignmentError.
    """
    return _assign(data, path.split("."), value, path)


def remove(data: JSON, path: str) -> JSON:
    """The data without the key at the dotted path; a path that leads nowhere changes nothing."""
    return _remove(data, path.split("."))


def _assign(container: Any, keys: list[str], value: JSON, path: str) -> JSON:
    key, rest = keys[0], keys[1:]
    if isinstance(container, dict):
        inner = container.get(key)
        child = _assign({} if inner is None else inner, rest, value, path) if rest else value
        return {**container, key: child}
    index = _index(container, key)
    if index is None:
        raise AssignmentError(f"'{path}': there is no object that could hold '{key}'")
    child = _assign(container[index], rest, value, path) if rest else value
    return [*container[:index], child, *container[index + 1 :]]


def _remove(container: Any, keys: list[str]) -> JSON:
    key, rest = keys[0], keys[1:]
    if isinstance(container, dict) and key in container:
        if rest:
            return {**container, key: _remove(container[key], rest)}
        return {name: item for name, item in container.items() if name != key}
    index = _index(container, key)
    if index is None:
        return container
    child = [_remove(container[index], rest)] if rest else []
    return [*container[:index], *child, *container[index + 1 :]]


def _index(container: Any, key: str) -> int | None:
    """The position that ``key`` spells in a list, or None when it has no such item."""
    if not isinstance(container, list) or not key.isdecimal() or len(key) > 9:
        return None
    return int(key) if int(key) < len(container) else None
