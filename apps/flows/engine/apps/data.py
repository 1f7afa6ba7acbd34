"""The pure apps: they judge and change the record's own data, in memory."""

from typing import Any

from apps.flows.engine.assignment import AssignmentError, assign, remove
from apps.flows.engine.results import AppError, AppResult
from apps.flows.engine.values import JSON

from .app import DATA_PATH, VARIABLE, App, Validate


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


def calculate(config: dict[str, Any], data: JSON, check: Validate) -> AppResult:
    """Saves what the expressions of ``value`` or ``values`` have given; they were evaluated with the config."""
    if "value" in config:
        return AppResult("ok", config["value"], {config["save_to"]: config["value"]})
    values = config["values"]
    return AppResult("ok", values, {config["save_to"]: values} if "save_to" in config else values)


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
        "description": "give 'set' or 'unset' or both",
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

FUNCTION = App(
    name="core.function",
    version=1,
    title="Calculate values",
    kind="pure",
    config_schema={
        "type": "object",
        "description": "give 'value' and 'save_to', or 'values'",
        "properties": {
            "value": {"description": "A template, usually one expression; its value is saved."},
            "values": {
                "type": "object",
                "description": "Variables and the templates they get their values by; all read what was there before.",
                "propertyNames": VARIABLE,
                "minProperties": 1,
                "maxProperties": 100,
            },
            "save_to": {**VARIABLE, "description": "Variable that keeps `value`, or all `values` as one object."},
        },
        "oneOf": [
            {"required": ["value", "save_to"], "not": {"required": ["values"]}},
            {"required": ["values"], "not": {"required": ["value"]}},
        ],
        "additionalProperties": False,
    },
    ports=("ok",),
    timeout=1.0,
    run=calculate,
)
