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

from apps.records import nudge
from apps.records.models import Record
from apps.records.nudge import Bell, nudge_on_commit
from tests.conftest import Tenant
from tests.records.conftest import ADULT

Point = Callable[[str], Bell]
OPTIONS = {"socket_timeout": 5, "socket_connect_timeout": 0.5, "retry_on_timeout": False}


class OwnBell(Bell):
    """The bell of one test: its messages have a queue of their own, where those of earlier bells do not come."""

    def __init__(self) -> None:
        super().__init__()
        self.task = f"task-{uuid.uuid4().hex}"


@pytest.fixture
def point(monkeypatch: pytest.MonkeyPatch) -> Iterator[Point]:
    """Points the process at another broker, and gives it a bell of its own."""
    before = current_app._get_current_object()

    def point_at(url: str) -> Bell:
        bell = OwnBell()
        app = Celery("elsewhere", broker=url)
        app.conf.broker_transport_options = OPTIONS if url.startswith("redis") else {}
        app.conf.broker_connection_timeout = 1
        app.conf.task_routes = {bell.task: {"queue": bell.task}}
        app.set_default()
        monkeypatch.setattr(nudge, "_bell", bell)
        return bell

    yield point_at
    before.set_default()
    _set_current_app(before)


@pytest.fixture
def dead_broker() -> Iterator[str]:
    """The address of a broker that is not there."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"redis://127.0.0.1:{taken.getsockname()[1]}/0"


def messages(bell: Bell) -> int:
    """How many wait in its queue."""
    with current_app.connection_for_read() as link:
        return link.default_channel.queue_declare(bell.task).message_count


def wait_for_messages(bell: Bell, count: int = 1) -> None:
    """Until its thread has sent so many."""
    deadline = time.monotonic() + 10
    while messages(bell) < count:
        assert time.monotonic() < deadline, "no message came"
        time.sleep(0.01)


def test_however_often_it_is_rung_few_messages_are_sent(point: Point) -> None:
    bell = point("memory://")
    for _ in range(1000):
        bell.ring()
    wait_for_messages(bell)
    time.sleep(0.1)
    before = messages(bell)
    assert 1 <= before <= 10
    bell.ring()
    wait_for_messages(bell, before + 1)


def test_ringing_returns_at_once_whatever_the_broker_does(point: Point, dead_broker: str) -> None:
    bell = point(dead_broker)
    started = time.monotonic()
    for _ in range(1000):
        bell.ring()
    assert time.monotonic() - started < 1.0


def test_a_broker_that_is_away_is_given_up_quickly_and_quietly(point: Point, dead_broker: str) -> None:
    bell = point(dead_broker)
    started = time.monotonic()
    assert bell._send() is False
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
    bell = point("memory://")
    with transaction.atomic():
        nudge_on_commit()
        time.sleep(0.1)
        assert messages(bell) == 0
    wait_for_messages(bell)


@pytest.mark.django_db(transaction=True)
def test_a_transaction_that_is_rolled_back_rings_nothing(point: Point) -> None:
    bell = point("memory://")
    with transaction.atomic():
        nudge_on_commit()
        transaction.set_rollback(True)
    time.sleep(0.1)
    assert messages(bell) == 0
