"""The format of cases, ``flow-case/1``: its JSON Schema, and the reading of one case."""

from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

import jsonschema_rs

from apps.flows.engine.document import DURATION, FORMAT
from apps.flows.engine.durations import DurationError, parse_duration
from apps.flows.engine.faults import fault_message, fault_path
from apps.flows.engine.playing import Rest
from apps.flows.engine.schedule import TimezoneError, read_timezone
from apps.flows.engine.values import JSON

CASE_FORMAT = "flow-case/1"
BEGINS = "2026-05-01T08:00:00Z"

_ANSWER = {
    "type": "object",
    "description": "What an app answers: a port with what it gives, or an error. A webhook object hears an event, a run"
    ' learns of its child, a move gets the port ""; or there is nothing yet, and the record waits.',
    "oneOf": [{"required": [key]} for key in ("port", "error", "event", "child", "nothing")],
    "properties": {
        "event": {
            "type": "object",
            "properties": {"id": {"type": "string"}, "status": {"type": "string"}, "payload": {}},
            "required": ["status", "payload"],
            "additionalProperties": False,
        },
        "child": {
            "type": "object",
            "description": "The new record; `code` is the error of the object that started it.",
            "properties": {
                "uuid": {"type": "string"},
                "status": {"type": "integer"},
                "data": {},
                "error": {},
                "code": {"type": "string"},
            },
            "required": ["uuid", "status"],
            "additionalProperties": False,
        },
        "nothing": {"const": True},
        "port": {"type": "string"},
        "output": {"description": "What the trace notes."},
        "save": {"type": "object", "description": "Variable to value."},
        "data": {"description": "The record's new data."},
        "error": {
            "type": "object",
            "properties": {"code": {"type": "string"}, "message": {"type": "string"}},
            "required": ["code", "message"],
            "additionalProperties": False,
        },
    },
    "additionalProperties": False,
}

_EXPECT = {
    "type": "object",
    "properties": {
        "problems": {
            "type": "array",
            "description": "What is wrong with the flow, as object/path: message; then nothing is played.",
            "items": {"type": "string"},
            "minItems": 1,
        },
        "rest": {"enum": [rest.value for rest in Rest if rest not in (Rest.UNKNOWN, Rest.ENDLESS)]},
        "error": {"type": "string", "description": "The code of the error the record rests with."},
        "at": {"type": "string", "description": "The moment of the end, in UTC."},
        "trace": {
            "type": "array",
            "description": 'Each step: its number, its attempt, the object, the port it left by or "", the error code.',
            "items": {
                "type": "array",
                "prefixItems": [
                    {"type": "integer"},
                    {"type": "integer"},
                    {"type": "string"},
                    {"type": "string"},
                    {"type": ["string", "null"]},
                ],
                "minItems": 5,
                "maxItems": 5,
            },
        },
        "data": {"description": "The record's data in the end; without it that of the input."},
        "vars": {"type": "object", "description": "What the flow saved; without it nothing."},
        "calls": {
            "type": "array",
            "description": "The calls made, each with its object, and any of its config and Idempotency-Key.",
            "items": {
                "type": "object",
                "properties": {
                    "object": {"type": "string"},
                    "config": {"type": "object"},
                    "key": {"type": "string"},
                },
                "required": ["object"],
                "additionalProperties": False,
            },
        },
    },
    "anyOf": [{"required": ["problems"]}, {"required": ["rest", "trace"]}],
    "additionalProperties": False,
}

CASE_SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": f"Conformance case of flows, format {CASE_FORMAT}",
    "type": "object",
    "properties": {
        "format": {"const": CASE_FORMAT},
        "title": {"type": "string", "minLength": 1, "maxLength": 200},
        "flow": {"type": "object", "description": f"A document of format {FORMAT}."},
        "input": {"type": "object", "description": "The record's data."},
        "uuid": {"type": "string", "default": "u1"},
        "begins": {"type": "string", "description": "When the record is first walked, in UTC.", "default": BEGINS},
        "timezone": {"type": "string", "description": "The workspace's zone.", "default": "UTC"},
        "options": {
            "type": "object",
            "description": "The project's options.",
            "properties": {
                "retries": {"type": "integer", "minimum": 0, "default": 0},
                "retry_delay": {**DURATION, "default": "5m"},
                "max_executions": {"type": "integer", "minimum": 0, "default": 10},
                "random": {"type": "number", "minimum": 0, "maximum": 1, "default": 0.5},
            },
            "additionalProperties": False,
        },
        "faults": {
            "type": "array",
            "description": "What core.validate finds, each {path, message}.",
            "items": {"type": "object"},
        },
        "apps": {
            "type": "object",
            "description": "Answers of each object that asks for something outside, in the order of its questions.",
            "additionalProperties": {"type": "array", "items": _ANSWER},
        },
        "goes_on": {
            "type": "object",
            "description": "When somebody lets the record go on from an object where it rests, visit by visit.",
            "additionalProperties": {"type": "array", "items": DURATION},
        },
        "expect": _EXPECT,
    },
    "required": ["format", "title", "flow", "input", "expect"],
    "additionalProperties": False,
}


class CaseError(ValueError):
    """The document is no case; the message lists what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Case:
    """One case, with its defaults filled in."""

    title: str
    flow: dict[str, Any]
    input: JSON
    expect: dict[str, Any]
    uuid: str = "u1"
    begins: datetime = field(default_factory=lambda: datetime.fromisoformat(BEGINS))
    timezone: str = "UTC"
    options: dict[str, Any] = field(default_factory=dict)
    faults: tuple[dict[str, str], ...] = ()
    apps: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    goes_on: dict[str, list[str]] = field(default_factory=dict)


def read_case(document: JSON) -> Case:
    """The case that a document describes; raises CaseError."""
    errors = sorted(
        {
            f"{'/'.join(fault_path(error)) or 'case'}: {fault_message(error)}"
            for error in _validator().iter_errors(document)
        }
    )
    if errors or not isinstance(document, dict):
        raise CaseError("; ".join(errors) or "a case is an object")
    fields = {name: value for name, value in document.items() if name != "format"}
    if "begins" in fields:
        fields["begins"] = _moment(fields["begins"])
    fields["faults"] = tuple(fields.get("faults", ()))
    _check_times(document)
    return Case(**fields)


def _check_times(document: dict[str, Any]) -> None:
    """That its durations and its zone can be read."""
    texts = {f"goes_on/{name}": text for name, times in document.get("goes_on", {}).items() for text in times}
    texts |= {"options/retry_delay": document.get("options", {}).get("retry_delay", "5m")}
    try:
        read_timezone(document.get("timezone", "UTC"))
    except TimezoneError as error:
        raise CaseError(f"timezone: {error}") from None
    for path, text in texts.items():
        try:
            parse_duration(text)
        except DurationError as error:
            raise CaseError(f"{path}: {error}") from None


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise CaseError(f"begins: '{text[:40]}' is no moment in ISO 8601") from None
    if moment.tzinfo is None:
        raise CaseError("begins: give the moment with its offset, such as Z")
    return moment


@cache
def _validator() -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(CASE_SCHEMA, offline=True, mask="the value")
