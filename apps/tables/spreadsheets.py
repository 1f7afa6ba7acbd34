"""CSV files as spreadsheet programs write and read them.

A cell that begins with a sign that such programs take for a formula gets an apostrophe in front, which they show as
text; reading takes one away again. Cells that begin with apostrophes and such a sign are treated alike, so that what
was written is always read back as it was.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from apps.core.errors import BadRequest

DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}
_FORMULA = re.compile(r"'*[=+\-@\t\r\n]")
_DEFUSED = re.compile(r"'+[=+\-@\t\r\n]")
_LONGEST_CELL = 1_000_000
_SAMPLE = 64 * 1024


@dataclass(frozen=True, slots=True)
class Format:
    """How a file is to be read or written: a key of ``DELIMITERS``, and whether its first line names the columns."""

    delimiter: str = "comma"
    header: bool = True


def guess_delimiter(content: bytes) -> str:
    """The delimiter that the first line holds most often; commas when it holds none."""
    text = content[:_SAMPLE].decode("utf-8-sig", errors="replace")
    first = re.sub(r'"[^"]*"', "", text).partition("\n")[0]
    return max(DELIMITERS, key=lambda name: first.count(DELIMITERS[name]))


def defuse(text: str) -> str:
    """The text as no program takes it for a formula."""
    return f"'{text}" if _FORMULA.match(text) else text


def restore(text: str) -> str:
    """What ``defuse`` was given."""
    return text[1:] if _DEFUSED.match(text) else text


def read_lines(content: bytes, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """The lines of cells that are not empty, each with its number in the file.

    Raises ``BadRequest`` for a file that is not UTF-8 or no CSV.
    """
    csv.field_size_limit(_LONGEST_CELL)
    text = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8-sig", newline="")
    reader = csv.reader(text, delimiter=DELIMITERS[delimiter], strict=True)
    try:
        for cells in reader:
            if any(cells):
                yield reader.line_num, cells
    except UnicodeDecodeError:
        raise BadRequest("The file is not UTF-8: save it as CSV UTF-8.") from None
    except csv.Error as error:
        raise BadRequest(f"Line {reader.line_num} is no CSV: {error}.") from None


def write_lines(lines: Iterable[list[str]], delimiter: str) -> Iterator[str]:
    """The text of a file, a few hundred lines at a time."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=DELIMITERS[delimiter])
    for number, line in enumerate(lines, 1):
        writer.writerow(line)
        if number % 500 == 0:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()
