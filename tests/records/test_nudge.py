"""The bell that wakes the workers, rung on brokers that are there and not."""

import json
import socket
import time
import uuid
from collections.abc import Callable, Iterator

import pytest
from celery import Celery, current_app
from celery._state import _set_current_app
from django.db import transaction
from django.test import Client

from apps.records.models import Record
from apps.records.nudge import Bell, nudge_on_commit
from tests.conftest import Tenant
from tests.records.conftest import ADULT

Point = Callable[[str], Celery]
OPTIONS = {"socket_timeout": 5, "socket_connect_timeout": 0.5, "retry_on_timeout": False}


@pytest.fixture
def point() -> Iterator[Point]:
    """Points the process at another broker."""
    before = current_app._get_current_object()

    def point_at(url: str) -> Celery:
        app = Celery("elsewhere", broker=url)
        app.conf.broker_transport_options = OPTIONS if url.startswith("redis") else {}
        app.conf.broker_connection_timeout = 1
        app.conf.task_default_queue = f"queue-{uuid.uuid4().hex}"
        app.set_default()
        return app

    yield point_at
    before.set_default()
    _set_current_app(before)


@pytest.fixture
def dead_broker() -> Iterator[str]:
    """The address of a broker that is not there."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"redis://127.0.0.1:{taken.getsockname()[1]}/0"


def messages(app: Celery) -> int:
    """How many wait in the queue."""
    with app.connection_for_read() as link:
        return link.default_channel.queue_declare(app.conf.task_default_queue).message_count


def wait_for_message(app: Celery) -> None:
    """The process's own bell may just be silent after a broker that was away."""
    deadline = time.monotonic() + 10
    while not messages(app):
        assert time.monotonic() < deadline, "no message came"
        time.sleep(0.01)


def test_however_often_it_is_rung_few_messages_are_sent(point: Point) -> None:
    app = point("memory://")
    bell = Bell()
    for _ in range(1000):
        bell.ring()
    wait_for_message(app)
    time.sleep(0.1)
    assert 1 <= messages(app) <= 3
    before = messages(app)
    bell.ring()
    time.sleep(0.2)
    assert messages(app) == before + 1


def test_ringing_returns_at_once_whatever_the_broker_does(point: Point, dead_broker: str) -> None:
    point(dead_broker)
    bell = Bell()
    started = time.monotonic()
    for _ in range(1000):
        bell.ring()
    assert time.monotonic() - started < 0.2


def test_a_broker_that_is_away_is_given_up_quickly_and_quietly(point: Point, dead_broker: str) -> None:
    point(dead_broker)
    started = time.monotonic()
    assert Bell()._send() is False
    assert time.monotonic() - started < 4.0


@pytest.mark.django_db(transaction=True)
def test_inserts_do_not_wait_for_a_broker_that_is_away(
    client: Client, acme: Tenant, point: Point, dead_broker: str
) -> None:
    point(dead_broker)
    slowest = 0.0
    for _ in range(20):
        started = time.monotonic()
        response = client.post(
            "/v1/record?flow_name=intake", json.dumps(ADULT), "application/json", headers=acme.headers
        )
        slowest = max(slowest, time.monotonic() - started)
        assert response.status_code == 201
    assert slowest < 1.0
    assert Record.objects.count() == 20


@pytest.mark.django_db(transaction=True)
def test_the_bell_is_rung_when_the_transaction_can_be_seen(point: Point) -> None:
    app = point("memory://")
    with transaction.atomic():
        nudge_on_commit()
        time.sleep(0.1)
        assert messages(app) == 0
    wait_for_message(app)


@pytest.mark.django_db(transaction=True)
def test_a_transaction_that_is_rolled_back_rings_nothing(point: Point) -> None:
    app = point("memory://")
    with transaction.atomic():
        nudge_on_commit()
        transaction.set_rollback(True)
    time.sleep(0.1)
    assert messages(app) == 0
