"""The figures of a run, printed at its end and kept in the file that FAULTS_REPORT names."""

import os
from pathlib import Path

FIGURES: list[str] = []


def note(test: str, **figures: object) -> None:
    """Remember what a test has seen."""
    line = f"{test}: " + ", ".join(f"{name.replace('_', ' ')} {_short(value)}" for name, value in figures.items())
    FIGURES.append(line)
    if path := os.environ.get("FAULTS_REPORT"):
        with Path(path).open("a") as report:
            report.write(line + "\n")


def percentile(values: list[float], share: float) -> float:
    """The value below which ``share`` of them lie; 0 of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


def _short(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
