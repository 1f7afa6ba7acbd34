"""Named places where a test may make a process stall or die; nothing at all unless FLOWIZE_FAILPOINTS is set."""

import os
import signal
import time
from collections.abc import Callable


def _parse(text: str) -> dict[str, str]:
    """``name=kill,other=sleep:2`` as a mapping."""
    return dict(item.split("=", 1) for item in text.split(",") if "=" in item)


def _act(name: str) -> None:
    action, _, argument = _ACTIONS.get(name, "").partition(":")
    if action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif action == "sleep":
        time.sleep(float(argument))
    elif action == "raise":
        raise RuntimeError(f"failpoint {name}")


def _pass(name: str) -> None:
    """The switched-off form: one call that does nothing."""


_ACTIONS = _parse(os.environ.get("FLOWIZE_FAILPOINTS", ""))
failpoint: Callable[[str], None] = _act if _ACTIONS else _pass
