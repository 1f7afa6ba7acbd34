"""The OpenAPI document of the whole API, and the same with the records of one workspace in its examples."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string
from drf_spectacular.generators import EndpointEnumerator, SchemaGenerator

from apps.applications.api.openapi import SCHEMES
from apps.applications.api.openapi import SHARED_PARAMETERS as OF_CALLERS
from apps.core.http.openapi import answers
from apps.core.http.openapi.autoschema import SHARED_PARAMETERS
from apps.core.http.renderers import TextRenderer
from apps.core.jsonio import write_json

Object = dict[str, Any]
TAGS = {
    "Tokens": "Applications with OAuth 2 trade their client id and secret for an access token.",
    "Data schema": "What the records of a workspace look like: a JSON Schema of draft 4.",
    "Records": "JSON documents on their way through a flow.",
    "Flows": "The diagrams that records run through.",
    "Keystores": "Named containers of keys, for data that many calls and flows share.",
    "Tables": "Rows with typed columns.",
    "Webhooks": "Addresses that other systems deliver to.",
    "URL triggers": "Addresses that make records of what is posted to them.",
    "Environments": "Places that host projects, with hosts, storage and a certificate of their own.",
    "Reference": "What describes the API itself.",
}


class Endpoints(EndpointEnumerator):
    """The endpoints without the slash that may end each path."""

    def get_path_from_regex(self, path_regex: str) -> str:
        """The path as it is written in documentation."""
        return super().get_path_from_regex(path_regex).rstrip("/")

    def get_allowed_methods(self, callback: Any) -> list[str]:
        """In the order of the URLconf; the library's is another in every process."""
        allowed = set(super().get_allowed_methods(callback))
        return [method.upper() for method in callback.actions if method.upper() in allowed]


class DocumentGenerator(SchemaGenerator):
    """Adds what stands beside the operations, and tells apart those that share one name."""

    endpoint_inspector_cls = Endpoints

    def parse(self, input_request: Any, public: bool) -> Object:
        """The paths, with operation ids that are unique."""
        paths: Object = super().parse(input_request, public)
        _tell_apart(paths)
        return paths

    def get_schema(self, request: Any = None, public: bool = False) -> Object:
        """The document with its examples in every format."""
        document: Object = super().get_schema(request, public)
        used = {tag for operation in operations(document) for tag in operation["tags"]}
        document["tags"] = [{"name": name, "description": text} for name, text in TAGS.items() if name in used]
        for kind, found in _components(document).items():
            document["components"].setdefault(kind, {}).update(found)
        return document


def operations(document: Object) -> Iterator[Object]:
    """Every operation of a document."""
    return (operation for methods in document["paths"].values() for operation in methods.values())


@dataclass(frozen=True, slots=True)
class Written:
    """A document as it is sent, and the mark of its content."""

    body: bytes
    mark: str


def written(document: Object) -> Written:
    """The document as it is sent."""
    body = write_json(document)
    return Written(body, hashlib.sha256(body).hexdigest())


@cache
def generic() -> Object:
    """The document for everybody; made once, not to be changed."""
    return with_all_formats(DocumentGenerator().get_schema(public=True))


@cache
def generic_written() -> Written:
    """The same as it is sent."""
    return written(generic())


def with_all_formats(document: Object) -> Object:
    """The document with each JSON example also in the other formats of its place, written by their renderers."""
    writers = {str(kind.media_type): kind() for kind in (*map(import_string, _renderers()), TextRenderer)}
    for content in _contents(document):
        shown = content.get(answers.JSON, {}).get("examples", {})
        for media_type in content.keys() & writers.keys() - {answers.JSON}:
            content[media_type]["examples"] = {
                title: example | {"value": writers[media_type].render(example["value"], media_type, {}).decode()}
                for title, example in shown.items()
            }
    return document


def _renderers() -> Iterable[str]:
    return settings.REST_FRAMEWORK["DEFAULT_RENDERER_CLASSES"]  # type: ignore[return-value]


def _contents(node: Any) -> Iterator[Object]:
    """Every ``content`` of a document: examples by media type."""
    if isinstance(node, dict):
        content = node.get("content")
        if isinstance(content, dict) and answers.JSON in content:
            yield content
        else:
            for value in node.values():
                yield from _contents(value)
    elif isinstance(node, list):
        for item in node:
            yield from _contents(item)


def _components(document: Object) -> Object:
    """What operations refer to: of the errors only those that some call answers."""
    answered = {status for operation in operations(document) for status in operation["responses"]}
    media_types = [str(import_string(kind).media_type) for kind in _renderers()]
    named = {
        answer.get("$ref", "").rpartition("/")[2]
        for operation in operations(document)
        for answer in operation["responses"].values()
    }
    brief = {
        answers.name_of(status) + answers.BRIEF: answers.brief_failure(status, kinds, media_types)
        for status, kinds in answers.failures().items()
        if answers.name_of(status) + answers.BRIEF in named
    }
    return {
        "securitySchemes": SCHEMES,
        "parameters": SHARED_PARAMETERS | OF_CALLERS,
        "headers": answers.HEADERS,
        "schemas": {"Error": answers.ERROR},
        "responses": {
            answers.name_of(status): answers.failure(status, kinds, media_types)
            for status, kinds in answers.failures().items()
            if str(status) in answered
        }
        | brief
        | {"NotModified": answers.NOT_MODIFIED},
    }


def _tell_apart(paths: Object) -> None:
    """Add the path's part, and where that is not enough the method, to an operation id that others have too."""
    for suffix in (_part_suffix, _method_suffix):
        shared: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for path, methods in paths.items():
            for method, operation in methods.items():
                shared[operation["operationId"]].append((path, method))
        for places in shared.values():
            _name_apart(paths, places, suffix)


def _name_apart(paths: Object, places: list[tuple[str, str]], suffix: Callable[[str, str], str]) -> None:
    if len(places) > 1:
        for path, method in places:
            paths[path][method]["operationId"] += suffix(path, method)


def _part_suffix(path: str, method: str) -> str:
    part = path.rpartition("{")[2].removesuffix("}") if path.endswith("}") else ""
    return f"By{part.title().replace('_', '')}" if part else ""


def _method_suffix(path: str, method: str) -> str:
    return "" if method == "get" else method.title()
