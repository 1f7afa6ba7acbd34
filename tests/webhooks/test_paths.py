"""Dotted paths into payloads."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from apps.webhooks.paths import text_at, validate_path

PAYLOAD: dict[str, Any] = {
    "id": 7,
    "": "nameless",
    "order": {"id": "A-1", "paid": True, "open": False, "sum": 12.5, "note": None, "lines": [{"id": 3}, "x"]},
    "dotted.key": "unreachable",
    "0": "a key of digits",
    "long": "x" * 512,
    "longer": "x" * 513,
}


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("id", "7"),
        ("order.id", "A-1"),
        ("order.paid", "true"),
        ("order.open", "false"),
        ("order.sum", "12.5"),
        ("order.note", ""),
        ("order", ""),
        ("order.lines", ""),
        ("order.lines.0.id", "3"),
        ("order.lines.1", "x"),
        ("order.lines.2", ""),
        ("order.lines.-1", ""),
        ("order.lines.٣", ""),
        ("order.lines.99999999999999999999", ""),
        ("order.id.more", ""),
        ("order.id.0", ""),
        ("dotted.key", ""),
        ("0", "a key of digits"),
        ("nothing", ""),
        ("", ""),
        ("long", "x" * 512),
        ("longer", ""),
    ],
)
def test_the_text_at_a_path(path: str, text: str) -> None:
    assert text_at(path, PAYLOAD) == text


def test_a_path_into_an_array() -> None:
    assert text_at("1.id", [{"id": 1}, {"id": 2}]) == "2"
    assert text_at("id", [{"id": 1}]) == ""


@pytest.mark.parametrize("path", ["a", "a.b", "a.0.b", "Łódź.id", ".".join("a" * 20)])
def test_paths_that_can_be_read(path: str) -> None:
    validate_path(path)


@pytest.mark.parametrize("path", [".", "a.", ".a", "a..b", "a. .b", ".".join("a" * 21)])
def test_paths_that_are_refused(path: str) -> None:
    with pytest.raises(ValidationError):
        validate_path(path)
