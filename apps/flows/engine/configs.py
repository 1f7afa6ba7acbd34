"""The config of an app: checked against its schema, as written in a flow and as rendered for a record."""

from datetime import timedelta
from functools import cache
from typing import Any

import jsonschema_rs

from .apps import APPS, App
from .durations import DurationError, parse_duration
from .faults import fault_message, fault_path
from .templates import is_dynamic
from .values import JSON

Fault = tuple[tuple[str, ...], str]


def written_faults(app: App, config: dict[str, Any]) -> list[Fault]:
    """Faults of a config as it stands in a flow, as (path, message); values that are templates are not judged yet."""
    faults = [
        (fault_path(error), fault_message(error))
        for error in _validator(app.name).iter_errors(config)
        if not (isinstance(error.instance, str) and is_dynamic(error.instance))
    ]
    return sorted(set(faults)) + _timeout_faults(app, config)


def rendered_fault(app: App, config: JSON) -> str | None:
    """What is wrong with a rendered config, or None."""
    if _validator(app.name).is_valid(config):
        return None
    error = next(_validator(app.name).iter_errors(config))
    return f"{'/'.join(fault_path(error)) or 'config'}: {fault_message(error)}"


def timeout_seconds(app: App, config: dict[str, Any]) -> float:
    """How long the app may take; raises DurationError."""
    return parse_duration(config["timeout"]).total_seconds() if "timeout" in config else app.timeout


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


@cache
def _validator(name: str) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(APPS[name].config_schema, offline=True, mask="the value")
