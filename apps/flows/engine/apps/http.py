"""``core.http``: one call of another service."""

from itertools import combinations
from typing import Any

from apps.flows.engine.results import code_matches

from .app import DATA_PATH, EXPRESSION, VARIABLE, App

BODIES = ("json", "xml", "form", "text")


def is_expected(config: dict[str, Any], status: int) -> bool:
    """Whether this HTTP status is a success for a ``core.http`` config: in its ``expect``, by default 2xx."""
    return code_matches(f"http.{status}", tuple(f"http.{pattern}" for pattern in config.get("expect", ["2xx"])))


_PAIRS = {
    "type": "object",
    "maxProperties": 100,
    "additionalProperties": {
        "type": ["string", "number", "boolean", "null", "array"],
        "items": {"type": ["string", "number", "boolean"]},
        "maxItems": 100,
    },
}

HTTP = App(
    name="core.http",
    version=1,
    title="Call an HTTP service",
    kind="external",
    config_schema={
        "type": "object",
        "description": "give at most one of 'json', 'xml', 'form' and 'text'",
        "properties": {
            "method": {"enum": ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]},
            "url": {"type": "string", "minLength": 1, "maxLength": 4000},
            "auth": {
                "type": "object",
                "properties": {
                    "connection": {
                        "type": "string",
                        "pattern": "^[A-Za-z][A-Za-z0-9_-]{0,63}$",
                        "description": "A connection of the workspace; its credentials go to its address alone.",
                    }
                },
                "required": ["connection"],
                "additionalProperties": False,
            },
            "headers": {
                "type": "object",
                "description": "A header whose value is null is not sent.",
                "propertyNames": {"pattern": "^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$"},
                "maxProperties": 50,
                "additionalProperties": {"type": ["string", "number", "boolean", "null"]},
            },
            "query": {
                **_PAIRS,
                "description": "Added to the URL; a parameter whose value is null is left out, a list is repeated.",
            },
            "json": {"description": "The body, sent as application/json."},
            "xml": {
                "type": "object",
                "description": "The body, sent as application/xml: an object of one key, the root element.",
                "minProperties": 1,
                "maxProperties": 1,
            },
            "form": {**_PAIRS, "description": "The body, sent as application/x-www-form-urlencoded."},
            "text": {"type": "string", "description": "The body, sent as text/plain unless a header says otherwise."},
            "timeout": {"type": "string", "maxLength": 40, "description": "Duration, at most 15 s."},
            "redirects": {
                "type": "integer",
                "minimum": 0,
                "maximum": 10,
                "description": "Most redirects that are followed, by default none.",
            },
            "save_to": {**VARIABLE, "description": "Variable that keeps the answer."},
            "map": {
                "type": "object",
                "description": "Variables and the expressions over `answer` that they get their values by.",
                "propertyNames": VARIABLE,
                "maxProperties": 100,
                "additionalProperties": EXPRESSION,
            },
            "write": {
                "type": "object",
                "description": "Dotted paths in the data and the expressions over `answer` that give their values.",
                "propertyNames": DATA_PATH,
                "maxProperties": 100,
                "additionalProperties": EXPRESSION,
            },
            "expect": {
                "type": "array",
                "description": "Statuses that count as success: 201, 2xx. By default 2xx.",
                "items": {"type": "string", "pattern": "^[1-5](xx|[0-9][0-9])$"},
                "minItems": 1,
                "maxItems": 20,
            },
        },
        "required": ["method", "url"],
        "not": {"anyOf": [{"required": list(pair)} for pair in combinations(BODIES, 2)]},
        "additionalProperties": False,
    },
    ports=("ok", "error"),
    timeout=15.0,
    references=(("auth/connection", "connection"),),
)
