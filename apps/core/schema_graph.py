"""A draft-4 schema seen as a graph: where each ``$ref`` leads, and how much work the references multiply out to.

A small schema can ask for astronomically much: twenty definitions that each refer to the next one twice are a million
subschemas. The compiled validator cannot be interrupted, so the work is bounded before it ever runs: once for the
schema (``check_bounds``) and, before faults are listed, for the schema with the document at hand (``visits_within``).
"""

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from itertools import chain, islice
from typing import Any, TypeAlias
from urllib.parse import unquote, urldefrag, urljoin

from apps.core.errors import BadRequest, Detail
from apps.core.jsonio import Part, nearest_pointer

Schema: TypeAlias = dict[str, Any]

MOST_REFERENCES = 10_000
"""References followed when every one is replaced by what it names, recursion being entered once."""
MOST_RECURSIONS = 500
"""Ways in which following references comes back to one that is being followed; the work grows with their square."""
MOST_NODES = 250_000
"""Subschemas seen while following those references."""
MOST_REFERENCES_AT_ONE_PLACE = 256
"""References that look at one and the same place of a document."""

_LONGEST_SHOWN = 100


class SchemaGraph:
    """The subschemas of one schema and what its references lead to.

    Raises BadRequest when a reference names nothing inside the schema. The schema must be valid draft-4 and must not
    be changed afterwards: subschemas are told apart by identity.
    """

    def __init__(self, schema: Schema) -> None:
        self.root = schema
        self._targets: dict[int, Schema] = {}
        self._nodes: dict[int, Schema] = {}
        self._paths: dict[int, tuple[Part, ...]] = {}
        self._resources: dict[str, Schema] = {"": schema}
        self._references: list[tuple[Schema, str]] = []
        self._walk(schema, "", ())
        self._resolve_all()

    @property
    def nodes(self) -> Iterator[Schema]:
        """Every subschema, used or not."""
        return iter(self._nodes.values())

    def same_place(self, node: Schema) -> Iterator[Schema]:
        """The subschemas that look at the same place of the document; beside a ``$ref`` draft-4 ignores all else."""
        target = self._targets.get(id(node))
        return iter((target,)) if target is not None else (child for _, child in _same_place(node))

    def below(self, node: Schema) -> Iterator[Schema]:
        """The subschemas that look at places below."""
        return iter(()) if id(node) in self._targets else (child for _, child in _below(node))

    def path(self, node: Schema) -> str:
        """Where the subschema stands, as a JSON Pointer."""
        return nearest_pointer(self._paths[id(node)])

    def is_reference(self, node: Schema) -> bool:
        """Whether the subschema is nothing but a reference."""
        return id(node) in self._targets

    def _walk(self, schema: Schema, base: str, parts: tuple[Part, ...]) -> None:
        """Note every subschema, the names that ``id`` gives them, and the references still to be resolved."""
        stack = [(schema, base, parts)]
        while stack:
            node, base, parts = stack.pop()
            if id(node) in self._nodes:
                continue
            self._nodes[id(node)] = node
            self._paths[id(node)] = parts
            if isinstance(node.get("$ref"), str):
                self._references.append((node, base))
            elif isinstance(node.get("id"), str):
                base = self._name(node, base)
            for more, child in chain(_same_place(node), _below(node), _named(node, "definitions")):
                stack.append((child, base, parts + more))

    def _name(self, node: Schema, base: str) -> str:
        """File the subschema under its ``id``; the answer is the base of the references inside it."""
        try:
            url, fragment = urldefrag(urljoin(base, node["id"]))
        except ValueError:
            raise BadRequest(
                "The schema is not usable.", details=[Detail(self.path(node), "The id is not a URI.")]
            ) from None
        if fragment:
            self._resources[f"{url or base}#{fragment}"] = node
            return base
        if url != base:
            self._resources[url] = node
        return str(url)

    def _resolve_all(self) -> None:
        unknown: list[Detail] = []
        while self._references:
            node, base = self._references.pop()
            target = self._resolve(node["$ref"], base)
            if target is None:
                shown = node["$ref"][:_LONGEST_SHOWN]
                message = f"The reference {shown!r} names nothing inside this schema, and nothing is ever fetched."
                unknown.append(Detail(self.path(node), message))
                continue
            self._targets[id(node)] = target
            self._walk(target, base, self._paths[id(node)])
        if unknown:
            raise BadRequest("The schema refers to what it does not contain.", details=unknown[:50])

    def _resolve(self, reference: str, base: str) -> Schema | None:
        try:
            absolute = base + reference if reference.startswith("#") else urljoin(base, reference)
            url, fragment = urldefrag(absolute)
        except ValueError:
            return None
        if fragment and not fragment.startswith("/"):
            return self._resources.get(f"{url}#{fragment}")
        resource = self._resources.get(url)
        return None if resource is None else _at_pointer(resource, unquote(fragment))


def check_bounds(graph: SchemaGraph) -> None:
    """Raise BadRequest when references lead in a circle without going deeper, or multiply out to too much."""
    _check_one_place(graph)
    _check_expansion(graph)


def visits_within(graph: SchemaGraph, document: object, most: int) -> bool:
    """Whether checking the document visits at most so many pairs of a subschema and a place.

    Counts every branch and lets every pattern match, so the truth is never more.
    """
    stack: list[tuple[Schema, Any]] = [(graph.root, document)]
    visits = 0
    while stack:
        visits += 1
        if visits + len(stack) > most:
            return False
        node, value = stack.pop()
        pairs = chain(((child, value) for child in graph.same_place(node)), _applied(graph, node, value))
        stack.extend(islice(pairs, most + 1))
    return True


def _check_one_place(graph: SchemaGraph) -> None:
    order: TopologicalSorter[int] = TopologicalSorter()
    children = {id(node): list(graph.same_place(node)) for node in graph.nodes}
    for key, same in children.items():
        order.add(key, *map(id, same))
    by_key = {id(node): node for node in graph.nodes}
    counts: dict[int, int] = {}
    try:
        for key in order.static_order():
            own = 1 if graph.is_reference(by_key[key]) else 0
            counts[key] = own + sum(counts[id(child)] for child in children[key])
            if counts[key] > MOST_REFERENCES_AT_ONE_PLACE:
                _refuse(graph, by_key[key], f"More than {MOST_REFERENCES_AT_ONE_PLACE} references at one place.")
    except CycleError as error:
        _refuse(graph, by_key[error.args[1][0]], "The references lead in a circle without going into the document.")


def _check_expansion(graph: SchemaGraph) -> None:
    """Follow every reference as deep as it goes, with an explicit stack: None marks the end of a reference's target."""
    following = {id(graph.root)}
    stack: list[tuple[Schema, bool]] = [(graph.root, False)]
    nodes = references = recursions = 0
    while stack:
        node, leaving = stack.pop()
        if leaving:
            following.remove(id(node))
            continue
        nodes += 1
        if not graph.is_reference(node):
            stack.extend((child, False) for child in chain(graph.same_place(node), graph.below(node)))
            continue
        references += 1
        target = next(graph.same_place(node))
        if id(target) in following:
            recursions += 1
        else:
            following.add(id(target))
            stack += ((target, True), (target, False))
        if nodes > MOST_NODES or references > MOST_REFERENCES or recursions > MOST_RECURSIONS:
            _refuse(graph, graph.root, "The references of the schema multiply out to more than can be checked.")


def _refuse(graph: SchemaGraph, node: Schema, message: str) -> None:
    raise BadRequest("The schema is not usable.", details=[Detail(graph.path(node), message)]) from None


_Children: TypeAlias = Iterator[tuple[tuple[Part, ...], Schema]]


def _same_place(node: Schema) -> _Children:
    for keyword in ("allOf", "anyOf", "oneOf"):
        yield from _listed(node, keyword)
    yield from _single(node, "not")
    yield from _named(node, "dependencies")


def _below(node: Schema) -> _Children:
    yield from _named(node, "properties")
    yield from _named(node, "patternProperties")
    yield from _single(node, "additionalProperties")
    yield from _single(node, "items")
    yield from _listed(node, "items")
    yield from _single(node, "additionalItems")


def _single(node: Schema, keyword: str) -> _Children:
    child = node.get(keyword)
    if isinstance(child, dict):
        yield (keyword,), child


def _listed(node: Schema, keyword: str) -> _Children:
    children = node.get(keyword)
    if isinstance(children, list):
        for index, child in enumerate(children):
            if isinstance(child, dict):
                yield (keyword, index), child


def _named(node: Schema, keyword: str) -> _Children:
    children = node.get(keyword)
    if isinstance(children, dict):
        for name, child in children.items():
            if isinstance(child, dict):
                yield (keyword, name), child


def _applied(graph: SchemaGraph, node: Schema, value: object) -> Iterator[tuple[Schema, Any]]:
    """The places below that the subschema looks at, each with the subschema that does."""
    if graph.is_reference(node):
        return
    if isinstance(value, dict):
        properties = node.get("properties", {})
        others = [child for _, child in _single(node, "additionalProperties")]
        patterns = [child for _, child in _named(node, "patternProperties")]
        for name, item in value.items():
            for child in chain(patterns, (properties[name],) if name in properties else others):
                yield child, item
    elif isinstance(value, list):
        listed = [child for _, child in _listed(node, "items")]
        rest = "additionalItems" if "items" in node and isinstance(node["items"], list) else "items"
        others = [child for _, child in _single(node, rest)]
        for index, item in enumerate(value):
            for child in listed[index : index + 1] if index < len(listed) else others:
                yield child, item


def _at_pointer(resource: Schema, fragment: str) -> Schema | None:
    found: Any = resource
    for part in fragment.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(found, dict):
            found = found.get(key)
        elif isinstance(found, list) and key.isascii() and key.isdigit() and int(key[:9]) < len(found):
            found = found[int(key[:9])]
        else:
            return None
    return found if isinstance(found, dict) else None
