"""JSON Schema of draft 4 as the OpenAPI document wants it: of 2020-12, and with references that hold in there."""

from collections.abc import Callable
from typing import Any

Schema = dict[str, Any]

SINGLE = ("additionalProperties", "not", "additionalItems", "items")
LISTS = ("allOf", "anyOf", "oneOf")
MAPS = ("properties", "patternProperties", "definitions")
LIMITS = {"exclusiveMinimum": "minimum", "exclusiveMaximum": "maximum"}


def modern(schema: Any, place: str) -> Any:
    """The schema for use at ``place``, a JSON Pointer of the document such as ``#/components/schemas/Record``.

    What a reference of draft 4 can reach and one of the document cannot is left open: any value fits it.
    """
    translated = _translated(schema, place)
    return _without_lost(translated, translated, place)


def _translated(schema: Any, place: str) -> Any:
    if not isinstance(schema, dict):
        return schema
    if isinstance(schema.get("$ref"), str):
        return {"$ref": schema["$ref"].replace("#", place, 1)}  # draft 4 ignores what stands beside it
    inner = _inner(lambda part: _translated(part, place), schema)
    for change in (_limits, _tuples, _dependencies):
        change(inner)
    return {key: value for key, value in inner.items() if key not in ("$schema", "id")}


def _inner(change: Callable[[Any], Any], schema: Schema) -> Schema:
    """The schema with its subschemas changed; values such as those of ``enum`` are none."""
    changed = dict(schema)
    for key, value in schema.items():
        if key in (*MAPS, "dependencies", "dependentSchemas") and isinstance(value, dict):
            changed[key] = {name: change(part) for name, part in value.items()}
        elif key in (*LISTS, "items", "prefixItems") and isinstance(value, list):
            changed[key] = [change(part) for part in value]
        elif key in SINGLE:
            changed[key] = change(value)
    return changed


def _limits(schema: Schema) -> None:
    for exclusive, limit in LIMITS.items():
        if schema.pop(exclusive, False) and limit in schema:
            schema[exclusive] = schema.pop(limit)


def _tuples(schema: Schema) -> None:
    rest = schema.pop("additionalItems", None)
    if isinstance(schema.get("items"), list):
        schema["prefixItems"] = schema.pop("items")
        if rest is not None:
            schema["items"] = rest


def _dependencies(schema: Schema) -> None:
    for name, needed in schema.pop("dependencies", {}).items():
        kind = "dependentRequired" if isinstance(needed, list) else "dependentSchemas"
        schema.setdefault(kind, {})[name] = needed


def _without_lost(schema: Any, root: Any, place: str) -> Any:
    if not isinstance(schema, dict):
        return schema
    if isinstance(schema.get("$ref"), str):
        return schema if _is_there(root, schema["$ref"], place) else {}
    return _inner(lambda part: _without_lost(part, root, place), schema)


def _is_there(root: Any, reference: str, place: str) -> bool:
    if not reference.startswith(place):
        return False
    found = root
    for step in reference.removeprefix(place).split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(found, list) and name.isdecimal() and int(name) < len(found):
            found = found[int(name)]
        elif isinstance(found, dict) and name in found:
            found = found[name]
        else:
            return False
    return True
