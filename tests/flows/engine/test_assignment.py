from typing import Any

import pytest

from apps.flows.engine.assignment import AssignmentError, assign, remove


@pytest.mark.parametrize(
    ("data", "path", "result"),
    [
        ({}, "a", {"a": 9}),
        ({}, "a.b.c", {"a": {"b": {"c": 9}}}),
        ({"a": 1, "b": 2}, "a", {"a": 9, "b": 2}),
        ({"a": None}, "a.b", {"a": {"b": 9}}),
        ({"a": {"x": 1}}, "a.b", {"a": {"x": 1, "b": 9}}),
        ({"a": [1, {"b": 2}]}, "a.1.b", {"a": [1, {"b": 9}]}),
        ({"a": [1, 2]}, "a.0", {"a": [9, 2]}),
        ({"a": {}}, "a.0", {"a": {"0": 9}}),
    ],
)
def test_a_value_is_written_at_its_path(data: Any, path: str, result: Any) -> None:
    assert assign(data, path, 9) == result


def test_the_data_it_came_from_stays_as_it_was() -> None:
    inner = {"b": [1]}
    data = {"a": inner}
    assert assign(data, "a.b.0", 2) == {"a": {"b": [2]}}
    assert remove(data, "a.b.0") == {"a": {"b": []}}
    assert data == {"a": {"b": [1]}}
    assert data["a"] is inner


@pytest.mark.parametrize(
    ("data", "path"),
    [({"a": 1}, "a.b"), ({"a": "x"}, "a.0"), ({"a": [1]}, "a.1"), ({"a": [1]}, "a.b"), (7, "a"), ([], "0")],
)
def test_a_path_through_something_else_is_refused(data: Any, path: str) -> None:
    with pytest.raises(AssignmentError, match=f"'{path}': there is no object that could hold"):
        assign(data, path, 9)


@pytest.mark.parametrize(
    ("path", "result"),
    [
        ("a", {"l": [1, {"x": 2}]}),
        ("a.b", {"a": {}, "l": [1, {"x": 2}]}),
        ("l.0", {"a": {"b": 1}, "l": [{"x": 2}]}),
        ("l.1.x", {"a": {"b": 1}, "l": [1, {}]}),
        ("l.7", {"a": {"b": 1}, "l": [1, {"x": 2}]}),
        ("a.b.c", {"a": {"b": 1}, "l": [1, {"x": 2}]}),
        ("missing.deep", {"a": {"b": 1}, "l": [1, {"x": 2}]}),
    ],
)
def test_a_path_is_removed_where_it_exists(path: str, result: Any) -> None:
    assert remove({"a": {"b": 1}, "l": [1, {"x": 2}]}, path) == result
