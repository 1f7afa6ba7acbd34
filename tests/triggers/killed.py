"""Acts in processes of their own, which are killed in the middle."""

import os
import signal
from collections.abc import Callable
from types import ModuleType
from typing import Any

from django.db import connections


def die_at(name: str, module: ModuleType, act: Callable[[], Any]) -> None:
    """Run ``act`` in a child that is killed when it comes to that failpoint of ``module``."""

    def failpoint(reached: str) -> None:
        if reached == name:
            os.kill(os.getpid(), signal.SIGKILL)

    connections.close_all()
    child = os.fork()
    if child == 0:
        try:
            module.failpoint = failpoint  # type: ignore[attr-defined]
            act()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
