"""Finding tracebacks in logs, whether they stand in a field of a JSON line or were written as they are."""

import json
from collections.abc import Iterator

HEAD = "Traceback (most recent call last)"


def last_lines(logs: str) -> list[str]:
    """For each traceback the line that names its last exception."""
    lines = logs.splitlines()
    found = []
    for number, line in enumerate(lines):
        if HEAD not in line:
            continue
        if line.startswith("{"):
            found.append(_last(_field(line)))
        elif line.lstrip(" |+").startswith(HEAD):
            found.append(_last_of_block(lines[number + 1 :]))
    return found


def _field(line: str) -> str:
    """The text of a JSON line that holds the traceback."""
    try:
        values = json.loads(line).values()
    except ValueError:
        return line
    return next((value for value in values if isinstance(value, str) and HEAD in value), line)


def _last(text: str) -> str:
    """The last line that is not indented: a message may have several."""
    named = list(_exceptions(text.splitlines()))
    return named[-1] if named else text[-300:]


def _exceptions(lines: list[str]) -> Iterator[str]:
    inside = False
    for line in lines:
        if HEAD in line:
            inside = True
        elif inside and line and not line.startswith((" ", "\t")):
            inside = False
            yield line


def _last_of_block(lines: list[str]) -> str:
    """The first line after the frames."""
    return next(
        (line.strip(" |") for line in lines if line and not line.lstrip("|").startswith((" ", "\t"))), "cut off"
    )
