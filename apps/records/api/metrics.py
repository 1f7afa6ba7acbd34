"""``/metrics``: numbers of the whole installation for Prometheus."""

import platform
from collections.abc import Callable, Iterable, Iterator, Mapping

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from apps.core import addresses, metrics
from apps.core.errors import AddressNotAllowed
from apps.core.http.client import address_of, peer_is_trusted
from apps.core.http.error_pages import respond
from apps.core.http.methods import reads_only
from apps.core.metrics import METRICS, Series
from apps.flows.models import FlowStatus
from apps.records import counters
from apps.records.queue_counts import LIVE_SECONDS, FlowQueue, queues, workers

PREFIX = "flowize_"
_FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP")
# The gauges beside the counters of ``core.metrics``: name, what it says, labels.
GAUGES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "records": ("Records in the queue, by where they stand; counting stops at 10,000 a flow.", ("state",)),
    "oldest_due_seconds": ("How long the record of a running flow that is due longest has been due.", ()),
    "records_stored": ("Records in the table, about, as the database estimates them.", ()),
    "flows": ("Flows by status.", ("status",)),
    "workers": ("Worker processes seen in the last 15 seconds.", ()),
    "build_info": ("Always 1; the labels say what runs.", ("version", "python")),
}


@reads_only
def show_metrics(request: HttpRequest) -> HttpResponse:
    """The text format, for the addresses of ``METRICS_ALLOW``; 503 while the database is away."""
    if not _may_ask(request):
        return respond(request, AddressNotAllowed())
    counters.flush()
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Numbers())
    body = generate_latest(registry)
    return HttpResponse(body, content_type=CONTENT_TYPE_PLAIN_0_0_4, headers={"Cache-Control": "no-store"})


def _may_ask(request: HttpRequest) -> bool:
    """Not somebody behind a proxy that nobody vouches for: its own address may well be on the list."""
    forwarded = any(name in request.META for name in _FORWARDED)
    if forwarded and not peer_is_trusted(request):
        return False
    return addresses.allows(settings.METRICS_ALLOW, address_of(request))


class Numbers(Collector):
    """Everything there is to tell at one moment."""

    def collect(self) -> Iterator[Metric]:
        """The counters of all processes, then what the tables say."""
        yield from _counters(counters.read())
        found = queues()
        running = [queue for queue in found if queue.status == FlowStatus.RUNNING]
        oldest = max((queue.oldest_due_seconds for queue in running), default=0.0)
        yield _gauge("records", _states(found, running))
        yield _gauge("oldest_due_seconds", {(): oldest})
        yield _gauge("records_stored", {(): _estimated()})
        yield _gauge("flows", {(status.value,): sum(one.status == status for one in found) for status in FlowStatus})
        yield _gauge("workers", {(): sum(age <= LIVE_SECONDS for _, age in workers())})
        yield _gauge("build_info", {(settings.VERSION, platform.python_version()): 1})


def _states(found: Iterable[FlowQueue], running: Iterable[FlowQueue]) -> dict[tuple[str, ...], float]:
    def total(number: Callable[[FlowQueue], int], queues: Iterable[FlowQueue] = found) -> int:
        return sum(map(number, queues))

    due = total(lambda queue: queue.due, running)
    return {
        ("due",): due,
        ("suspended",): total(lambda queue: queue.due) - due,
        ("scheduled",): total(lambda queue: queue.scheduled),
        ("paused",): total(lambda queue: queue.paused),
        ("waiting",): total(lambda queue: queue.waiting),
        ("failed",): total(lambda queue: queue.failed),
        ("processing",): total(lambda queue: queue.processing),
        ("expired",): total(lambda queue: queue.expired),
    }


def _gauge(name: str, values: Mapping[tuple[str, ...], float]) -> Metric:
    told, labels = GAUGES[name]
    family = GaugeMetricFamily(PREFIX + name, told, labels=labels)
    for key, value in values.items():
        family.add_metric(list(key), value)
    return family


def _counters(counted: Mapping[Series, float]) -> Iterator[Metric]:
    by_name: dict[str, dict[tuple[str, ...], float]] = {}
    for (name, labels), value in counted.items():
        by_name.setdefault(name, {})[labels] = value
    for metric in METRICS.values():
        if metric.buckets:
            yield _histogram(metric, by_name.get(f"{metric.name}_bucket", {}), by_name.get(f"{metric.name}_sum", {}))
        else:
            family = CounterMetricFamily(PREFIX + metric.name, metric.help, labels=metric.labels)
            found = by_name.get(metric.name, {})
            for labels, value in sorted((found if metric.labels else {(): 0.0} | found).items()):
                family.add_metric(list(labels), value)
            yield family


def _histogram(
    metric: metrics.Metric, counts: Mapping[tuple[str, ...], float], sums: Mapping[tuple[str, ...], float]
) -> Metric:
    family = HistogramMetricFamily(PREFIX + metric.name, metric.help, labels=metric.labels)
    bounds = [*(f"{bucket:g}" for bucket in metric.buckets), metrics.INFINITE]
    for labels in sorted(sums):
        total, buckets = 0.0, []
        for bound in bounds:
            total += counts.get((*labels, bound), 0.0)
            buckets.append((bound, total))
        family.add_metric(list(labels), buckets, sums[labels])
    return family


def _estimated() -> float:
    """The number of rows as of the last vacuum or analysis: counting them would read them all."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT greatest(reltuples, 0) FROM pg_class WHERE oid = 'records_record'::regclass")
        return float(cursor.fetchone()[0])
