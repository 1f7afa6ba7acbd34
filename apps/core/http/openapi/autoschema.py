"""From what a view says about a call to the operation of the OpenAPI document."""

from collections.abc import Iterator
from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent

from apps.core import errors
from apps.core.errors import FlowizeError
from apps.core.http.openapi import answers
from apps.core.http.openapi.operation import TEXT, Answer, Named, Operation

Object = dict[str, Any]

# What may happen to any request, whatever it asks for.
ALWAYS: tuple[type[FlowizeError], ...] = (
    errors.BadRequest,
    errors.Forbidden,
    errors.NotAcceptable,
    errors.UriTooLong,
    errors.ExpectationFailed,
    errors.HeadersTooLarge,
    errors.ServerError,
    errors.ServiceUnavailable,
)
# What may happen to a request that can carry a body, whether it is read or not.
CARRYING: tuple[type[FlowizeError], ...] = (
    errors.RequestTimeout,
    errors.LengthRequired,
    errors.BodyTooLarge,
    errors.NotImplementedHere,
)

FORM = "application/x-www-form-urlencoded"
# Of formats that cannot say what JSON and XML say.
SCHEMAS: Object = {
    FORM: {"type": "object", "additionalProperties": {"type": "string"}},
    answers.PLAIN: TEXT,
    answers.SVG: TEXT,
}
_CONDITIONS = {
    "If-None-Match": "Entity tags the client has; 304 when one of them is the present one.",
    "If-Modified-Since": "304 when the resource has not changed since; ignored beside `If-None-Match`.",
    "If-Match": "Entity tags of the state that may be changed; 412 when the present one is another.",
    "If-Unmodified-Since": "412 when the resource has changed since; ignored beside `If-Match`.",
}
SHARED_PARAMETERS: Object = {
    name: {"name": name, "in": "header", "description": description, "schema": TEXT}
    for name, description in _CONDITIONS.items()
} | {
    "fields": {
        "name": "fields",
        "in": "query",
        "description": "The parts of the resource to answer, with commas between them and dots for what is inside "
        "another: `a,b.c`. The resource then holds nothing else; a field it does not have gets 400.",
        "schema": TEXT,
    }
}


class OperationSchema(AutoSchema):
    """The operation of a viewset's method that carries an :class:`Operation`; others are left out."""

    @property
    def described(self) -> Operation | None:
        """What the method says about itself."""
        return getattr(getattr(self.view, self.action), "operation", None)

    @property
    def action(self) -> str:
        """The name of the method."""
        return str(getattr(self.view, "action", ""))

    @property
    def _told(self) -> Operation:
        if self.described is None:
            raise LookupError(f"{self.view}.{self.action} does not describe itself.")
        return self.described

    def is_excluded(self) -> bool:
        """Leave out what does not describe itself."""
        return self.described is None

    def get_operation_id(self) -> str:
        """The operation's name; the document makes equal ones differ."""
        return self._told.name

    def get_summary(self) -> str:
        """One line."""
        return self._told.summary

    def get_description(self) -> str:  # type: ignore[override]
        """Everything else."""
        return self._told.description

    def get_tags(self) -> list[str]:
        """Its chapter."""
        return [self._told.tag]

    def get_auth(self) -> list[Object]:
        """No credentials."""
        return [{}]

    def get_extensions(self) -> Object:
        """Nothing beyond the standard."""
        return {}

    def errors(self) -> Iterator[type[FlowizeError]]:
        """Every error the call may answer."""
        yield from ALWAYS
        yield from self._told.errors
        if self.method != "GET":
            yield from CARRYING
        if self._sends_body:
            yield errors.UnsupportedMediaType
        if self._told.conditional:
            yield errors.PreconditionFailed

    @property
    def _sends_body(self) -> bool:
        """Whether the call has a body to describe; a read has none that tools would send."""
        return self._told.body is not None and self.method != "GET"

    @property
    def tagged(self) -> bool:
        """Whether the answer carries an entity tag."""
        return self.method == "GET" and self._told.stored

    def headers(self) -> tuple[str, ...]:
        """The headers of a success."""
        return ("X-Request-Id", "ETag", "Last-Modified") if self.tagged else ("X-Request-Id",)

    def shared_parameters(self) -> Iterator[str]:
        """Names of the parameters that stand among the components."""
        if not self._told.whole:
            yield "fields"
        if self.tagged:
            yield from ("If-None-Match", "If-Modified-Since")
        if self._told.conditional:
            yield from ("If-Match", "If-Unmodified-Since")

    def _get_parameters(self) -> list[Object]:
        own = [placed for parameter in self._told.parameters for placed in parameter.placed(self.path)]
        return own + [{"$ref": f"#/components/parameters/{name}"} for name in self.shared_parameters()]

    def _get_request_body(self, direction: str = "request") -> Object | None:
        body = self._told.body
        if body is None or not self._sends_body:
            return None
        schema = self._resolved(body.schema)
        content: Object = {kind: {"schema": SCHEMAS.get(kind, schema)} for kind in self.map_parsers()}
        content[answers.JSON]["examples"] = {title: {"value": value} for title, value in body.examples.items()}
        described = {"description": body.description} if body.description else {}
        return {**described, "content": content, "required": body.required}

    def _get_response_bodies(self, direction: str = "response") -> Object:
        refusals = {
            str(status): {"$ref": f"#/components/responses/{answers.name_of(status)}"}
            for status in sorted({kind.status for kind in self.errors()})
        }
        unchanged = {"304": {"$ref": "#/components/responses/NotModified"}} if self.tagged else {}
        successes = {str(answer.status): self._success(answer) for answer in (self._told.answer, *self._told.others)}
        return successes | unchanged | refusals

    def _success(self, answer: Answer) -> Object:
        schema = self._resolved(answer.resource if answer.message is None else answers.enveloped(answer))
        kinds = self.map_renderers("media_type")
        content: Object = {media_type: {"schema": SCHEMAS.get(media_type, schema)} for media_type in kinds}
        content[answers.JSON]["examples"] = answers.shown(answer)
        for media_type, value in answer.other.items():
            content[media_type]["examples"] = {answer.message or self._told.summary: {"value": value}}
        return {
            "description": answer.message or self._told.summary,
            "headers": answers.headers(self.headers()),
            "content": content,
        }

    def _resolved(self, schema: Any) -> Any:
        """The schema with a reference in the place of each named one."""
        if isinstance(schema, Named):
            component = ResolvedComponent(schema.name, ResolvedComponent.SCHEMA, object=schema.name)
            if component not in self.registry:
                self.registry.register(component)
                component.schema = self._resolved(schema.schema)
            return component.ref
        if isinstance(schema, dict):
            return {key: self._resolved(value) for key, value in schema.items()}
        return [self._resolved(item) for item in schema] if isinstance(schema, list) else schema
