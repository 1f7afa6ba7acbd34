"""The shape of a flow: which ports its objects have, where they lead, what is reachable and what goes round."""

from collections.abc import Iterable, Mapping
from typing import Any

from .apps import APPS

Edges = Mapping[str, Iterable[str]]

PURE_TYPES = ("decision", "set")
WAITING_TYPES = ("wait", "stop", "webhook", "run")
"""Objects at which a record may rest: the time it takes there is nobody's work."""
CAN_FAIL = ("decision", "set", "wait", "webhook", "run", "move", "app")


def required_ports(item: Mapping[str, Any]) -> list[str]:
    """The ports of an object that must be connected, in the order people read them."""
    match item["type"]:
        case "start" | "set" | "wait" | "run":
            return ["ok"]
        case "decision":
            return [*dict.fromkeys(rule["port"] for rule in item["rules"]), "else"]
        case "stop":
            return ["resume", "timeout"] if "timeout" in item else ["resume"]
        case "webhook":
            ports = [*item.get("ports", {}).values(), "else"]
            return list(dict.fromkeys([*ports, "timeout"] if "timeout" in item else ports))
        case "app" if item["app"] in APPS:
            return [port for port in APPS[item["app"]].ports if port != "error"]
    return []


def optional_ports(item: Mapping[str, Any]) -> list[str]:
    """The ports that may stay open: without ``error`` the document's ``on_error`` applies, else the record fails."""
    return ["error"] if item["type"] in CAN_FAIL else []


def is_pure(item: Mapping[str, Any]) -> bool:
    """Whether the object is left at once, without anything that takes time or happens outside."""
    return item["type"] in PURE_TYPES or (
        item["type"] == "app" and item["app"] in APPS and APPS[item["app"]].kind == "pure"
    )


def targets(item: Mapping[str, Any]) -> list[str]:
    """The objects that the ports of an object lead to."""
    return list(item.get("next", {}).values())


def reachable(edges: Edges, root: str) -> set[str]:
    """Every object that can be reached from the root, itself included."""
    return _unseen(edges, root, set())


def on_cycles(edges: Edges) -> set[str]:
    """Every object from which a way leads back to itself: the strongly connected components, in linear time."""
    found = {name for name, leads_to in edges.items() if name in leads_to}
    seen: set[str] = set()
    backwards = _reversed(edges)
    for root in reversed(_by_completion(edges)):
        component = _unseen(backwards, root, seen)
        if len(component) > 1:
            found |= component
    return found


def _unseen(edges: Edges, root: str, seen: set[str]) -> set[str]:
    """What can be reached from the root without entering what was seen; all of it counts as seen then."""
    found: set[str] = set()
    pending = [root]
    while pending:
        name = pending.pop()
        if name not in seen:
            seen.add(name)
            found.add(name)
            pending.extend(edges.get(name, ()))
    return found


def _reversed(edges: Edges) -> dict[str, list[str]]:
    backwards: dict[str, list[str]] = {}
    for name, leads_to in edges.items():
        for target in leads_to:
            backwards.setdefault(target, []).append(name)
    return backwards


def _by_completion(edges: Edges) -> list[str]:
    """The objects in the order in which a depth-first search leaves them."""
    order: list[str] = []
    seen: set[str] = set()
    for root in edges:
        pending = [(root, False)]
        while pending:
            name, left = pending.pop()
            if left:
                order.append(name)
            elif name not in seen:
                seen.add(name)
                pending.append((name, True))
                pending.extend((target, False) for target in edges.get(name, ()))
    return order


def runtime_edges(document: Mapping[str, Any]) -> dict[str, list[str]]:
    """Where each object may lead when the flow runs: its ports, and ``on_error`` where it applies."""
    on_error = document.get("on_error", {}).get("next")
    edges = {}
    for name, item in document["objects"].items():
        handled = on_error is not None and item["type"] in CAN_FAIL and "error" not in item.get("next", {})
        edges[name] = targets(item) + ([on_error] if handled else [])
    return edges
