"""A worker that dies in the middle of a record's work costs time, and nothing else."""

import os
import signal
from collections.abc import Callable

import pytest

from tests.server.installation import LEASE_SECONDS, Installation
from tests.server.process import wait_until
from tests.server.sink import Sink

pytestmark = [pytest.mark.server, pytest.mark.xdist_group("server")]

WHOLE_TRACE = [(1, "start"), (2, "before"), (3, "tell"), (4, "after"), (5, "end")]
LEASE = "SELECT split_part(leased_by, ':', 2)::int FROM records_record WHERE uuid = %s AND leased_by <> ''"


def kill_holder(shipped: Installation, uuid: str) -> None:
    """Kill the one child of the worker that has the record; the worker itself lives on."""
    ((pid,),) = shipped.database.rows(LEASE, uuid)
    assert pid in shipped.serving["worker"].members()
    os.kill(pid, signal.SIGKILL)


def kill_worker(shipped: Installation, uuid: str) -> None:
    """Kill the worker with all its children, and start another."""
    shipped.restart_worker()


@pytest.mark.parametrize("kill", [kill_holder, kill_worker])
def test_record_goes_on_where_its_killed_worker_stood(
    shipped: Installation, sink: Sink, kill: Callable[[Installation, str], None]
) -> None:
    uuid = kill.__name__
    assert shipped.insert(uuid, delay=3).status_code == 201
    wait_until(lambda: sink.keys_of(uuid), 10)
    assert shipped.trace_of(uuid) == WHOLE_TRACE[:2]
    kill(shipped, uuid)
    shipped.wait_finished(uuid, seconds=LEASE_SECONDS + 15)

    keys = sink.keys_of(uuid)
    assert shipped.trace_of(uuid) == WHOLE_TRACE
    assert [step["status"] for step in shipped.shown(uuid)["flow_objects_info"]] == ["Finished"] * 5
    assert keys == [f"{uuid}:1:3"] * 2


def test_effect_that_was_not_written_down_is_repeated_with_its_key(shipped: Installation, sink: Sink) -> None:
    shipped.restart_worker(FLOWIZE_FAILPOINTS="after-effect=kill")
    assert shipped.insert("after-effect").status_code == 201
    wait_until(lambda: sink.keys_of("after-effect"), 20)
    ((holder,),) = shipped.database.rows(LEASE, "after-effect")
    wait_until(lambda: holder not in shipped.serving["worker"].members(), 5)
    assert shipped.trace_of("after-effect") == WHOLE_TRACE[:2]
    shipped.restart_worker()
    shipped.wait_finished("after-effect", seconds=LEASE_SECONDS + 15)

    assert shipped.trace_of("after-effect") == WHOLE_TRACE
    assert sink.keys_of("after-effect") == ["after-effect:1:3"] * 2


def test_record_that_kills_every_worker_is_set_aside_and_others_go_on(shipped: Installation, sink: Sink) -> None:
    shipped.restart_worker(FLOWIZE_FAILPOINTS="after-effect=kill", LEASE_SECONDS="1")
    assert shipped.insert("poison").status_code == 201
    status = "SELECT status, error_code FROM records_record WHERE uuid = 'poison'"
    wait_until(lambda: shipped.database.rows(status) == [(3, "crash_loop")], 30)
    shipped.restart_worker()
    assert shipped.insert("healthy").status_code == 201
    shipped.wait_finished("healthy")

    assert sink.keys_of("poison") == ["poison:1:3"] * 3
    assert shipped.trace_of("poison") == WHOLE_TRACE[:2]
    assert shipped.shown("poison")["info"]["status"] == "Finished with errors"


def test_ready_again_after_every_process_was_killed(shipped: Installation) -> None:
    for name in ("beat", "worker", "web"):
        shipped.kill(name)
    shipped.start("web", "worker", "beat")
    shipped.wait_ready()
    assert shipped.insert("after-all-died").status_code == 201

    shipped.wait_finished("after-all-died")
