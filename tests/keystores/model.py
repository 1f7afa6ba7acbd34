"""The search of keystores once more, in plain Python, as the pages describe it."""

import json
import re
from decimal import Decimal
from typing import Any

NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?", re.ASCII)


def search(
    kind: str,
    items: dict[str, Any],
    select: list[dict[str, str]],
    where: dict[str, Any],
    limit: int | None = None,
    offset: int = 0,
) -> list[dict[str, str | None]]:
    """The rows that a keystore holding ``items`` must answer."""
    columns = {column.get("alias") or column["field"]: column["field"] for column in select}
    keys = [key for key in sorted(items, key=str.encode) if holds(where, kind, key, items[key])]
    page = keys[offset : None if limit is None else offset + limit]
    return [{name: shown(field, kind, key, items[key]) for name, field in columns.items()} for key in page]


def holds(node: dict[str, Any], kind: str, key: str, value: Any) -> bool:
    """Whether a key fits a rule or a group."""
    if "rules" not in node:
        return fits(node, kind, key, value)
    members = [holds(member, kind, key, value) for member in node["rules"]]
    return not members or (any(members) if node.get("condition", "AND").upper() == "OR" else all(members))


def fits(rule: dict[str, Any], kind: str, key: str, value: Any) -> bool:
    """Whether a key fits a rule."""
    of_key = rule["field"] in ("key", "keystore.key")
    text = plain(rule["field"], kind, key, value)
    wanted = rule["value"] if isinstance(rule["value"], str) else compact(rule["value"])
    if text is None:
        return False
    if rule["operator"] == "LIKE":
        return like(text.lower(), wanted.lower())
    numbers = [] if of_key else [Decimal(side) for side in (text, wanted) if is_number(side)]
    operator = {"<>": "!="}.get(rule["operator"], rule["operator"])
    if len(numbers) == 2:
        return compare(*numbers, operator)
    if len(numbers) == 1 and operator not in ("=", "!="):
        return False
    return compare(text.lower(), wanted.lower(), operator)


def compare(left: Any, right: Any, operator: str) -> bool:
    """Texts by the bytes of their characters, whose order is that of the characters."""
    return {
        "=": left == right,
        "!=": left != right,
        "<": left < right,
        ">": left > right,
        "<=": left <= right,
        ">=": left >= right,
    }[operator]


def like(text: str, pattern: str) -> bool:
    """``%`` for any text, ``_`` for one character; nothing else is special."""
    parts = (".*" if char == "%" else "." if char == "_" else re.escape(char) for char in pattern)
    return re.fullmatch("".join(parts), text, re.DOTALL) is not None


def is_number(text: str) -> bool:
    """Whether a text is taken for a number."""
    return len(text) <= 400 and NUMBER.fullmatch(text) is not None


def plain(field: str, kind: str, key: str, value: Any) -> str | None:
    """The text that a rule looks at."""
    if field in ("key", "keystore.key"):
        return key
    if field == "*":
        return compact(value) if kind == "json" else value
    part = part_of(value, field)
    return part if isinstance(part, str) or part is None else compact(part)


def shown(field: str, kind: str, key: str, value: Any) -> str | None:
    """The text that a row has."""
    text = plain(field, kind, key, value)
    is_document = (field == "*" and kind == "json") or isinstance(part_of(value, field), dict | list)
    return (
        text.replace("/", "\\/") if text is not None and is_document and field not in ("key", "keystore.key") else text
    )


def part_of(value: Any, path: str) -> Any:
    """The part at a dotted path; numbers count the entries of an array, from 0 or back from its end."""
    for step in path.split("."):
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and re.fullmatch("-?[0-9]{1,9}", step):
            place = int(step)
            value = value[place] if -len(value) <= place < len(value) else None
        else:
            return None
    return value


def compact(value: Any) -> str:
    """JSON without blanks, as it is stored."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
