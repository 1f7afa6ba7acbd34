"""Counting what happens, in the memory of each process; somebody else carries the counts to where they are kept.

Labels are words of ours: types, outcomes, routes. Names of flows, tenants and people are never among them, so their
number is bounded and nobody reads a secret here.
"""

import threading
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

INFINITE = "+Inf"
QUICK = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
LONG = (0.001, 0.005, 0.025, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 3600.0, 86400.0)

# The name of a series of numbers, and its labels in the order of the metric.
Series = tuple[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Metric:
    """A counter, or a histogram of seconds when it has ``buckets``; ``help`` is for whoever reads the metrics."""

    name: str
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


_ALL = (
    Metric("http_requests", "Requests answered.", ("method", "route", "status")),
    Metric("http_request_seconds", "How long requests took.", ("route",), QUICK),
    Metric("records_created", "Records taken in."),
    Metric("records_ended", "Runs of records that ended.", ("status",)),
    Metric("records_claimed", "Records that workers took on."),
    Metric("claims", "Looks of workers for due records, by whether they found any.", ("found",)),
    Metric("lease_expiries", "Leases that ran out, most of them because a worker died."),
    Metric("leases_lost", "Checkpoints that came too late: another worker had the record by then."),
    Metric("retries", "Attempts that failed and are made again."),
    Metric("object_seconds", "How long objects of flows took, waits included.", ("type",), LONG),
    Metric("object_errors", "Attempts at objects that failed.", ("type", "error")),
    Metric("external_calls", "Calls to other services.", ("app", "outcome")),
    Metric("external_call_seconds", "How long calls to other services took.", ("app",), QUICK),
    Metric("webhook_events", "Events of webhooks that were stored."),
    Metric("nudge_failures", "Messages to the workers that the broker did not take."),
)
METRICS: Mapping[str, Metric] = {metric.name: metric for metric in _ALL}


class Tally:
    """The counts of this process since they were last taken."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[Series, float] = {}

    def add(self, counts: Mapping[Series, float]) -> None:
        """Count some more."""
        with self._lock:
            for series, number in counts.items():
                self._counts[series] = self._counts.get(series, 0.0) + number

    def take(self) -> dict[Series, float]:
        """Everything counted so far; counting begins anew."""
        with self._lock:
            taken, self._counts = self._counts, {}
        return taken


_tally = Tally()
take, give_back = _tally.take, _tally.add


def count(name: str, *labels: str, by: float = 1) -> None:
    """Count something that happened."""
    if by:
        _tally.add({(name, labels): by})


def observe(name: str, seconds: float, *labels: str) -> None:
    """Note how long something took."""
    bucket = bucket_of(METRICS[name].buckets, seconds)
    _tally.add({(f"{name}_bucket", (*labels, bucket)): 1, (f"{name}_sum", labels): seconds})


def bucket_of(buckets: Sequence[float], seconds: float) -> str:
    """The upper bound of the smallest bucket that holds the number, as it is written in labels."""
    place = bisect_left(buckets, seconds)
    return f"{buckets[place]:g}" if place < len(buckets) else INFINITE
