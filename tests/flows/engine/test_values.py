from typing import Any

import pytest

from apps.flows.engine.values import ValueRefused, measure, to_text


@pytest.mark.parametrize(
    ("value", "size"),
    [
        (None, 4),
        (True, 4),
        (7, 8),
        (1.5, 8),
        ("abc", 5),
        ([], 2),
        ([1, "a"], 15),
        ({"ab": None}, 12),
        ({"a": {"b": 1}}, 22),
    ],
)
def test_a_value_has_a_size(value: Any, size: int) -> None:
    assert measure(value, 1000) == size
    assert measure(value, size) == size
    with pytest.raises(ValueRefused, match=f"larger than {size - 1} characters"):
        measure(value, size - 1)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (float("inf"), "a number that is not finite"),
        (-(2**63) - 1, "an integer beyond 64 bit"),
        (["\0"], "a NUL character"),
        ({"\udc00": 1}, "a lone surrogate"),
        ({1: 1}, "a key of type int"),
        (b"x", "a value of type bytes"),
        ((1,), "a value of type tuple"),
    ],
)
def test_what_is_not_json_is_refused(value: Any, reason: str) -> None:
    with pytest.raises(ValueRefused, match=reason):
        measure(value, 1000)


def test_depth_is_bounded() -> None:
    value: Any = 1
    for _ in range(100):
        value = [value]
    assert measure(value, 1000) == 308
    with pytest.raises(ValueRefused, match="nested more than 100 deep"):
        measure([value], 1000)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "true"),
        (-0.5, "-0.5"),
        (1e16, "10000000000000000"),
        (10**18, "1000000000000000000"),
        ({"é": [1]}, '{"é":[1]}'),
    ],
)
def test_a_value_is_written_plainly(value: Any, text: str) -> None:
    assert to_text(value) == text
