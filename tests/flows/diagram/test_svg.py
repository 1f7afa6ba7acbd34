"""Drawings as texts: well-formed, closed in themselves, and readable without seeing them."""

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.flows.diagram.looks import LOOKS, UNKNOWN, look_of
from apps.flows.diagram.marks import Crowd, Mark, Marks, Passage, heat_marks, path_marks
from apps.flows.diagram.picture import MOST_BOXES, Box, Line, picture_of
from apps.flows.diagram.style import STYLE
from apps.flows.diagram.svg import Drawing, draw
from apps.flows.engine.document import OBJECTS
from tests.conftest import STRAIGHT_FLOW

SVG = "{http://www.w3.org/2000/svg}"
HERE = Path(__file__).parent
DOCS = HERE.parents[2] / "docs"
HOSTILE = "<script>alert(1)</script> & \"'> \x01\u202e 𝔘 👩‍👩‍👧‍👦 ]]>"


def svg_of(document: Any, **changed: Any) -> str:
    return draw(Drawing(picture_of(document), **{"title": "A flow", **changed}))


def parsed(text: str) -> ET.Element:
    return ET.fromstring(text)


def named(root: ET.Element, name: str) -> list[ET.Element]:
    """The groups of a class."""
    return [group for group in root.iter(f"{SVG}g") if name in group.get("class", "").split()]


def labels(root: ET.Element, name: str) -> list[str | None]:
    return [group.get("aria-label") for group in named(root, name)]


def one_object(**item: Any) -> dict[str, Any]:
    return {"start": "a", "objects": {"a": item}}


def example() -> dict[str, Any]:
    """The example of the documentation."""
    found = re.search(r"^```json\n(.*?)^```$", (DOCS / "flows.md").read_text(), re.DOTALL | re.MULTILINE)
    assert found
    document: dict[str, Any] = json.loads(found[1])
    return document


def test_the_documented_example_looks_as_it_did() -> None:
    """After a wanted change, write the new drawing to the file and look at it."""
    document = example()
    drawn = draw(Drawing(picture_of(document), document["name"], document["description"]))
    assert drawn == (HERE / "golden" / "order_intake.svg").read_text()


def test_a_drawing_says_what_it_shows() -> None:
    root = parsed(svg_of(STRAIGHT_FLOW, title="Intake", description="Takes in."))
    assert (root.tag, root.get("role")) == (f"{SVG}svg", "img")
    texts = {element.get("id"): element.text for element in root if element.get("id")}
    assert texts == {"flow-title": "Intake", "flow-desc": "Takes in. 5 objects, 5 connections."}
    assert root.get("aria-labelledby") == "flow-title flow-desc"
    assert labels(root, "object") == [
        "start: start",
        "Of age? (adult): decision",
        "accept: set",
        "refer: set",
        "end: end",
    ]
    assert sorted(labels(root, "line"), key=str) == [
        "accept, ok: leads to end",
        "adult, else: leads to refer",
        "adult, yes: leads to accept",
        "refer, ok: leads to end",
        "start, ok: leads to adult",
    ]


def test_nothing_runs_is_fetched_or_needs_an_inline_style() -> None:
    root = parsed(svg_of(example(), marks=heat_marks({"size": Crowd(3, 9)}), link=lambda name: f"#object-{name}"))
    tags = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert tags == {"svg", "title", "desc", "style", "g", "rect", "path", "text", "a"}
    for element in root.iter():
        assert not [name for name in element.attrib if name.lower().startswith("on") or name in ("style", "src")]
        assert element.get("href", "#").startswith("#")
    assert not re.search(r"url\(|@import|https?:|expression|<", STYLE)


@pytest.mark.parametrize("place", ["text", "type", "app", "port", "id"])
def test_what_people_write_is_text_and_nothing_else(place: str) -> None:
    item: dict[str, Any] = {"type": "app", "app": "core.http", "text": "x", "next": {"ok": "b"}}
    item |= {"next": {HOSTILE: "b"}} if place == "port" else {} if place == "id" else {place: HOSTILE, "app": HOSTILE}
    document = {"start": "a", "objects": {HOSTILE if place == "id" else "a": item, "b": {"type": "end"}}}
    root = parsed(svg_of(document, title=HOSTILE, description=HOSTILE, link=lambda name: f"#{name}"))
    assert not list(root.iter(f"{SVG}script"))
    seen = " ".join(str(group.get("aria-label")) for group in root.iter(f"{SVG}g"))
    assert "<script>alert(1)</script> & \"'>" in seen
    assert "\x01" not in seen
    assert "\u202e" not in seen


@settings(max_examples=60)
@given(st.text(max_size=60), st.text(max_size=12), st.text(max_size=12))
def test_any_text_makes_a_well_formed_drawing(text: str, port: str, name: str) -> None:
    document = {"start": name, "objects": {name: {"type": port, "text": text, "next": {port: text}}}}
    root = parsed(svg_of(document, title=text, description=port))
    assert len(named(root, "object")) == (1 if text == name else 2)


@settings(max_examples=60)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["objects", "start", "type", "text", "next", "on_error", "a", "b"]), inner
            )
        ),
        max_leaves=12,
    )
)
def test_any_draft_can_be_drawn(document: Any) -> None:
    parsed(svg_of(document))


def test_a_long_text_is_cut_where_it_is_shown_and_whole_where_it_is_read() -> None:
    text = ("Een zeer lange naam " * 10).strip()
    root = parsed(svg_of(one_object(type="set", text=text)))
    (box,) = named(root, "object")
    shown = [element.text for element in box.iter(f"{SVG}text")]
    assert shown == ["Een zeer lange naam", "Een zeer lange naa…", "a · set"]
    assert box.get("aria-label") == f"{text} (a): set"
    (title,) = box.iter(f"{SVG}title")
    assert title.text == box.get("aria-label")


def test_of_a_text_without_an_end_the_beginning_is_drawn() -> None:
    drawn = svg_of({"start": "x" * 10**6, "objects": {"x" * 10**6: {"type": "t" * 10**6, "text": "y" * 10**6}}})
    assert len(drawn) < 20_000


def test_every_type_has_its_own_outline() -> None:
    """Told apart without colours; the captions name the types as well."""
    drawn = {(look.outline(176, 60), look.inner(176, 60) if look.inner else "") for look in LOOKS.values()}
    # On-error and missing differ from their siblings by dashes, and start from it by its height.
    assert len(drawn | {(UNKNOWN.outline(176, 60), "")}) == len(LOOKS) + 1 - 1
    assert set(OBJECTS) <= set(LOOKS)
    assert look_of("frobnicate") is UNKNOWN


def test_a_type_nobody_knows_is_drawn_with_its_name() -> None:
    root = parsed(svg_of(one_object(type="frobnicate", text="Do it")))
    assert labels(root, "unknown") == ["Do it (a): frobnicate"]


def test_what_is_led_to_and_not_there_is_drawn_as_missing() -> None:
    root = parsed(svg_of(one_object(type="set", next={"ok": "gone"})))
    assert labels(root, "missing") == ["gone: is missing"]
    assert labels(root, "line") == ["a, ok: leads to gone"]


def test_the_handler_of_errors_has_a_sign_above_it() -> None:
    root = parsed(svg_of({**one_object(type="set", next={"ok": "b"}), "on_error": {"next": "a"}}))
    assert labels(root, "on-error") == ["Any other error: on_error"]
    assert "on_error, any other error: leads to a" in labels(root, "handles")


def test_ports_that_lead_the_same_way_share_a_line() -> None:
    item = {"type": "decision", "next": {"one": "b", "two": "b", "else": "a"}}
    picture = picture_of({"start": "a", "objects": {"a": item, "b": {"type": "end"}}})
    assert picture.boxes == (Box("a", "decision", "a", "decision"), Box("b", "end", "b", "end"))
    assert picture.lines == (Line(0, 1, ("one", "two")), Line(0, 0, ("else",)))


def test_the_start_comes_first_wherever_it_is_written() -> None:
    assert [box.id for box in picture_of({"start": "b", "objects": {"a": {}, "b": {}, "c": 5}}).boxes] == ["b", "a"]


@pytest.mark.parametrize("document", [None, [], {}, {"objects": []}, {"objects": {"a": 1}, "start": 5}])
def test_what_is_no_flow_is_an_empty_drawing(document: Any) -> None:
    root = parsed(svg_of(document))
    assert not named(root, "object")
    assert "The flow has no objects yet." in "".join(root.itertext())


def test_a_draft_with_too_many_objects_is_cut() -> None:
    objects = {f"n{number}": {"type": "set", "next": {"ok": f"n{number + 1}"}} for number in range(MOST_BOXES + 50)}
    picture = picture_of({"start": "n0", "objects": objects})
    assert (len(picture.boxes), picture.cut) == (MOST_BOXES, True)
    assert "larger than what is drawn" in svg_of({"start": "n0", "objects": objects})


def test_two_drawings_of_one_page_have_ids_of_their_own() -> None:
    assert 'id="second-title"' in svg_of(STRAIGHT_FLOW, prefix="second")


# Marks


def test_the_path_of_a_record() -> None:
    passages = {
        "start": Passage(done=1),
        "adult": Passage(done=3, failed=2),
        "accept": Passage(failed=2, stays_failed=True),
    }
    marks = path_marks(passages, {("start", "adult"): 1, ("adult", "accept"): 3})
    assert marks.objects == {
        "start": Mark("done", 0, "✓", "", "passed once"),
        "adult": Mark("done", 0, "✓ 3×", "✕ 2×", "passed 3 times, failed 2 times"),
        "accept": Mark("stuck", 0, "✕ here 2×", "", "failed 2 times, the record has failed here"),
    }
    root = parsed(svg_of(STRAIGHT_FLOW, marks=marks))
    assert labels(root, "done")[0] == "start: start, passed once"
    assert len(named(root, "stuck")) == 1
    assert sorted(map(str, labels(root, "taken"))) == [
        "adult, yes: leads to accept, taken 3×",
        "start, ok: leads to adult, taken 1×",
    ]
    assert "yes 3×" in [element.text for element in root.iter(f"{SVG}text")]
    assert len([group for group in named(root, "dim") if "object" in str(group.get("class"))]) == 2


def test_where_a_record_is_now() -> None:
    marks = path_marks({"adult": Passage(done=1, failed=1, current=True), "refer": Passage(failed=1)}, {})
    assert marks.objects["adult"] == Mark("current", 0, "●", "✕ 1×", "passed once, failed once, the record is here")
    assert marks.objects["refer"] == Mark("failed", 0, "✕", "", "failed once")


def test_the_heat_of_a_crowd() -> None:
    crowds = {
        "a": Crowd(1000, 5),
        "b": Crowd(1),
        "c": Crowd(600, 1000, more_passed=True),
        "d": Crowd(0, 7),
        "e": Crowd(),
    }
    marks = heat_marks(crowds)
    assert {name: mark.heat for name, mark in marks.objects.items()} == {"a": 5, "b": 1, "c": 3, "d": 0}
    assert marks.objects["c"] == Mark("", 3, "600 here", "1,000+ passed", "600 records here now, 1,000+ passes lately")
    root = parsed(svg_of(one_object(type="set"), marks=Marks({"a": marks.objects["a"]})))
    assert len(named(root, "heat-5")) == 1
