"""The `flow/1` document: its JSON Schema, and the check of one document against it."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import jsonschema_rs

from .apps.app import VARIABLE
from .faults import fault_message, fault_path
from .values import JSON, ValueRefused, measure

FORMAT = "flow/1"
MAX_DOCUMENT = 1_000_000
MAX_OBJECTS = 500

IDENTIFIER = {"type": "string", "pattern": "^[A-Za-z][A-Za-z0-9_-]{0,62}$"}
PORT = {"type": "string", "pattern": "^[a-z][a-z0-9_]{0,31}$"}
TEXT = {"type": "string", "maxLength": 200}
EXPRESSION = {"type": "string", "minLength": 1, "maxLength": 2000}
TEMPLATE = {"type": "string", "minLength": 1, "maxLength": 4000}
NAME = {"type": "string", "minLength": 1, "maxLength": 128}
DURATION = {"type": "string", "minLength": 2, "maxLength": 40}
NEXT = {"type": "object", "propertyNames": PORT, "additionalProperties": IDENTIFIER, "maxProperties": 60}
ERROR_CODE = {"type": "string", "pattern": "^([a-z_]{1,40}|http[.][1-5](xx|[0-9][0-9]))$"}

RETRY = {
    "type": "object",
    "description": "What happens when the object fails; what is not given comes from the project's options.",
    "properties": {
        "max": {"type": "integer", "minimum": 0, "maximum": 100, "description": "Attempts after the first one."},
        "delay": {**DURATION, "description": "Wait before the second attempt."},
        "factor": {"type": "number", "minimum": 1, "maximum": 10, "description": "Growth of the wait, by default 1."},
        "max_delay": {**DURATION, "description": "Longest wait, by default P1D or the delay if that is longer."},
        "jitter": {"type": "boolean", "description": "Wait a random part of the delay, at least half of it."},
        "on": {
            "type": "array",
            "description": "Error codes to retry, by default all.",
            "items": ERROR_CODE,
            "maxItems": 30,
        },
    },
    "additionalProperties": False,
}


def _object(kind: str, properties: dict[str, Any], required: tuple[str, ...] = (), **keywords: Any) -> dict[str, Any]:
    """The schema of one type of object: what all of them have, and its own properties."""
    everything = {"type": {"const": kind}, "text": TEXT, "next": NEXT, **properties}
    return {"properties": everything, "required": list(required), "additionalProperties": False, **keywords}


OBJECTS: dict[str, dict[str, Any]] = {
    "start": _object("start", {}, ("next",)),
    "end": {"properties": {"type": {"const": "end"}, "text": TEXT}, "additionalProperties": False},
    "decision": _object(
        "decision",
        {
            "retry": {"$ref": "#/$defs/retry"},
            "rules": {
                "type": "array",
                "description": "The first rule that is true gives the port, else the port `else`.",
                "minItems": 1,
                "maxItems": 50,
                "items": {
                    "type": "object",
                    "properties": {"port": {**PORT, "not": {"enum": ["else", "error"]}}, "when": EXPRESSION},
                    "required": ["port", "when"],
                    "additionalProperties": False,
                },
            },
        },
        ("rules", "next"),
    ),
    "set": _object(
        "set",
        {"retry": {"$ref": "#/$defs/retry"}, "set": {"type": "object"}, "unset": {"type": "array"}},
        ("next",),
        description="Changes the record's data; `set` and `unset` are the config of the app core.set.",
    ),
    "wait": _object(
        "wait",
        {
            "retry": {"$ref": "#/$defs/retry"},
            "for": {**DURATION, "description": "Time from entering the object."},
            "until": {
                "type": "string",
                "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$",
                "description": "Then on to this time of day.",
            },
            "date": {**TEMPLATE, "description": "A moment in ISO 8601, often a template; a day alone is its midnight."},
            "timezone": {
                "type": "string",
                "maxLength": 64,
                "description": "Of `until` and of dates without an offset.",
            },
        },
        ("next",),
        **{
            "anyOf": [{"required": ["date"]}, {"required": ["for"]}, {"required": ["until"]}],
            "not": {"required": ["date"], "anyOf": [{"required": ["for"]}, {"required": ["until"]}]},
        },
    ),
    "stop": _object(
        "stop", {"timeout": {**DURATION, "description": "Leave by the port `timeout` after this time."}}, ("next",)
    ),
    "webhook": _object(
        "webhook",
        {
            "retry": {"$ref": "#/$defs/retry"},
            "webhook": {**NAME, "description": "Name of the webhook to listen to."},
            "identifier": {**TEMPLATE, "description": "What the events of this record carry as identifier."},
            "ports": {
                "type": "object",
                "description": "The port for each status an event may have; others leave by `else`.",
                "propertyNames": {"minLength": 1, "maxLength": 512},
                "additionalProperties": {**PORT, "not": {"enum": ["else", "error", "timeout"]}},
                "maxProperties": 50,
            },
            "since": {
                **DURATION,
                "description": "Which events count: those of this `run` (by default), those from `now` on, or those"
                " received at most so long before the object was entered.",
            },
            "timeout": {**DURATION, "description": "Leave by the port `timeout` after this time."},
            "save_to": {**VARIABLE, "description": "Variable that keeps the event's payload."},
        },
        ("webhook", "identifier", "next"),
    ),
    "run": _object(
        "run",
        {
            "retry": {"$ref": "#/$defs/retry"},
            "flow": {**NAME, "description": "Name of the flow that runs the new record."},
            "wait": {"type": "boolean", "description": "Wait until the new record is finished; by default no."},
            "input": {
                "type": ["object", "string"],
                "maxLength": 4000,
                "description": "The new record's document, by default this record's.",
            },
            "save_to": {
                **VARIABLE,
                "description": "Variable that keeps {status, uuid, data, error} of the new record.",
            },
        },
        ("flow", "next"),
    ),
    "move": _object(
        "move",
        {
            "retry": {"$ref": "#/$defs/retry"},
            "flow": {**NAME, "description": "Name of the flow where the record begins anew."},
        },
        ("flow",),
    ),
    "app": _object(
        "app",
        {
            "retry": {"$ref": "#/$defs/retry"},
            "app": {"type": "string", "maxLength": 64},
            "with": {"type": "object"},
            "on_crash": {
                "enum": ["repeat", "fail"],
                "description": "When a worker dies during a call: make it again with the same Idempotency-Key (by"
                " default), or fail with the error `crashed`.",
            },
        },
        ("app", "next"),
    ),
}

DOCUMENT_SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Flow, format flow/1",
    "type": "object",
    "properties": {
        "format": {"const": FORMAT},
        "name": {"type": "string", "minLength": 1, "maxLength": 128},
        "description": {"type": "string", "maxLength": 2000},
        "start": IDENTIFIER,
        "objects": {
            "type": "object",
            "propertyNames": IDENTIFIER,
            "minProperties": 1,
            "maxProperties": MAX_OBJECTS,
            "additionalProperties": {"$ref": "#/$defs/object"},
        },
        "on_error": {
            "type": "object",
            "description": "Where a record goes when an object without a connected port `error` fails for good.",
            "properties": {"next": IDENTIFIER},
            "required": ["next"],
            "additionalProperties": False,
        },
        "limits": {
            "type": "object",
            "properties": {
                "max_steps": {
                    "type": "integer",
                    "minimum": 1,
                    "maximum": 10_000,
                    "description": "Most objects a record may pass in one run, by default 1,000.",
                },
                "expires": {**DURATION, "description": "A run that is older fails with the error `expired`."},
                "concurrency": {
                    "type": "integer",
                    "minimum": 1,
                    "maximum": 10_000,
                    "description": "Most records of the flow in workers' hands at once, by default any number.",
                },
            },
            "additionalProperties": False,
        },
        "layout": {"type": "object", "description": "Positions for an editor; the engine does not read them."},
    },
    "required": ["format", "start", "objects"],
    "additionalProperties": False,
    "$defs": {
        "retry": RETRY,
        "object": {
            "type": "object",
            "properties": {"type": {"enum": list(OBJECTS)}},
            "required": ["type"],
            "allOf": [
                {
                    "if": {"required": ["type"], "properties": {"type": {"const": kind}}},
                    "then": {"$ref": f"#/$defs/{kind}"},
                }
                for kind in OBJECTS
            ],
        },
        **OBJECTS,
    },
}


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One fault of a document: the object's id ("" for the document), the path inside it and what is wrong."""

    object: str
    path: str
    message: str

    def __str__(self) -> str:
        where = "/".join(filter(None, (self.object, self.path))) or "document"
        return f"{where}: {self.message}"


def check_structure(document: JSON) -> list[Problem]:
    """Every place where the document departs from ``DOCUMENT_SCHEMA``; [] when it fits."""
    try:
        measure(document, MAX_DOCUMENT)
    except ValueRefused as refusal:
        return [Problem("", "", f"the document is or holds something {refusal}")]
    if _validator().is_valid(document):
        return []
    return sorted({_problem(error) for error in _validator().iter_errors(document)})


@cache
def _validator() -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(DOCUMENT_SCHEMA, offline=True, mask="the value")


def _problem(error: jsonschema_rs.ValidationError) -> Problem:
    path, message = fault_path(error), fault_message(error)
    if len(path) == 3 and path[0] == "objects" and path[2] == "type" and isinstance(error.instance, str):
        message = f"object type '{error.instance[:40]}' is not supported"
    elif error.schema_path in (["$defs", "wait", "anyOf"], ["$defs", "wait", "not"]):
        message = "give either 'date', or 'for' or 'until' or both"
    if len(path) >= 2 and path[0] == "objects":
        return Problem(path[1], "/".join(path[2:]), message)
    return Problem("", "/".join(path), message)
