"""The apps a flow may use: the registry, and what the pure ones do.

Pure apps run here, in memory. The others are carried out by the host, which gets a ``Call`` with the rendered config
and answers with an ``AppResult`` or ``AppError``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from .assignment import AssignmentError, assign, remove
from .results import AppError, AppResult, code_matches
from .values import JSON

Kind = Literal["pure", "internal", "external"]
Validate = Callable[[JSON], list[dict[str, str]]]
Run = Callable[[dict[str, Any], JSON, Validate], AppResult | AppError]

VARIABLE = {"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]{0,62}$"}
DATA_PATH = {"type": "string", "minLength": 1, "maxLength": 200, "pattern": r"^[^.]+(\.[^.]+){0,19}$"}


@dataclass(frozen=True, slots=True)
class App:
    """One app: its config is checked against ``config_schema`` when the flow is saved and again when rendered.

    ``ports`` without ``error`` must be connected. ``timeout`` is in seconds, the default and the most a config may ask.
    ``run`` is given for pure apps only.
    """

    name: str
    version: int
    title: str
    kind: Kind
    config_schema: dict[str, Any]
    ports: tuple[str, ...]
    timeout: float
    run: Run | None = None


def validate(config: dict[str, Any], data: JSON, check: Validate) -> AppResult:
    """Validates the record's data against the workspace's schema; the output is its list of ``{path, message}``."""
    problems = check(data)
    save = {config["save_to"]: problems} if "save_to" in config else {}
    return AppResult("invalid" if problems else "ok", problems or None, save)


def set_data(config: dict[str, Any], data: JSON, check: Validate) -> AppResult | AppError:
    """Writes all values of ``set``, then removes the paths of ``unset``: everything, or nothing when one path fails."""
    try:
        for path, value in config.get("set", {}).items():
            data = assign(data, path, value)
    except AssignmentError as error:
        return AppError("set", str(error))
    for path in config.get("unset", []):
        data = remove(data, path)
    return AppResult("ok", config, data=data)


def is_expected(config: dict[str, Any], status: int) -> bool:
    """Whether this HTTP status is a success for a ``core.http`` config: in its ``expect``, by default 2xx."""
    return code_matches(f"http.{status}", tuple(f"http.{pattern}" for pattern in config.get("expect", ["2xx"])))


VALIDATE = App(
    name="core.validate",
    version=1,
    title="Validate the record",
    kind="pure",
    config_schema={
        "type": "object",
        "properties": {"save_to": {**VARIABLE, "description": "Variable that keeps the list of problems."}},
        "additionalProperties": False,
    },
    ports=("ok", "invalid"),
    timeout=1.0,
    run=validate,
)

SET = App(
    name="core.set",
    version=1,
    title="Change the record's data",
    kind="pure",
    config_schema={
        "type": "object",
        "properties": {
            "set": {
                "type": "object",
                "description": "Dotted path in the data to its new value; all values are read before the first is set.",
                "propertyNames": DATA_PATH,
                "minProperties": 1,
                "maxProperties": 100,
            },
            "unset": {"type": "array", "description": "Dotted paths to remove.", "items": DATA_PATH, "maxItems": 100},
        },
        "anyOf": [{"required": ["set"]}, {"required": ["unset"]}],
        "additionalProperties": False,
    },
    ports=("ok",),
    timeout=1.0,
    run=set_data,
)

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

APPS: dict[str, App] = {app.name: app for app in (VALIDATE, SET, HTTP)}
