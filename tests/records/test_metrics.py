"""``/metrics``."""

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import DataError, OperationalError, connection, transaction
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from apps.core import metrics
from apps.core.http.observing import METHODS
from apps.core.metrics import METRICS
from apps.flows import services
from apps.flows.engine.document import OBJECTS
from apps.records import counters
from apps.records.api.metrics import GAUGES, PREFIX
from apps.records.claims import claim_due
from apps.records.execution import drain, note_pulse
from apps.records.models import Counter, Hold, Record, Status
from apps.records.nudge import Bell
from apps.records.observing import error_class, note_checkpoint
from apps.records.services import create_records
from tests.conftest import Tenant, publish

pytestmark = pytest.mark.django_db
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@pytest.fixture(autouse=True)
def _nothing_counted() -> None:
    metrics.take()


def scraped(client: Client) -> Samples:
    response = client.get("/metrics")
    assert response.status_code == 200
    families = text_string_to_metric_families(response.content.decode())
    return {(one.name, tuple(sorted(one.labels.items()))): one.value for family in families for one in family.samples}


def value(samples: Samples, name: str, **labels: str) -> float:
    return samples[f"{PREFIX}{name}", tuple(sorted(labels.items()))]


def states(samples: Samples) -> dict[str, float]:
    found = {dict(labels)["state"]: number for (name, labels), number in samples.items() if name == "flowize_records"}
    return {state: number for state, number in found.items() if number}


def test_the_text_format(client: Client) -> None:
    response = client.get("/metrics")
    assert response["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert response["Cache-Control"] == "no-store"
    assert response.content.endswith(b"\n")
    assert client.head("/metrics").content == b""
    assert client.post("/metrics").status_code == 405


def test_every_metric_is_there_from_the_beginning(client: Client) -> None:
    text = client.get("/metrics").content.decode()
    told = dict(re.findall(r"^# HELP flowize_(\w+) (.*)$", text, re.MULTILINE))
    wanted = {name + ("" if metric.buckets else "_total"): metric.help for name, metric in METRICS.items()}
    assert told == wanted | {name: about for name, (about, _) in GAUGES.items()}
    assert set(re.findall(r"^# TYPE flowize_\w+ (\w+)$", text, re.MULTILINE)) == {"counter", "histogram", "gauge"}
    assert value(scraped(client), "leases_lost_total") == 0


@pytest.mark.parametrize(
    ("meta", "status"),
    [
        ({}, 200),
        ({"REMOTE_ADDR": "::1"}, 200),
        ({"REMOTE_ADDR": "10.0.0.9"}, 403),
        ({"REMOTE_ADDR": ""}, 403),
        ({"HTTP_X_FORWARDED_FOR": "127.0.0.1"}, 403),
        ({"HTTP_FORWARDED": "for=127.0.0.1"}, 403),
        ({"HTTP_X_REAL_IP": "127.0.0.1"}, 403),
    ],
)
def test_who_may_ask(client: Client, meta: dict[str, str], status: int) -> None:
    """Nor does a proxy of this machine that nobody vouches for let the world in."""
    response = client.get("/metrics", **meta)  # type: ignore[arg-type]
    assert response.status_code == status
    if status == 403:
        assert response.json()["error"] == {"code": 437, "message": "Ip not valid."}
        assert b"flowize_" not in response.content


def test_a_list_of_ones_own_and_a_trusted_proxy(client: Client, settings: Any) -> None:
    from ipaddress import ip_network

    settings.METRICS_ALLOW = [ip_network("10.1.0.0/16")]
    settings.TRUSTED_PROXIES = [ip_network("127.0.0.1")]
    assert client.get("/metrics").status_code == 403
    assert client.get("/metrics", headers={"X-Forwarded-For": "10.1.2.3"}).status_code == 200
    assert client.get("/metrics", headers={"X-Forwarded-For": "10.2.2.3"}).status_code == 403
    settings.METRICS_ALLOW = []
    assert client.get("/metrics", REMOTE_ADDR="10.1.2.3").status_code == 403


def test_machines_of_the_installation_need_no_tls(client: Client, settings: Any) -> None:
    settings.REQUIRE_HTTPS = settings.SECURE_SSL_REDIRECT = True
    assert client.get("/metrics").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_what_a_run_leaves_behind(client: Client, acme: Tenant) -> None:
    create_records(acme.caller, [{"client": {"age": 30}}] * 3, flow_name="intake")
    drain(seconds=2)
    samples = scraped(client)
    assert value(samples, "records_created_total") == 3
    assert value(samples, "records_claimed_total") == 3
    assert value(samples, "claims_total", found="yes") == 1
    assert value(samples, "records_ended_total", status="finished") == 3
    assert value(samples, "object_seconds_count", type="decision") == 3
    assert value(samples, "object_seconds_bucket", type="set", le="+Inf") == 3
    assert value(samples, "lease_expiries_total") == 0
    assert states(samples) == {}


@pytest.mark.django_db(transaction=True)
def test_failures_retries_and_calls(client: Client, acme: Tenant) -> None:
    call = {
        "type": "app",
        "app": "core.http",
        "with": {"method": "GET", "url": "http://127.0.0.1:1/"},
        "next": {"ok": "end"},
    }
    objects = {
        "start": {"type": "start", "next": {"ok": "call"}},
        "call": call | {"retry": {"max": 1, "delay": "PT0S"}},
        "end": {"type": "end"},
    }
    publish(acme, {"format": "flow/1", "name": "calling", "start": "start", "objects": objects})
    create_records(acme.caller, [{}], flow_name="calling")
    drain(seconds=3)
    samples = scraped(client)
    assert value(samples, "retries_total") == 1
    assert value(samples, "external_calls_total", app="core.http", outcome="connection") == 2
    assert value(samples, "external_call_seconds_count", app="core.http") == 2
    assert value(samples, "object_errors_total", type="app", error="connection") == 2
    assert value(samples, "records_ended_total", status="failed") == 1
    assert states(samples) == {"failed": 1}


@pytest.mark.django_db(transaction=True)
def test_where_records_stand(client: Client, acme: Tenant, rival: Tenant) -> None:
    create_records(acme.caller, [{}] * 9, flow_name="intake")
    create_records(rival.caller, [{}] * 2, flow_name="intake")
    services.change_status(rival.caller, rival.flow, "paused")
    rows = list(Record.objects.filter(flow=acme.flow).order_by("pk"))

    def put(row: Record, due: str | None, **changes: Any) -> None:
        Record.objects.filter(pk=row.pk).update(**changes)
        with connection.cursor() as cursor:
            cursor.execute("UPDATE records_record SET wake_at = now() + %s::interval WHERE id = %s", [due, row.pk])

    put(rows[0], "-90 s")
    put(rows[1], "1 day", status=Status.SCHEDULED)
    put(rows[2], None, hold=Hold.PAUSED)
    put(rows[3], None, hold=Hold.STOPPED)
    put(rows[4], "1 day", hold=Hold.WAITING)
    put(rows[5], None, hold=Hold.ERROR, status=Status.FAILED)
    put(rows[6], "20 s", status=Status.PROCESSING)
    put(rows[7], "-1 s", status=Status.PROCESSING)
    put(rows[8], None, status=Status.FINISHED)
    samples = scraped(client)
    assert states(samples) == {
        "due": 1, "suspended": 2, "scheduled": 1, "paused": 1, "waiting": 2, "failed": 1, "processing": 1, "expired": 1,
    }  # fmt: skip
    assert value(samples, "oldest_due_seconds") == pytest.approx(90, abs=5)
    assert value(samples, "flows", status="running") == 1
    assert value(samples, "flows", status="paused") == 1


@pytest.mark.django_db(transaction=True)
def test_leases_that_run_out(client: Client, acme: Tenant) -> None:
    create_records(acme.caller, [{"client": {"age": 30}}], flow_name="intake")
    (claimed,) = claim_due("dead:1", 10)
    Record.objects.update(wake_at=claimed.due_at)
    drain(seconds=2)
    samples = scraped(client)
    assert value(samples, "lease_expiries_total") == 1
    assert value(samples, "records_claimed_total") == 2
    assert value(samples, "records_ended_total", status="finished") == 1


def test_a_checkpoint_that_came_too_late() -> None:
    note_checkpoint(False, Status.FINISHED, "", [])
    assert metrics.take() == {("leases_lost", ()): 1}


def test_workers_that_are_alive(client: Client) -> None:
    note_pulse("one:1")
    note_pulse("two:2")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE records_workerpulse SET seen_at = now() - interval '20 s' WHERE name = 'two:2'")
    assert value(scraped(client), "workers") == 1


def test_requests_by_route(client: Client, acme: Tenant) -> None:
    client.get("/v1/record/some-uuid", headers=acme.headers)
    client.get("/v1/record/another", headers=acme.headers)
    client.get("/nothing/here/secret")
    client.generic("BREW", "/v1/record", headers=acme.headers)
    samples = scraped(client)
    assert value(samples, "http_requests_total", method="GET", route="/v1/record/{uuid}", status="4xx") == 2
    assert value(samples, "http_request_seconds_count", route="/v1/record/{uuid}") == 2
    assert value(samples, "http_requests_total", method="GET", route="other", status="4xx") == 1
    assert value(samples, "http_requests_total", method="other", route="/v1/record", status="4xx") == 1


def test_a_broker_that_is_away(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from celery import Celery

    monkeypatch.setattr(Celery, "send_task", lambda *args, **options: 1 / 0)
    assert not Bell._send()
    assert value(scraped(client), "nudge_failures_total") == 1


@pytest.mark.django_db(transaction=True)
def test_nothing_of_tenants_is_told(client: Client, acme: Tenant) -> None:
    document = {
        "format": "flow/1", "name": "secret flow", "start": "begin_secret",
        "objects": {
            "begin_secret": {"type": "start", "text": "secret text", "next": {"ok": "end"}}, "end": {"type": "end"},
        },
    }  # fmt: skip
    publish(acme, document)
    create_records(acme.caller, [{"secret": 1}], flow_name="secret flow", uuid="secret-uuid")
    client.get("/v1/record/secret-uuid", headers=acme.headers)
    client.get(f"/v1/record/secret-uuid?api_key={acme.api_key}&app_key={acme.keys.app_key}")
    drain(seconds=2)
    text = client.get("/metrics").content.decode()
    assert not re.search(f"secret|acme|{acme.api_key}", text)


def test_labels_come_from_closed_lists() -> None:
    codes = ("http.404", "http.418", "http.999", "timeout", "email.refused", "Mine", "")
    assert {error_class(code) for code in codes} == {"http.4xx", "timeout", "email.refused", "other"}
    step = type("Step", (), {"type": "frobnicate", "ms": 5, "error": {"code": "What ever"}})()
    note_checkpoint(True, Status.PROCESSING, "", [step])
    counted = metrics.take()
    assert ("object_errors", ("other", "other")) in counted
    assert len(METHODS) == 7
    assert OBJECTS


@pytest.mark.django_db(transaction=True)
def test_processes_that_write_at_once_lose_nothing(client: Client) -> None:
    """Each thread stands for a process: it brings the same series in another order."""

    def one_process(number: int) -> None:
        names = [("claims", ("yes",)), ("leases_lost", ()), ("retries", ())]
        rows = names[::-1] if number % 2 else names
        for _ in range(10):
            metrics.give_back(dict.fromkeys(rows, 1.0))
            counters.flush()
        connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(one_process, range(4)))
    samples = scraped(client)
    assert value(samples, "claims_total", found="yes") == 40
    assert value(samples, "leases_lost_total") == 40
    assert value(samples, "retries_total") == 40


def test_a_database_that_is_away_keeps_the_counts(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    metrics.count("retries", by=3)
    with monkeypatch.context() as patch, transaction.atomic():
        patch.setattr(counters, "_ADD", "SELECT 1/0, %s, %s, %s")
        with pytest.raises(DataError), transaction.atomic():
            counters.flush()
    assert value(scraped(client), "retries_total") == 3
    assert value(scraped(client), "retries_total") == 3


def test_without_a_database_there_are_no_numbers(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise OperationalError

    monkeypatch.setattr(counters, "flush", away)
    client.raise_request_exception = False
    response = client.get("/metrics")
    assert (response.status_code, response["Retry-After"]) == (503, "2")


@pytest.mark.django_db(transaction=True)
def test_the_thread_of_a_process_writes_at_its_end(client: Client) -> None:
    flusher = counters.Flusher()
    flusher.start()
    metrics.count("retries", by=2)
    flusher.end()
    assert Counter.objects.get(name="retries", labels="[]").value == 2


def test_series_of_older_versions_are_left_out(client: Client) -> None:
    Counter.objects.create(name="gone", labels='["x"]', value=5)
    assert "gone" not in client.get("/metrics").content.decode()


def test_a_scrape_asks_few_questions(client: Client, acme: Tenant, django_assert_num_queries: Any) -> None:
    metrics.take()
    with django_assert_num_queries(4):  # the counters, the queues, the estimate, the workers
        client.get("/metrics")
