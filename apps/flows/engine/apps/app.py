"""What an app is, and the shapes that the configs of several share."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from apps.flows.engine.results import AppError, AppResult
from apps.flows.engine.values import JSON

Kind = Literal["pure", "internal", "external"]
Validate = Callable[[JSON], list[dict[str, str]]]
Run = Callable[[dict[str, Any], JSON, Validate], AppResult | AppError]

VARIABLE = {"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]{0,62}$"}
DATA_PATH = {"type": "string", "minLength": 1, "maxLength": 200, "pattern": r"^[^.]+(\.[^.]+){0,19}$"}


@dataclass(frozen=True, slots=True)
class App:
    """One app: its config is checked against ``config_schema`` when the flow is saved and again when rendered.

    ``ports`` without ``error`` must be connected. ``timeout`` is in seconds, the default and the most a config may ask.
    ``run`` is given for pure apps only. ``references`` are the places in a config that name something of the
    workspace: a path such as ``auth/connection``, and what is named there: ``connection``, ``keystore``, ``table`` …
    """

    name: str
    version: int
    title: str
    kind: Kind
    config_schema: dict[str, Any]
    ports: tuple[str, ...]
    timeout: float
    run: Run | None = None
    references: tuple[tuple[str, str], ...] = ()
