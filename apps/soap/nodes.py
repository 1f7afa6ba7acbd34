"""A message as a tree of nodes, read by the rules that all XML is read by, within narrower limits."""

from collections.abc import Iterator

from apps.core.xmlio.events import Attributes, Limits, Name, NotXML, read_events
from apps.soap.faults import NotSoap
from apps.soap.namespaces import UNDECLARED

LIMITS = Limits(depth=32, elements=2_000, attributes=64, name_length=256, markup=256 * 1024)


class Node:
    """An element: its attributes by name, its children in order, the pieces of its text."""

    __slots__ = ("attributes", "children", "name", "pieces")

    def __init__(self, name: Name, attributes: Attributes) -> None:
        self.name = name
        self.attributes = dict(attributes)
        self.children: list[Node] = []
        self.pieces: list[str] = []

    @property
    def text(self) -> str:
        """Its own text; comments within do not split it."""
        return "".join(self.pieces)

    def get(self, name: str, namespace: str | None = None) -> str | None:
        """An attribute's value."""
        return self.attributes.get(Name(namespace, name))

    def walk(self) -> Iterator["Node"]:
        """The node and everything in it."""
        yield self
        for child in self.children:
            yield from child.walk()


class _Tree:
    """Builds the tree."""

    def __init__(self) -> None:
        self.root: Node | None = None
        self.open: list[Node] = []

    def start(self, name: Name, attributes: Attributes) -> None:
        node = Node(name, attributes)
        if self.open:
            self.open[-1].children.append(node)
        else:
            self.root = node
        self.open.append(node)

    def text(self, data: str) -> None:
        self.open[-1].pieces.append(data)

    def end(self) -> None:
        self.open.pop()


def read_tree(message: bytes) -> Node:
    """The root of a message in UTF-8; raises ``NotSoap`` when it is no XML, ``BadRequest`` for what it may not hold."""
    tree = _Tree()
    try:
        read_events(message, tree, LIMITS, UNDECLARED, recoded=True)
    except NotXML as error:
        raise NotSoap(error.message) from None
    assert tree.root is not None  # noqa: S101 - else it would have been no XML
    return tree.root
