"""Which box stands in which row: ways back are found, and every other line leads downwards."""

from collections.abc import Sequence

Pair = tuple[int, int]


def ways_back(count: int, pairs: Sequence[Pair]) -> set[Pair]:
    """The lines without which nothing goes round, as a depth-first search from the first box on finds them."""
    leads_to = successors(count, pairs)
    back: set[Pair] = set()
    state = bytearray(count)  # 0 not seen, 1 on the way, 2 left
    for root in range(count):
        if state[root]:
            continue
        state[root] = 1
        way = [(root, iter(leads_to[root]))]
        while way:
            box, rest = way[-1]
            target = next(rest, None)
            if target is None:
                state[box] = 2
                way.pop()
            elif state[target] == 0:
                state[target] = 1
                way.append((target, iter(leads_to[target])))
            elif state[target] == 1:
                back.add((box, target))
    return back


def rows(count: int, pairs: Sequence[Pair]) -> list[int]:
    """The row of each box, from 0: below everything that leads to it; ``pairs`` must not go round.

    What nothing leads to, unless it is the first box, stands right above what it leads to.
    """
    leads_to = successors(count, pairs)
    missing = [0] * count
    for _, target in pairs:
        missing[target] += 1
    sources = [box for box in range(count) if not missing[box]]
    row = [0] * count
    ready = list(sources)
    for box in ready:
        for target in leads_to[box]:
            row[target] = max(row[target], row[box] + 1)
            missing[target] -= 1
            if not missing[target]:
                ready.append(target)
    for box in sources:
        if box and leads_to[box]:
            row[box] = min(row[target] for target in leads_to[box]) - 1
    return row


def successors(count: int, pairs: Sequence[Pair]) -> list[list[int]]:
    """For each box those it leads to, in the order of the lines."""
    leads_to: list[list[int]] = [[] for _ in range(count)]
    for source, target in pairs:
        leads_to[source].append(target)
    return leads_to
