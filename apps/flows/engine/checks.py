"""Everything that is checked before a flow is saved; each fault is a Problem that says where it is."""

from collections.abc import Callable, Iterator
from typing import Any

from .apps import APPS
from .configs import written_faults
from .document import Problem, check_structure
from .durations import DurationError, parse_duration
from .expressions import ExpressionError, compile_expression
from .graph import is_pure, on_cycles, optional_ports, reachable, required_ports, runtime_edges, targets
from .schedule import TimezoneError, read_timezone
from .templates import TemplateError, compile_template
from .values import JSON

Objects = dict[str, dict[str, Any]]


def check_document(document: JSON) -> list[Problem]:
    """Every fault of a document, [] when it can be published.

    The shape is judged first; what the objects say only when the shape is right.
    """
    problems = check_structure(document)
    if problems:
        return problems
    objects: Objects = document["objects"]
    problems = [*_check_targets(document), *_check_ports(objects)]
    if not problems:
        problems = [*_check_reachable(document), *_check_cycles(objects)]
    problems += _check_limits(document)
    for name, item in objects.items():
        problems += (Problem(name, path, message) for path, message in CONTENT_CHECKS[item["type"]](item))
        problems += (Problem(name, path, message) for path, message in _check_retry(item))
    return problems


Faults = Iterator[tuple[str, str]]


def _check_limits(document: dict[str, Any]) -> Iterator[Problem]:
    expires = document.get("limits", {}).get("expires")
    if expires is None:
        return
    faults = [*_check_duration("limits/expires", expires)]
    if not faults and not parse_duration(expires):
        faults = [("limits/expires", "every run would have expired before it begins")]
    for path, message in faults:
        yield Problem("", path, message)


def _check_targets(document: dict[str, Any]) -> Iterator[Problem]:
    objects: Objects = document["objects"]
    starts = [name for name, item in objects.items() if item["type"] == "start"]
    if len(starts) != 1:
        yield Problem("", "objects", f"there must be one object of type 'start', not {len(starts)}")
    if objects.get(document["start"], {}).get("type") != "start":
        yield Problem("", "start", f"'{document['start']}' is no object of type 'start'")
    for name, item in objects.items():
        for port, target in item.get("next", {}).items():
            if fault := _target_fault(objects, target):
                yield Problem(name, f"next/{port}", fault)
    if "on_error" in document and (fault := _target_fault(objects, document["on_error"]["next"])):
        yield Problem("", "on_error/next", fault)


def _target_fault(objects: Objects, target: str) -> str | None:
    if target not in objects:
        return f"there is no object '{target}'"
    return "nothing may lead to the start" if objects[target]["type"] == "start" else None


def _check_ports(objects: Objects) -> Iterator[Problem]:
    for name, item in objects.items():
        if item["type"] == "app" and item["app"] not in APPS:
            yield Problem(name, "app", f"unknown app '{item['app']}'")
            continue
        required, connected = required_ports(item), item.get("next", {})
        for port in required:
            if port not in connected:
                yield Problem(name, "next", f"port '{port}' is not connected")
        for port in connected:
            if port not in required and port not in optional_ports(item):
                yield Problem(name, f"next/{port}", f"the object has no port '{port}'")


def _check_reachable(document: dict[str, Any]) -> Iterator[Problem]:
    found = reachable(runtime_edges(document), document["start"])
    for name in document["objects"]:
        if name not in found:
            yield Problem(name, "", "cannot be reached from the start")


def _check_cycles(objects: Objects) -> Iterator[Problem]:
    pure = {name: targets(item) for name, item in objects.items() if is_pure(item)}
    within = {name: [target for target in leads_to if target in pure] for name, leads_to in pure.items()}
    for name in sorted(on_cycles(within)):
        yield Problem(name, "next", "is on a cycle in which nothing waits or leaves the house")


def _check_nothing(item: dict[str, Any]) -> Faults:
    return iter(())


def _check_rules(item: dict[str, Any]) -> Faults:
    for number, rule in enumerate(item["rules"]):
        try:
            compile_expression(rule["when"])
        except ExpressionError as error:
            yield f"rules/{number}/when", str(error)


def _check_set(item: dict[str, Any]) -> Faults:
    return _check_config("core.set", {key: item[key] for key in ("set", "unset") if key in item}, "")


def _check_app(item: dict[str, Any]) -> Faults:
    app = APPS.get(item["app"])
    if app is None:
        return
    if item.get("on_crash") == "fail" and app.kind != "external":
        yield "on_crash", "only calls that leave the house can be made twice"
    yield from _check_config(item["app"], item.get("with", {}), "with")


def _check_config(app: str, config: dict[str, Any], prefix: str) -> Faults:
    for path, message in written_faults(APPS[app], config):
        yield "/".join(filter(None, (prefix, *path))), message
    for key, value in config.items():
        yield from _check_template("/".join(filter(None, (prefix, key))), value)


def _check_wait(item: dict[str, Any]) -> Faults:
    if "for" in item:
        yield from _check_duration("for", item["for"])
    if "date" in item:
        yield from _check_template("date", item["date"])
    if "timezone" in item:
        try:
            read_timezone(item["timezone"])
        except TimezoneError as error:
            yield "timezone", str(error)


def _check_stop(item: dict[str, Any]) -> Faults:
    if "timeout" in item:
        yield from _check_duration("timeout", item["timeout"])


def _check_webhook(item: dict[str, Any]) -> Faults:
    yield from _check_template("identifier", item["identifier"])
    if item.get("since", "run") not in ("run", "now"):
        yield from _check_duration("since", item["since"])
    if "timeout" in item:
        yield from _check_duration("timeout", item["timeout"])


def _check_run(item: dict[str, Any]) -> Faults:
    return _check_template("input", item["input"]) if "input" in item else iter(())


def _check_retry(item: dict[str, Any]) -> Faults:
    for key in ("delay", "max_delay"):
        if key in item.get("retry", {}):
            yield from _check_duration(f"retry/{key}", item["retry"][key])


def _check_duration(path: str, text: str) -> Faults:
    try:
        parse_duration(text)
    except DurationError as error:
        yield path, str(error)


def _check_template(path: str, value: JSON) -> Faults:
    try:
        compile_template(value)
    except TemplateError as error:
        position = f" (character {error.position})" if error.position else ""
        yield "/".join((path, *error.path)), f"{error.message}{position}"


CONTENT_CHECKS: dict[str, Callable[[dict[str, Any]], Faults]] = {
    "start": _check_nothing,
    "end": _check_nothing,
    "decision": _check_rules,
    "set": _check_set,
    "wait": _check_wait,
    "stop": _check_stop,
    "webhook": _check_webhook,
    "run": _check_run,
    "move": _check_nothing,
    "app": _check_app,
}
