"""Texts of people in a drawing: what may stand in XML, how wide it is about, how it breaks into lines."""

import re
import unicodedata
from collections.abc import Iterator
from html import escape

ELLIPSIS = "…"
LONGEST = 1000
# What XML 1.0 has no place for, and marks that would turn the text around them.
_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffe\uffff]+")
_JOINER, _KEYCAP = "\u200d", "\u20e3"
_NARROW, _SLIM, _BROAD = frozenset("ijl.,:;'|!`·"), frozenset('frt()[]{}/\\-"*° '), frozenset("mwMW@%—…")


def fit(text: str) -> str:
    """The text as XML may hold it, characters without a shape as one space; of longer texts the first 1,000 characters.

    A draft may hold texts of any length, and nobody reads more than that in a drawing.
    """
    return _UNFIT.sub(" ", text[:LONGEST]).strip()


def xml(text: str) -> str:
    """The text inside an element or an attribute in double quotes."""
    return escape(fit(text), quote=True)


def wrap(text: str, width: float, size: float, lines: int) -> list[str]:
    """The text in at most so many lines of that width in pixels; what is left over becomes an ellipsis.

    Lines break at spaces, and inside words that are longer than a line; never inside what people see as one character.
    """
    rest = [*clusters(" ".join(fit(text).split()))]
    found: list[str] = []
    while rest and len(found) < lines - 1:
        line, rest = _break(rest, width, size)
        found.append(line)
    if rest:
        found.append(shorten("".join(rest).strip(), width, size))
    return found


def shorten(text: str, width: float, size: float) -> str:
    """The text, cut to the width with an ellipsis where it is longer."""
    text = fit(text)
    if measure(text, size) <= width:
        return text
    taken, room = "", width - measure(ELLIPSIS, size)
    for cluster in clusters(text):
        room -= _cluster_width(cluster) * size
        if room < 0:
            break
        taken += cluster
    return taken.rstrip() + ELLIPSIS


def measure(text: str, size: float) -> float:
    """About how wide the text is in pixels in a common sans-serif font of that size; rather too much."""
    return sum(_cluster_width(cluster) for cluster in clusters(text)) * size


def clusters(text: str) -> Iterator[str]:
    """What people see as one character each: with its accents, joined emoji as one."""
    held = ""
    for character in text:
        if held and not (_extends(character) or held[-1] == _JOINER or _is_half_flag(held, character)):
            yield held
            held = ""
        held += character
    if held:
        yield held


def _extends(character: str) -> bool:
    return (
        character in (_JOINER, _KEYCAP)
        or unicodedata.category(character) in ("Mn", "Me", "Mc", "Cf")
        or "\U0001f3fb" <= character <= "\U0001f3ff"
    )


def _is_half_flag(held: str, character: str) -> bool:
    return len(held) == 1 and all("\U0001f1e6" <= one <= "\U0001f1ff" for one in held + character)


def _cluster_width(cluster: str) -> float:
    """In units of the font's size."""
    first = cluster[0]
    if first.isascii():
        return _ascii_width(first)
    if unicodedata.east_asian_width(first) in "WF":
        return 1.05 if first < "\U0001f000" else 1.35
    return 0.75 if first.isupper() else 0.64


def _ascii_width(character: str) -> float:
    if character in _NARROW:
        return 0.3
    if character in _SLIM:
        return 0.4
    if character in _BROAD:
        return 0.92
    return 0.71 if character.isupper() else 0.58


def _break(rest: list[str], width: float, size: float) -> tuple[str, list[str]]:
    """The first line and what follows it."""
    room, space = width / size, 0
    for index, cluster in enumerate(rest):
        room -= _cluster_width(cluster)
        if cluster == " ":
            space = index
        elif room < 0:
            cut = space or max(index, 1)
            return "".join(rest[:cut]).rstrip(), rest[cut + 1 if space else cut :]
    return "".join(rest), []
