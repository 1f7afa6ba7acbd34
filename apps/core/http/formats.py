"""The formats of answers, and which of them a caller gets."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from apps.core.jsonio import JSON, write_json
from apps.core.xmlio import write_xml

MOST_RANGES = 32  # a browser sends about eight


@dataclass(frozen=True, slots=True)
class Format:
    """One way to write an answer, by the media type it is asked for with."""

    media_type: str
    content_type: str
    write: Callable[[JSON], bytes]


FORMATS = (
    Format("application/json", "application/json", write_json),
    Format("application/xml", "application/xml; charset=utf-8", write_xml),
    Format("text/xml", "text/xml; charset=utf-8", write_xml),
)


def format_for(accept: str, content_type: str) -> Format:
    """The format of an answer that must be given anyhow: JSON where the caller accepts none we have."""
    chosen = choose(accept, content_type, [known.media_type for known in FORMATS])
    return next((known for known in FORMATS if known.media_type == chosen), FORMATS[0])


def choose(accept: str, content_type: str, offered: Sequence[str]) -> str | None:
    """The media type of the answer, or none that is accepted.

    What ``Accept`` names wins, by quality, then by the order it is named in. Among what only ``*/*`` covers, which most
    clients send without being asked, it is the type of the request's own body, else the first offered.
    """
    liked = content_type.partition(";")[0].strip().lower()
    ranges = _ranges(accept) if accept.strip() else [("*/*", 1.0)]
    ranked = []
    for index, media_type in enumerate(offered):
        specificity, position, quality = _best(ranges, media_type)
        if quality > 0:
            ranked.append((-quality, -specificity, position, media_type != liked, index))
    return offered[min(ranked)[-1]] if ranked else None


def _best(ranges: Sequence[tuple[str, float]], media_type: str) -> tuple[int, int, float]:
    """The most specific range that covers the type (RFC 9110, 12.5.1): how specific, where named, its quality."""
    wanted = (media_type, media_type.partition("/")[0] + "/*", "*/*")
    for specificity, pattern in zip((2, 1, 0), wanted, strict=True):
        for position, (named, quality) in enumerate(ranges):
            if named == pattern:
                return specificity, position, quality
    return 0, 0, 0.0


def _ranges(accept: str) -> list[tuple[str, float]]:
    found = []
    for part in accept.split(",", MOST_RANGES)[:MOST_RANGES]:
        named, *parameters = (piece.strip().lower() for piece in part.split(";"))
        found.append((named, _quality(parameters)))
    return found


def _quality(parameters: Sequence[str]) -> float:
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return float(parameter[2:])
            except ValueError:
                return 0.0
    return 1.0
