"""The messages that the product's documentation prints, as printed, and where they contradict themselves."""

import re
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree
from xml.sax.saxutils import escape

FOLDER = Path(__file__).parent / "reference"
# What was copied from the chapter of another operation, with what must stand there; the files are left as they are.
SLIPS = {
    "insertSchema.answer": [("insertRecord", "insertSchema")],
    "getFlowDiagram.request": [("GetSchemaRequest", "GetFlowDiagramRequest"), ("getSchema", "getFlowDiagram")],
    "getFlowDiagram.answer": [
        ("getSchema", "getFlowDiagram"),
        ("Schema structure is retrieving", "Flow diagram is retrieving"),
    ],
    "updateRecord.request": [("mym:insertRecord>", "mym:updateRecord>")],
    "updateSchema.answer": [("Schema structure is created", "Schema structure is updated")],
    # Clients would raise an exception at a Fault; its text is kept.
    "webhook.answer": [],
}
FLOW = "<FlowDiagramObject><Flow>?</Flow><FlowId>?</FlowId><Status>?</Status></FlowDiagramObject>"
PLACE = re.compile(r"<(\w+)( xsi:type=\"xsd:string\")?>\?</\w+>")

Shape = tuple[str, dict[str, str], str, list["Shape"]]


def printed(name: str) -> str:
    """A message as it is printed."""
    return (FOLDER / f"{name}.xml").read_text()


def corrected(name: str) -> str:
    """A message without its slips."""
    text = printed(name)
    for wrong, right in SLIPS.get(name, []):
        assert wrong in text
        text = text.replace(wrong, right)
    if name == "getFlowDiagram.request":  # the example names no flow
        text = text.replace("</input>", f"{FLOW}</input>")
    return text


def request(operation: str, given: Mapping[str, str]) -> str:
    """The printed request with values for its question marks; those without a value are left empty."""
    text = corrected(f"{operation}.request")
    used = {name for name, _ in PLACE.findall(text)}
    assert given.keys() <= used, given.keys() - used

    def filled(place: re.Match[str]) -> str:
        return f"<{place[1]}{place[2] or ''}>{escape(given.get(place[1], ''))}</{place[1]}>"

    return PLACE.sub(filled, text)


def answer(operation: str, **texts: str) -> Shape:
    """The printed answer, with other texts for some of its elements."""
    return shape(ElementTree.fromstring(corrected(f"{operation}.answer")), texts)


def shape(element: ElementTree.Element, texts: Mapping[str, str] | None = None) -> Shape:
    """An element taken apart: name, attributes, text, children."""
    text = (texts or {}).get(element.tag, (element.text or "").strip())
    return element.tag, dict(element.attrib), text, [shape(child, texts) for child in element]
