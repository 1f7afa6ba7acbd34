"""A flow document made ready to run: every expression compiled, every duration read."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from apps.core.errors import BadRequest, Detail

from .apps import APPS, App
from .configs import timeout_seconds
from .document import check_structure
from .durations import DurationError, parse_duration
from .expressions import Expression, ExpressionError, compile_expression
from .graph import on_cycles, runtime_edges
from .retries import RetryPolicy, read_retry
from .schedule import Schedule, TimezoneError, read_time_of_day, read_timezone
from .templates import Template, TemplateError, compile_template

DEFAULT_MAX_STEPS = 1000


@dataclass(frozen=True, slots=True)
class Rules:
    """What a decision does: the port of the first rule that is true."""

    rules: tuple[tuple[str, Expression], ...]


@dataclass(frozen=True, slots=True)
class Pause:
    """What a wait does; ``date`` takes the place of the schedule's own times."""

    schedule: Schedule
    date: Template | None


@dataclass(frozen=True, slots=True)
class Hold:
    """What a stop does; without a timeout only a person or a call lets the record go on."""

    timeout: timedelta | None


@dataclass(frozen=True, slots=True)
class Ear:
    """What a webhook object does: the port for each status, and how far back events count (None: the run)."""

    webhook: str
    identifier: Template
    ports: dict[str, str]
    since: timedelta | None
    timeout: timedelta | None
    save_to: str | None


@dataclass(frozen=True, slots=True)
class Launcher:
    """What a run does; without an input the new record gets the document of this one."""

    flow: str
    input: Template | None
    wait: bool
    save_to: str | None


@dataclass(frozen=True, slots=True)
class Transfer:
    """What a move does."""

    flow: str


@dataclass(frozen=True, slots=True)
class Task:
    """What an app or a set does: render the config, then run the app. ``timeout`` in seconds.

    ``once`` means that its call must not be made again after a crash.
    """

    app: App
    config: Template
    timeout: float
    once: bool = False


class UnknownApp(ValueError):
    """There is no app of that name."""


Work = Rules | Pause | Hold | Ear | Launcher | Transfer | Task | None


@dataclass(frozen=True, slots=True)
class Node:
    """One object of a program; ``repeats`` when a way leads back to it, so that its executions must be counted."""

    id: str
    type: str
    text: str
    next: dict[str, str]
    retry: RetryPolicy
    repeats: bool
    work: Work


@dataclass(frozen=True, slots=True)
class Program:
    """A compiled flow; safe to share between threads and to keep for as long as its version exists."""

    start: str
    nodes: dict[str, Node]
    on_error: str | None
    max_steps: int
    expires: timedelta | None


def compile_program(document: dict[str, Any]) -> Program:
    """Compiles a document that ``check_document`` found right; raises BadRequest for one that cannot run."""
    problems = check_structure(document)
    if problems:
        raise BadRequest(
            "The flow cannot be run.",
            details=[Detail("/".join(filter(None, (p.object, p.path))), p.message) for p in problems],
        )
    repeating = on_cycles(runtime_edges(document))
    limits = document.get("limits", {})
    return Program(
        start=document["start"],
        nodes={name: _node(name, item, name in repeating) for name, item in document["objects"].items()},
        on_error=document.get("on_error", {}).get("next"),
        max_steps=limits.get("max_steps", DEFAULT_MAX_STEPS),
        expires=_expires(limits),
    )


def _expires(limits: dict[str, Any]) -> timedelta | None:
    try:
        return parse_duration(limits["expires"]) if "expires" in limits else None
    except DurationError as error:
        raise BadRequest("The flow cannot be run.", details=[Detail("limits/expires", str(error))]) from error


def _node(name: str, item: dict[str, Any], repeats: bool) -> Node:
    try:
        work = _WORK[item["type"]](item) if item["type"] in _WORK else None
        retry = read_retry(item.get("retry", {}))
    except (ExpressionError, TemplateError, DurationError, TimezoneError, UnknownApp) as error:
        raise BadRequest("The flow cannot be run.", details=[Detail(name, str(error))]) from error
    return Node(name, item["type"], item.get("text") or name, dict(item.get("next", {})), retry, repeats, work)


def _rules(item: dict[str, Any]) -> Rules:
    return Rules(tuple((rule["port"], compile_expression(rule["when"])) for rule in item["rules"]))


def _pause(item: dict[str, Any]) -> Pause:
    schedule = Schedule(
        duration=parse_duration(item["for"]) if "for" in item else timedelta(0),
        time_of_day=read_time_of_day(item["until"]) if "until" in item else None,
        zone=read_timezone(item["timezone"]) if "timezone" in item else None,
    )
    return Pause(schedule, compile_template(item["date"]) if "date" in item else None)


def _hold(item: dict[str, Any]) -> Hold:
    return Hold(parse_duration(item["timeout"]) if "timeout" in item else None)


def _ear(item: dict[str, Any]) -> Ear:
    since = item.get("since", "run")
    return Ear(
        webhook=item["webhook"],
        identifier=compile_template(item["identifier"]),
        ports=dict(item.get("ports", {})),
        since=None if since == "run" else timedelta(0) if since == "now" else parse_duration(since),
        timeout=parse_duration(item["timeout"]) if "timeout" in item else None,
        save_to=item.get("save_to"),
    )


def _launcher(item: dict[str, Any]) -> Launcher:
    document = compile_template(item["input"]) if "input" in item else None
    return Launcher(item["flow"], document, item.get("wait", False), item.get("save_to"))


def _transfer(item: dict[str, Any]) -> Transfer:
    return Transfer(item["flow"])


def _set(item: dict[str, Any]) -> Task:
    return _task(APPS["core.set"], {key: item[key] for key in ("set", "unset") if key in item})


def _app(item: dict[str, Any]) -> Task:
    if item["app"] not in APPS:
        raise UnknownApp(f"unknown app '{item['app']}'")
    return _task(APPS[item["app"]], item.get("with", {}), once=item.get("on_crash") == "fail")


def _task(app: App, config: dict[str, Any], once: bool = False) -> Task:
    return Task(app, compile_template(config), timeout_seconds(app, config), once)


_WORK: dict[str, Callable[[dict[str, Any]], Work]] = {
    "decision": _rules,
    "set": _set,
    "wait": _pause,
    "stop": _hold,
    "webhook": _ear,
    "run": _launcher,
    "move": _transfer,
    "app": _app,
}
