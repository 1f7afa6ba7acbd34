"""The page about formats says what the reader and the writer do."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from apps.core.xmlio import read_xml, write_xml
from apps.core.xmlio.events import DEFAULT
from apps.core.xmlio.marks import MARKS
from apps.core.xmlio.writing import DECLARATION

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "formats.md").read_text()
PAIRS = [
    (xml.strip(), json.loads(value))
    for xml, value in re.findall(r"^```xml\n(.*?)^```\n\n```json\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
]
ANSWERS = [pair for pair in PAIRS if pair[0].startswith("<response")]


def test_every_xml_example_has_its_value() -> None:
    assert len(PAIRS) == PAGE.count("```xml") == 6
    assert len(ANSWERS) == 2


@pytest.mark.parametrize(("xml", "value"), PAIRS)
def test_the_examples_are_read_as_shown(xml: str, value: Any) -> None:
    assert read_xml(xml.encode()) == value


@pytest.mark.parametrize(("xml", "value"), ANSWERS)
def test_the_answers_are_written_as_shown(xml: str, value: Any) -> None:
    assert write_xml(value).decode() == DECLARATION + xml


def test_every_mark_has_a_row() -> None:
    table = PAGE.partition("| Mark |")[2].partition("\n\n")[0]
    rows = [line.split("|")[1] for line in table.splitlines()[2:]]
    assert {mark for row in rows for mark in re.findall(r"`(\w+)`", row)} == MARKS


def test_the_limits_are_those_of_the_reader() -> None:
    assert f"{DEFAULT.elements:,} elements" in PAGE
    assert f"{DEFAULT.attributes}\nattributes" in PAGE
    assert f"names over {DEFAULT.name_length} characters" in PAGE
