"""Limit and offset."""

from typing import Any

import pytest

from apps.core.errors import BadRequest
from apps.core.paging import Page, read_page


@pytest.mark.parametrize(
    ("limit", "offset", "page"),
    [
        (None, None, Page(10, 0)),
        ("", "", Page(10, 0)),
        (5, 20, Page(5, 20)),
        ("5", "20", Page(5, 20)),
        (101, 0, Page(100, 0)),
        ("9" * 30, 0, Page(100, 0)),
    ],
)
def test_pages(limit: Any, offset: Any, page: Page) -> None:
    assert read_page(limit, offset, default=10, most=100) == page


@pytest.mark.parametrize("limit", [0, -1, "0", "-1", "abc", "1.5", 1.5, "NaN", "0x10", True, [], "１"])
def test_limits_that_are_none(limit: Any) -> None:
    with pytest.raises(BadRequest, match=r"limit must be a whole number of at least 1\."):
        read_page(limit, None, default=10, most=100)


@pytest.mark.parametrize("offset", [-1, "x", 1.0, {}])
def test_offsets_that_are_none(offset: Any) -> None:
    with pytest.raises(BadRequest, match=r"offset must be a whole number of at least 0\."):
        read_page(None, offset, default=10, most=100)


def test_offsets_beyond_any_result() -> None:
    with pytest.raises(BadRequest, match=r"offset must be at most 10000000\."):
        read_page(None, "9" * 20, default=10, most=100)
