"""What a flow names of its workspace: other flows, keystores, webhooks and whatever the configs of its apps name."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .apps import APPS
from .expressions import ExpressionError, compile_expression
from .templates import TemplateError, compile_template, is_dynamic
from .values import JSON


@dataclass(frozen=True, slots=True, order=True)
class Reference:
    """A name, what it is the name of (``flow``, ``keystore``, ``webhook``, ``connection`` …) and where it stands."""

    object: str
    path: str
    kind: str
    name: str


# The properties of objects that name something by themselves.
_NAMES = {"run": ("flow",), "move": ("flow",), "webhook": ("webhook",)}
# The properties of objects that are templates.
_TEMPLATES = {"wait": ("date",), "webhook": ("identifier",), "run": ("input",), "set": ("set",), "app": ("with",)}


def references(document: dict[str, Any]) -> list[Reference]:
    """Every reference of a document whose shape is right, in the order of objects and paths.

    What only a template gives is not known before it is rendered, and texts that cannot be compiled name nothing.
    """
    found: set[Reference] = set()
    for name, item in document["objects"].items():
        found |= {Reference(name, path, kind, text) for path, kind, text in _of_object(item)}
    return sorted(found)


def _of_object(item: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    for key in _NAMES.get(item["type"], ()):
        yield key, key, item[key]
    for key in _TEMPLATES.get(item["type"], ()):
        yield from _of_template(key, item.get(key))
    for number, rule in enumerate(item.get("rules", ())):
        yield from _of_rule(f"rules/{number}/when", rule["when"])
    if item["type"] == "app" and item["app"] in APPS:
        for path, kind in APPS[item["app"]].references:
            yield from _of_config(item.get("with", {}), path, kind)


def _of_config(config: dict[str, Any], path: str, kind: str) -> Iterator[tuple[str, str, str]]:
    value: JSON = config
    for key in path.split("/"):
        value = value.get(key) if isinstance(value, dict) else None
    if isinstance(value, str) and not is_dynamic(value):
        yield f"with/{path}", kind, value


def _of_template(path: str, value: JSON) -> Iterator[tuple[str, str, str]]:
    """The keystores of each text of a template, with the path that leads to the text."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _of_template(f"{path}/{key}", item)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _of_template(f"{path}/{number}", item)
    elif isinstance(value, str) and is_dynamic(value):
        try:
            names = compile_template(value).keystores
        except TemplateError:
            return
        yield from ((path, "keystore", name) for name in names)


def _of_rule(path: str, text: str) -> Iterator[tuple[str, str, str]]:
    try:
        names = compile_expression(text).keystores
    except ExpressionError:
        return
    yield from ((path, "keystore", name) for name in names)
