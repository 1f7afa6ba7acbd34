"""What every layout keeps, whatever the flow."""

from itertools import combinations, pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.flows.diagram.channels import Net, assign_tracks
from apps.flows.diagram.columns import rising
from apps.flows.diagram.layers import rows, ways_back
from apps.flows.diagram.layout import Layout, Rect, lay_out
from apps.flows.diagram.mesh import MOST_BENDS, mesh_of

SIZE = (176, 60)
Graph = tuple[list[tuple[int, int]], list[tuple[int, int, int]]]


@st.composite
def graphs(draw: Any) -> Graph:
    """Boxes of several sizes and any lines between them, also back and to themselves."""
    count = draw(st.integers(1, 18))
    sizes = draw(st.lists(st.tuples(st.integers(100, 200), st.sampled_from([40, 60])), min_size=count, max_size=count))
    ends = st.tuples(st.integers(0, count - 1), st.integers(0, count - 1))
    pairs = draw(st.lists(ends, max_size=3 * count, unique=True))
    widths = draw(st.lists(st.integers(0, 100), min_size=len(pairs), max_size=len(pairs)))
    return sizes, [(source, target, width) for (source, target), width in zip(pairs, widths, strict=True)]


def chain(count: int, *more: tuple[int, int]) -> list[tuple[int, int, int]]:
    """One box below the other, and more lines."""
    return [(source, target, 20) for source, target in [*pairwise(range(count)), *more]]


def apart(one: Rect, other: Rect) -> bool:
    return (
        one.x + one.width < other.x
        or other.x + other.width < one.x
        or one.y + one.height < other.y
        or other.y + other.height < one.y
    )


def crosses(rect: Rect, start: tuple[float, float], end: tuple[float, float]) -> bool:
    """Whether an upright or level line runs through the inside of a box."""
    (left, right), (top, bottom) = sorted((start[0], end[0])), sorted((start[1], end[1]))
    inside = rect.x + 1 < right and left < rect.x + rect.width - 1
    return inside and rect.y + 1 < bottom and top < rect.y + rect.height - 1


def laid_out(graph: Graph) -> Layout:
    return lay_out(*graph)


@settings(max_examples=60)
@given(graphs())
def test_no_two_boxes_touch_and_all_lies_inside(graph: Graph) -> None:
    layout = laid_out(graph)
    assert all(apart(one, other) for one, other in combinations(layout.boxes, 2))
    corners = [point for route in layout.routes for point in route.points]
    corners += [(rect.x + rect.width, rect.y + rect.height) for rect in layout.boxes]
    corners += [(rect.x, rect.y) for rect in layout.boxes]
    assert all(0 < x < layout.width and 0 < y < layout.height for x, y in corners)


@settings(max_examples=60)
@given(graphs())
def test_every_line_begins_and_ends_at_its_boxes_and_runs_through_none(graph: Graph) -> None:
    layout = laid_out(graph)
    for (source, target, _), route in zip(graph[1], layout.routes, strict=True):
        (x, y), (end_x, end_y) = route.points[0], route.points[-1]
        start, end = layout.boxes[source], layout.boxes[target]
        assert (y, end_y) == (start.y + start.height, end.y)
        assert start.x < x < start.x + start.width
        assert end.x < end_x < end.x + end.width
        for one, other in pairwise(route.points):
            assert one[0] == other[0] or one[1] == other[1], "lines are upright or level"
            assert not any(crosses(rect, one, other) for rect in layout.boxes)


@settings(max_examples=40)
@given(graphs())
def test_labels_of_one_box_stand_side_by_side_below_it(graph: Graph) -> None:
    layout = laid_out(graph)
    spans: dict[int, list[tuple[float, float]]] = {}
    for (source, _, width), route in zip(graph[1], layout.routes, strict=True):
        rect, (x, y) = layout.boxes[source], route.label
        assert rect.y + rect.height < y < rect.y + rect.height + 30
        spans.setdefault(source, []).append((x - width / 2, x + width / 2))
    for found in spans.values():
        assert all(one[1] < other[0] for one, other in pairwise(sorted(found)))


@settings(max_examples=25)
@given(graphs())
def test_the_same_graph_always_looks_the_same(graph: Graph) -> None:
    assert laid_out(graph) == laid_out(graph)


@settings(max_examples=60)
@given(graphs())
def test_without_the_ways_back_every_line_leads_down(graph: Graph) -> None:
    sizes, lines = graph
    pairs = [(source, target) for source, target, _ in lines]
    back = ways_back(len(sizes), pairs)
    forward = [pair for pair in pairs if pair not in back]
    row = rows(len(sizes), forward)
    assert min(row) >= 0
    assert all(row[source] < row[target] for source, target in forward)
    assert all((box, box) in back for box, other in pairs if box == other)


def test_one_box_below_the_other_is_one_straight_line() -> None:
    layout = lay_out([SIZE] * 5, chain(5))
    assert {rect.x for rect in layout.boxes} == {24.0}
    assert all(len(route.points) == 2 for route in layout.routes)
    assert [rect.y for rect in layout.boxes] == [24.0, 136.0, 248.0, 360.0, 472.0]


def test_the_main_way_stays_straight_beside_a_common_end() -> None:
    """A handler that every object leads to is one trunk beside the main way."""
    layout = lay_out([SIZE] * 8, chain(8, *[(box, 7) for box in range(6)]))
    assert len({rect.x for rect in layout.boxes}) == 1
    trunk = {route.points[-2][0] for route in layout.routes[7:]}
    assert len(trunk) == 1


def test_a_way_back_goes_around() -> None:
    layout = lay_out([SIZE] * 4, chain(4, (3, 1)))
    *_, back = layout.routes
    assert len(back.points) == 6
    right = max(rect.x + rect.width for rect in layout.boxes)
    assert max(x for x, _ in back.points) > right
    assert back.points[-1] == (layout.boxes[1].x + 88, layout.boxes[1].y)


def test_what_leads_to_a_box_stands_right_above_it() -> None:
    """Such as the sign for errors that no port takes: above its handler, not beside the start."""
    assert rows(5, [(0, 1), (1, 2), (2, 3), (4, 3)]) == [0, 1, 2, 3, 2]


def test_what_nothing_leads_to_stands_beside_the_start() -> None:
    assert rows(3, [(0, 1)]) == [0, 1, 0]


@pytest.mark.parametrize("count", [500, 600])
def test_many_long_lines_need_few_bends(count: int) -> None:
    """All of one handler share a trunk; when there are many handlers far away, lines go around instead."""
    everything_fails_to_the_end = [*pairwise(range(count)), *((box, count - 1) for box in range(count - 2))]
    assert len(mesh_of(count, everything_fails_to_the_end).row) <= count + count
    far = [*pairwise(range(count)), *((box, count - 1 - box) for box in range(count // 2 - 1))]
    mesh = mesh_of(count, far)
    assert count < len(mesh.row) <= count + MOST_BENDS
    assert len(mesh.around) > 100
    assert len(mesh.around) + len(mesh.through) == len(far)


def test_lines_led_around_are_drawn_like_the_others() -> None:
    count = 160
    far = [(box, count - 1 - box, 20) for box in range(count // 2 - 1)]
    layout = lay_out([SIZE] * count, [*chain(count), *far])
    assert all(
        route.points[-1][1] == layout.boxes[end].y
        for (_, end, _), route in zip([*chain(count), *far], layout.routes, strict=True)
    )


def test_nothing_to_lay_out() -> None:
    assert lay_out([], []) == Layout((), (), 48.0, 48.0)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.floats(-100, 100), st.floats(0.1, 10)), max_size=30))
def test_the_nearest_rising_numbers(wanted: list[tuple[float, float]]) -> None:
    found = rising([value for value, _ in wanted], [weight for _, weight in wanted])
    assert len(found) == len(wanted)
    assert all(one <= other for one, other in pairwise(found))
    total = sum(weight for _, weight in wanted)
    middle = sum(value * weight for value, weight in wanted)
    kept = sum(value * weight for value, (_, weight) in zip(found, wanted, strict=True))
    assert kept == pytest.approx(middle, abs=1e-6 * max(total, 1))


def test_rising_numbers_stay_as_they_are() -> None:
    assert rising([1.0, 2.0, 5.0], [1.0, 1.0, 1.0]) == [1.0, 2.0, 5.0]
    assert rising([3.0, 1.0], [1.0, 3.0]) == [1.5, 1.5]


def test_a_net_that_would_run_into_another_one_lies_below_it() -> None:
    upper, lower = Net(tops=[100.0], bottom=0.0), Net(tops=[200.0], bottom=100.0)
    assert assign_tracks([lower, upper]) == 2
    assert (upper.track, lower.track) == (0, 1)


def test_nets_far_from_each_other_share_a_track() -> None:
    one, other, straight = Net(tops=[0.0], bottom=50.0), Net(tops=[90.0], bottom=120.0), Net(tops=[70.0], bottom=70.0)
    assert assign_tracks([one, other, straight]) == 1
    assert (one.track, other.track) == (0, 0)


def test_of_two_nets_that_change_places_one_gives_way() -> None:
    one, other = Net(tops=[0.0], bottom=100.0, may_shift=True), Net(tops=[100.0], bottom=0.0, may_shift=True)
    assert assign_tracks([one, other]) == 2
    assert sorted([one.entry - 100.0, other.entry]) == [0.0, 12.0]
