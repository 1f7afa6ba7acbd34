"""The queues inside PostgreSQL, and processes that open them at the same time."""

import threading

import psycopg
import pytest
from django.core.management import call_command

OPEN = "SELECT pgmq.enable_notify_insert('flowize', 0)"
TRIGGER = "SELECT oid FROM pg_trigger WHERE tgname = 'trigger_notify_queue_insert_listeners'"


def test_two_processes_that_open_a_queue_at_once_both_do(broker: str) -> None:
    faults: list[Exception] = []

    def open_queue() -> None:
        try:
            with psycopg.connect(broker) as second:
                second.execute(OPEN)
        except psycopg.Error as error:
            faults.append(error)

    other = threading.Thread(target=open_queue)
    with psycopg.connect(broker) as first:
        first.execute(OPEN)
        other.start()
        other.join(0.3)
        assert other.is_alive()
    other.join(10)
    assert faults == []
    with psycopg.connect(broker) as connection:
        assert len(connection.execute(TRIGGER).fetchall()) == 1


def test_opening_a_queue_that_is_in_use_waits_for_nobody(broker: str) -> None:
    with psycopg.connect(broker, autocommit=True) as starting, psycopg.connect(broker) as reading:
        starting.execute(OPEN)
        before = starting.execute(TRIGGER).fetchall()
        reading.execute("SELECT pgmq.send('flowize', '{}')")
        starting.execute("SET lock_timeout = '200ms'")
        starting.execute(OPEN)
        assert starting.execute(TRIGGER).fetchall() == before


def test_an_opened_queue_notifies_even_after_a_crash_has_emptied_what_is_not_logged(broker: str) -> None:
    with psycopg.connect(broker, autocommit=True) as connection:
        connection.execute(OPEN)
        connection.execute("TRUNCATE pgmq.notify_insert_throttle")
        connection.execute(OPEN)
        connection.execute('LISTEN "pgmq.q_flowize.INSERT"')
        connection.execute("SELECT pgmq.send('flowize', '{}')")
        assert [note.channel for note in connection.notifies(timeout=5, stop_after=1)] == ["pgmq.q_flowize.INSERT"]


def test_installing_again_keeps_queues_and_messages(broker: str, capsys: pytest.CaptureFixture[str]) -> None:
    with psycopg.connect(broker, autocommit=True) as connection:
        connection.execute("SELECT pgmq.send('flowize', '{}')")
        call_command("install_broker")
        assert connection.execute("SELECT count(*) FROM pgmq.q_flowize").fetchall() == [(1,)]
    assert capsys.readouterr().out.endswith("The broker was installed before.\n")
