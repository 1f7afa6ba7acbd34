"""What a view says about one of its calls, for the OpenAPI document and all that is made from it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from apps.core.errors import FlowizeError

Schema = Mapping[str, Any]
View = TypeVar("View", bound=Callable[..., Any])

TEXT: Schema = {"type": "string"}
COUNT: Schema = {"type": "integer", "minimum": 0}
ANYTHING: Schema = {}
OBJECT: Schema = {"type": "object"}
DATE: Schema = {
    "type": "string",
    "pattern": r"^(\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2})?$",
    "description": "In the workspace's time zone; empty when there is none.",
}


@dataclass(frozen=True, slots=True)
class Named:
    """A schema that stands once in the document, under a name, however often it is used."""

    name: str
    schema: Schema


def shape(required: Mapping[str, Any], optional: Mapping[str, Any] | None = None) -> Schema:
    """The schema of an object with these keys."""
    return {"type": "object", "required": list(required), "properties": {**required, **(optional or {})}}


def list_of(items: Any, **limits: Any) -> Schema:
    """The schema of an array."""
    return {"type": "array", "items": items, **limits}


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One value that a request may carry in any of several places.

    The first header and the first URL parameter are the names to use; those after them are taken for the same. On a
    path that has the part named ``path`` the value stands there and nowhere else.
    """

    description: str
    headers: tuple[str, ...] = ()
    query: tuple[str, ...] = ()
    path: str = ""
    schema: Schema = field(default_factory=lambda: TEXT)
    example: Any = None

    def placed(self, path: str) -> Iterator[dict[str, Any]]:
        """The parameter objects for that path of the API."""
        if self.path and f"{{{self.path}}}" in path:
            yield self._object("path", self.path, self.description, required=True)
            return
        for where, names in (("header", self.headers), ("query", self.query)):
            for name in names:
                first = (self.headers + self.query)[0]
                yield self._object(where, name, self.description if name == first else f"The same as `{first}`.")

    def _object(self, where: str, name: str, description: str, required: bool = False) -> dict[str, Any]:
        shown: dict[str, Any] = {"name": name, "in": where, "description": description, "schema": dict(self.schema)}
        if required:
            shown["required"] = True
        # One example is enough: a tool that fills in all of them would send the same value many times.
        if self.example is not None and (required or name == (self.headers + self.query)[0]):
            shown["example"] = self.example
        return shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """What a request carries: ``examples`` are documents by a short title."""

    schema: Any
    examples: Mapping[str, Any]
    description: str = ""
    required: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a success looks like: ``examples`` are resources by a short title.

    ``message`` is the text of the envelope; an answer without one is the bare document. ``other`` has an example for
    each media type that holds something else than the resource.
    """

    resource: Any
    examples: Mapping[str, Any]
    message: str | None = None
    status: int = 200
    other: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One call.

    ``errors`` are those beyond what every call may answer; ``styles`` the kinds of credentials, when they are others
    than the viewset says; ``conditional`` says that a change honours ``If-Match``, ``stored`` that the answer to a read
    may be kept and asked for again with its entity tag, ``whole`` that ``fields`` cannot choose from the answer.
    ``others`` are successes with other statuses than ``answer``.
    """

    name: str
    tag: str
    summary: str
    answer: Answer
    description: str = ""
    parameters: Sequence[Parameter] = ()
    body: Body | None = None
    errors: Sequence[type[FlowizeError]] = ()
    styles: tuple[type, ...] | None = None
    conditional: bool = False
    stored: bool = True
    whole: bool = False
    others: Sequence[Answer] = ()


def operation(described: Operation) -> Callable[[View], View]:
    """Describe the decorated method of a viewset."""

    def decorate(view: View) -> View:
        view.operation = described  # type: ignore[attr-defined]
        return view

    return decorate
