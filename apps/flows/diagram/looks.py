"""How each type of object looks: an outline that tells it apart without colours, and a hue of its own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .picture import MISSING, ON_ERROR

Outline = Callable[[float, float], str]


@dataclass(frozen=True, slots=True)
class Look:
    """``outline`` and ``inner`` give path data for a box of that width and height at 0,0; ``name`` is its CSS class."""

    name: str
    outline: Outline
    inner: Outline | None = None
    inset: float = 12.0
    height: int = 60


def _pill(width: float, height: float, by: float = 0.0) -> str:
    radius, long = height / 2 - by, width - height
    turn = f"a{radius:g} {radius:g} 0 0 1 0 "
    return f"M{height / 2:g} {by:g}h{long:g}{turn}{2 * radius:g}h{-long:g}{turn}{-2 * radius:g}z"


def _rounded(width: float, height: float) -> str:
    wide, high, turn = width - 16, height - 16, "a8 8 0 0 1"
    return f"M8 0h{wide:g}{turn} 8 8v{high:g}{turn}-8 8h{-wide:g}{turn}-8-8v{-high:g}{turn} 8-8z"


def _square(width: float, height: float) -> str:
    return f"M0 0h{width:g}v{height:g}h{-width:g}z"


def _hexagon(width: float, height: float) -> str:
    half = height / 2
    return f"M18 0h{width - 36:g}l18 {half:g}l-18 {half:g}h{36 - width:g}l-18 {-half:g}z"


def _octagon(width: float, height: float) -> str:
    side = height - 32
    return f"M16 0h{width - 32:g}l16 16v{side:g}l-16 16h{32 - width:g}l-16-16v{-side:g}z"


def _delay(width: float, height: float) -> str:
    half = height / 2
    return f"M0 0h{width - half:g}a{half:g} {half:g} 0 0 1 0 {height:g}h{half - width:g}z"


def _notched(width: float, height: float) -> str:
    half = height / 2
    return f"M0 0h{width:g}v{height:g}h{-width:g}l16 {-half:g}z"


def _arrow(width: float, height: float) -> str:
    half = height / 2
    return f"M0 0h{width - 20:g}l20 {half:g}l-20 {half:g}h{20 - width:g}z"


def _snipped(width: float, height: float) -> str:
    return f"M0 0h{width - 14:g}l14 14v{height - 14:g}h{-width:g}z"


def _bars(width: float, height: float) -> str:
    return f"M8 0v{height:g}M{width - 8:g} 0v{height:g}"


def _corner(width: float, height: float) -> str:
    return f"M8 0v{height:g}M0 8h{width:g}"


def _inner_pill(width: float, height: float) -> str:
    return _pill(width, height, 4.0)


LOOKS: Mapping[str, Look] = {
    "start": Look("start", _pill, inset=22),
    "end": Look("end", _pill, _inner_pill, inset=24),
    "decision": Look("decision", _hexagon, inset=22),
    "set": Look("set", _square, _corner, inset=16),
    "wait": Look("wait", _delay, inset=16),
    "stop": Look("stop", _octagon, inset=18),
    "webhook": Look("webhook", _notched, inset=22),
    "run": Look("run", _square, _bars, inset=18),
    "move": Look("move", _arrow, inset=22),
    "app": Look("app", _rounded),
    ON_ERROR: Look("on-error", _pill, inset=18, height=40),
    MISSING: Look("missing", _square),
}
UNKNOWN = Look("unknown", _snipped, inset=16)


def look_of(kind: str) -> Look:
    """The look of a type; every unknown one has the same."""
    return LOOKS.get(kind, UNKNOWN)
