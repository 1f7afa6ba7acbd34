"""``/readyz``."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from celery import Celery, current_app
from celery._state import _set_current_app
from django.db import connection
from django.test import Client

from apps.records.api import readiness
from apps.records.execution import note_pulse
from apps.records.models import WorkerPulse

pytestmark = pytest.mark.django_db
ALL = {"database": True, "migrations": True, "broker": True, "worker": True}


@pytest.fixture(autouse=True)
def broker() -> Iterator[Celery]:
    """A broker in memory, and nothing remembered of another."""
    before = current_app._get_current_object()
    app = Celery("elsewhere", broker="memory://")
    readiness._broker.clear()
    yield app
    readiness._broker.clear()
    before.set_default()
    _set_current_app(before)


def ready(client: Client) -> tuple[int, Any]:
    response = client.get("/readyz")
    assert response["Cache-Control"] == "no-store"
    assert response.get("Retry-After") == (None if response.status_code == 200 else "5")
    return response.status_code, response.json()


def test_without_a_worker(client: Client) -> None:
    body = {"status": "unavailable", "parts": ALL | {"worker": False}, "missing": ["worker"]}
    assert ready(client) == (503, body)


def test_with_a_worker_that_was_seen_just_now(client: Client) -> None:
    note_pulse("host:1")
    assert ready(client) == (200, {"status": "ok", "parts": ALL, "missing": []})


@pytest.mark.parametrize(("age", "status"), [(14, 200), (16, 503)])
def test_a_worker_counts_for_fifteen_seconds(client: Client, age: int, status: int) -> None:
    note_pulse("host:1")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE records_workerpulse SET seen_at = now() - %s * interval '1 second'", [age])
    assert ready(client)[0] == status


def test_one_worker_of_several_is_enough(client: Client) -> None:
    note_pulse("dead:1")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE records_workerpulse SET seen_at = now() - interval '1 hour'")
    note_pulse("live:2")
    assert ready(client)[0] == 200


def test_without_a_broker(client: Client) -> None:
    note_pulse("host:1")
    Celery("dead", broker="redis://user:password@127.0.0.1:1/0")
    body = {"status": "unavailable", "parts": ALL | {"broker": False}, "missing": ["broker"]}
    assert ready(client) == (503, body)
    started = time.monotonic()
    assert ready(client) == (503, body)
    assert time.monotonic() - started < 0.5


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_is_only_read(client: Client, path: str) -> None:
    assert client.head(path).content == b""
    response = client.post(path)
    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD, OPTIONS")
    assert response.json()["error"] == {"code": 405, "message": "The method is not allowed for this path."}


def test_workers_that_were_not_seen_for_a_day_are_forgotten() -> None:
    note_pulse("old:1")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE records_workerpulse SET seen_at = now() - interval '25 hours'")
    note_pulse("new:2")
    assert [row.name for row in WorkerPulse.objects.all()] == ["new:2"]
