"""The search language of keystores and tables in the OpenAPI document."""

from collections.abc import Iterable

from apps.core.http.openapi.operation import ANYTHING, TEXT, Named
from apps.core.querylang import CONDITIONS, MOST_RULES


def where_schema(name: str, operators: Iterable[str]) -> Named:
    """The schema of a ``where`` object under ``name``; ``operators`` are its spellings in lower case."""
    spelled = ", ".join(f"`{operator}`" for operator in operators)
    rule = {
        "type": "object",
        "required": ["field", "operator"],
        "properties": {
            "field": {"type": "string", "minLength": 1},
            "operator": {"type": "string", "description": f"One of {spelled}; capitals make no difference."},
            "value": ANYTHING,
        },
    }
    group = {
        "type": "object",
        "properties": {
            "condition": {**TEXT, "description": f"How the rules are joined: {' or '.join(CONDITIONS)}."},
            "rules": {
                "type": "array",
                "maxItems": MOST_RULES,
                "items": {"anyOf": [rule, {"$ref": f"#/components/schemas/{name}"}]},
            },
        },
    }
    return Named(name, group)
