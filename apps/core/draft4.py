"""JSON Schema draft-4: compiling a customer's schema once, safely, and listing what is wrong with a document.

Nothing is fetched, patterns run in linear time (so no look-around and no back-references), and the work a schema can
ask for is bounded when it is compiled. Formats are checked, unknown ones ignored.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from jsonschema_rs import Draft4Validator, RegexOptions, ValidationError, ValidationErrorKind

from apps.core.errors import BadRequest, Detail
from apps.core.jsonio import JSON, check_value, nearest_pointer, write_json
from apps.core.schema_graph import SchemaGraph, check_bounds, visits_within

MOST_BYTES = 512 * 1024
"""Size of a schema, written compactly."""
MOST_PATTERNS = 200
"""Different regular expressions in one schema; each may take a megabyte."""
MOST_VISITS = 10_000
"""Pairs of a subschema and a place up to which faults are listed; the list's cost grows faster than their number."""

_PATTERN_BYTES = 1 << 20
_MOST_DETAILS = 50
_LONGEST_MESSAGE = 300
_DIALECTS = ("http://json-schema.org/draft-04/schema", "http://json-schema.org/schema")
_NOT_LINEAR = (
    "The regular expression is wrong, too large, or cannot run in linear time "
    "(look-around and back-references are not available)."
)
_TOO_MUCH = "The document does not fit the schema; the faults are too entangled to be listed one by one."


class CompiledSchema:
    """A schema ready for use by any number of threads."""

    def __init__(self, validator: Draft4Validator, graph: SchemaGraph) -> None:
        self._validator = validator
        self._graph = graph
        self._has_branches = any("anyOf" in node or "oneOf" in node for node in graph.nodes)

    def is_valid(self, document: JSON) -> bool:
        """Whether the document, as read_json gives it, fits."""
        return self._validator.is_valid(document)

    def problems(self, document: JSON, limit: int = _MOST_DETAILS) -> list[Detail]:
        """List at most ``limit`` faults, each with a JSON Pointer into the document; empty when it fits.

        Messages name the schema's expectation, never the document's value. For a document whose faults would take
        too long to list, the answer is the first of them, or failing that a single one about the whole.
        """
        if self._validator.is_valid(document):
            return []
        if visits_within(self._graph, document, MOST_VISITS):
            # References that meet at one place report the same fault several times.
            faults = dict.fromkeys(_detail(error) for error in self._validator.iter_errors(document))
            return list(islice(faults, limit))
        return [self._first_problem(document)][:limit]

    def _first_problem(self, document: JSON) -> Detail:
        # Of alternatives the validator lists every branch's faults even when asked for the first fault only.
        if not self._has_branches:
            try:
                self._validator.validate(document)
            except ValidationError as error:
                return _detail(error)
        return Detail("", _TOO_MUCH)


def compile_schema(schema: JSON) -> CompiledSchema:
    """Compile a schema.

    Raises BadRequest, with details whose paths point into the schema, when it is not valid draft-4, declares another
    dialect, refers to anything outside itself, has a pattern that cannot run in linear time, or is too large.
    """
    check_value(schema)
    _check_size(schema)
    graph = SchemaGraph(_checked_draft4(schema))
    _check_patterns(graph)
    check_bounds(graph)
    return CompiledSchema(_build(schema), graph)


def _build(schema: Any) -> Draft4Validator:
    try:
        return Draft4Validator(
            schema,
            offline=True,
            mask="The value",
            validate_formats=True,
            pattern_options=RegexOptions(size_limit=_PATTERN_BYTES, dfa_size_limit=_PATTERN_BYTES),
        )
    except ValidationError as error:
        raise BadRequest("The schema is not usable.", details=[_schema_detail(error)]) from None


_METASCHEMA = _build({"$ref": "http://json-schema.org/draft-04/schema#"})


def _check_size(schema: Any) -> None:
    size = len(write_json(schema))
    if size > MOST_BYTES:
        raise BadRequest("The schema is too large.", details=[Detail("", f"{size} bytes; {MOST_BYTES} are allowed.")])


def _checked_draft4(schema: Any) -> dict[str, Any]:
    if not _METASCHEMA.is_valid(schema):
        details = [_schema_detail(error) for error in islice(_METASCHEMA.iter_errors(schema), _MOST_DETAILS)]
        raise BadRequest("The schema is not valid draft-4 JSON Schema.", details=details)
    dialect = schema.get("$schema", _DIALECTS[0])
    if dialect.replace("https:", "http:", 1).rstrip("#") not in _DIALECTS:
        message = f"The schema declares another dialect than {_DIALECTS[0]}#."
        raise BadRequest("The schema is not draft-4.", details=[Detail("/$schema", message)])
    checked: dict[str, Any] = schema
    return checked


def _check_patterns(graph: SchemaGraph) -> None:
    patterns = set(_patterns(graph))
    if len(patterns) > MOST_PATTERNS:
        message = f"The schema has {len(patterns)} different regular expressions; {MOST_PATTERNS} are allowed."
        raise BadRequest("The schema is not usable.", details=[Detail("", message)])


def _patterns(graph: SchemaGraph) -> Iterator[str]:
    for node in graph.nodes:
        if isinstance(node.get("pattern"), str):
            yield node["pattern"]
        if isinstance(node.get("patternProperties"), dict):
            yield from node["patternProperties"]


def _detail(error: ValidationError) -> Detail:
    innermost = _innermost(error)
    return Detail(nearest_pointer(innermost.instance_path), _bounded(innermost.message))


def _schema_detail(error: ValidationError) -> Detail:
    detail = _detail(error)
    return Detail(detail.path, _NOT_LINEAR) if detail.message.endswith('is not a "regex"') else detail


def _innermost(error: ValidationError) -> ValidationError:
    """Of a failed alternative, the fault deepest in the document says more than that no alternative fits."""
    while isinstance(error.kind, ValidationErrorKind.AnyOf | ValidationErrorKind.OneOfNotValid):
        inner = [fault for branch in error.kind.context for fault in branch]
        deepest = max(inner, key=lambda fault: len(fault.instance_path), default=error)
        if len(deepest.instance_path) <= len(error.instance_path):
            break
        error = deepest
    return error


def _bounded(message: str) -> str:
    return message if len(message) <= _LONGEST_MESSAGE else message[: _LONGEST_MESSAGE - 1] + "…"
