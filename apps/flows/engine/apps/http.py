"""``core.http``: one call of another service."""

from typing import Any

from apps.flows.engine.results import code_matches

from .app import VARIABLE, App


def is_expected(config: dict[str, Any], status: int) -> bool:
    """Whether this HTTP status is a success for a ``core.http`` config: in its ``expect``, by default 2xx."""
    return code_matches(f"http.{status}", tuple(f"http.{pattern}" for pattern in config.get("expect", ["2xx"])))


HTTP = App(
    name="core.http",
    version=1,
    title="Call an HTTP service",
    kind="external",
    config_schema={
        "type": "object",
        "properties": {
            "method": {"enum": ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]},
            "url": {"type": "string", "minLength": 1, "maxLength": 4000},
            "headers": {
                "type": "object",
                "description": "A header whose value is null is not sent.",
                "propertyNames": {"pattern": "^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$"},
                "maxProperties": 50,
                "additionalProperties": {"type": ["string", "number", "boolean", "null"]},
            },
            "query": {
                "type": "object",
                "description": "Added to the URL; a parameter whose value is null is left out, a list is repeated.",
                "maxProperties": 100,
                "additionalProperties": {
                    "type": ["string", "number", "boolean", "null", "array"],
                    "items": {"type": ["string", "number", "boolean"]},
                    "maxItems": 100,
                },
            },
            "json": {"description": "The body, sent as application/json."},
            "text": {"type": "string", "description": "The body, sent as text/plain unless a header says otherwise."},
            "timeout": {"type": "string", "maxLength": 40, "description": "Duration, at most 15 s."},
            "save_to": {**VARIABLE, "description": "Variable that keeps the answer."},
            "expect": {
                "type": "array",
                "description": "Statuses that count as success: 201, 2xx. By default 2xx.",
                "items": {"type": "string", "pattern": "^[1-5](xx|[0-9][0-9])$"},
                "minItems": 1,
                "maxItems": 20,
            },
        },
        "required": ["method", "url"],
        "not": {"required": ["json", "text"]},
        "additionalProperties": False,
    },
    ports=("ok", "error"),
    timeout=15.0,
)
