"""The config of an app: checked against its schema, as written in a flow and as rendered for a record."""

from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from typing import Any

import jsonschema_rs

from .apps import APPS, App
from .durations import DurationError, parse_duration
from .expressions import ExpressionError
from .faults import fault_message, fault_path
from .mapping import mapping_expression
from .templates import Template, compile_template, is_dynamic
from .values import JSON

Fault = tuple[tuple[str, ...], str]

# Roots whose values the engine does not hand to what looks at an answer.
_NOT_BESIDE_AN_ANSWER = frozenset({"keystore", "static"})


def compile_config(app: App, config: dict[str, Any]) -> Template:
    """The config as a template; what is put into its texts of HTML is escaped. Raises TemplateError."""
    properties = app.config_schema.get("properties", {})
    return compile_template(
        config, html=[name for name, schema in properties.items() if schema.get("format") == "html"]
    )


def written_faults(app: App, config: dict[str, Any]) -> list[Fault]:
    """Faults of a config as it stands in a flow, as (path, message); values that are templates are not judged yet."""
    faults = [
        (fault_path(error), _message(app, error))
        for error in _validator(app.name).iter_errors(config)
        if not (isinstance(error.instance, str) and is_dynamic(error.instance))
    ]
    return sorted(set(faults)) + _timeout_faults(app, config) + list(_expression_faults(app, config))


def rendered_fault(app: App, config: JSON) -> str | None:
    """What is wrong with a rendered config, or None."""
    if _validator(app.name).is_valid(config):
        return None
    error = next(_validator(app.name).iter_errors(config))
    return f"{'/'.join(fault_path(error)) or 'config'}: {_message(app, error)}"


def timeout_seconds(app: App, config: dict[str, Any]) -> float:
    """How long the app may take; raises DurationError."""
    return parse_duration(config["timeout"]).total_seconds() if "timeout" in config else app.timeout


def _message(app: App, error: jsonschema_rs.ValidationError) -> str:
    """The fault in words; which keys go together is said by the description of the config's schema."""
    if error.schema_path in (["oneOf"], ["anyOf"], ["not"]) and "description" in app.config_schema:
        return str(app.config_schema["description"])
    return fault_message(error)


def _timeout_faults(app: App, config: dict[str, Any]) -> list[Fault]:
    if not isinstance(config.get("timeout"), str):
        return []
    try:
        duration = parse_duration(config["timeout"])
    except DurationError as error:
        return [(("timeout",), str(error))]
    if not timedelta(0) < duration <= timedelta(seconds=app.timeout):
        return [(("timeout",), f"more than 0 and at most {app.timeout:g} seconds")]
    return []


def _expression_faults(app: App, config: dict[str, Any]) -> Iterator[Fault]:
    """Faults of the expressions that read an answer; they are no templates, so nothing is rendered in them."""
    for key, schema in app.config_schema.get("properties", {}).items():
        items = schema.get("additionalProperties")
        if isinstance(items, dict) and items.get("format") == "expression" and isinstance(config.get(key), dict):
            for name, text in config[key].items():
                if isinstance(text, str) and (message := _expression_fault(text)):
                    yield (key, name), message


def _expression_fault(text: str) -> str | None:
    if is_dynamic(text):
        return "an expression without {{ }}, as in the rules of a decision"
    try:
        names = mapping_expression(text).names & _NOT_BESIDE_AN_ANSWER
    except ExpressionError as error:
        return str(error)
    return f"'{min(names)}' cannot be read here" if names else None


@cache
def _validator(name: str) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(APPS[name].config_schema, offline=True, mask="the value")
