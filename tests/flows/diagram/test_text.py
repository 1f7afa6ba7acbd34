"""Texts of people in a drawing."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.flows.diagram.text import clusters, fit, measure, shorten, wrap, xml

FAMILY, FLAG, ACCENT = "👩‍👩‍👧‍👦", "🇳🇱", "e\u0301"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("abc", ["a", "b", "c"]),
        (f"{FAMILY}{FLAG}🇧🇪{ACCENT}", [FAMILY, FLAG, "🇧🇪", ACCENT]),
        ("👍🏽x", ["👍🏽", "x"]),
        ("1\ufe0f\u20e3", ["1\ufe0f\u20e3"]),
        ("", []),
    ],
)
def test_what_people_see_as_one_character_stays_one(text: str, parts: list[str]) -> None:
    assert list(clusters(text)) == parts


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("Ask the stock system for it", ["Ask the stock", "system for it"]),
        ("Ask the stock system for it, and then once more", ["Ask the stock", "system for it, a…"]),
        ("Rindfleischetikettierungsüberwachung", ["Rindfleischetiket", "tierungsüberwa…"]),
        ("発注内容を確認して在庫に登録する処理", ["発注内容を確認し", "て在庫に登録す…"]),
        (" a \n\t b ", ["a b"]),
        ("", []),
    ],
)
def test_lines_break_at_spaces_and_end_in_an_ellipsis(text: str, lines: list[str]) -> None:
    assert wrap(text, 112, 13, 2) == lines


def test_what_fits_is_left_as_it_is() -> None:
    assert shorten("ok", 100, 11) == "ok"
    assert shorten("", 0, 11) == ""


@settings(max_examples=200)
@given(st.text(max_size=80), st.integers(20, 200))
def test_no_line_is_wider_than_its_room(text: str, width: int) -> None:
    for line in wrap(text, width, 13, 2):
        assert measure(line, 13) <= width or len(list(clusters(line))) <= 1


@settings(max_examples=200)
@given(st.text(max_size=80))
def test_a_text_is_its_clusters(text: str) -> None:
    assert "".join(clusters(text)) == text


def test_wide_letters_count_for_more() -> None:
    assert measure("iii", 10) < measure("aaa", 10) < measure("WWW", 10) < measure("発注書", 10) < measure("👩👩👩", 10)
    assert measure(FAMILY, 10) == measure("👩", 10)


def test_what_xml_has_no_place_for_goes() -> None:
    assert fit("a\x00b\x1fc\ud800d\ufffee\u202ef") == "a b c d e f"
    assert xml('<a b="c">&\'') == "&lt;a b=&quot;c&quot;&gt;&amp;&#x27;"
