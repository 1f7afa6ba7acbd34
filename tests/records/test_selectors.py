from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.core.errors import NotFound
from apps.records.models import Hold, Record, RecordStep, Status
from apps.records.selectors import get_record, queue_status
from tests.conftest import Tenant
from tests.records.conftest import ADULT, insert

DUE = datetime(2026, 1, 15, 11, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "hold", "wake_at", "key", "name"),
    [
        (Status.NOT_RUNNING, Hold.NONE, DUE, "0", "New"),
        (Status.PROCESSING, Hold.NONE, DUE, "1", "Processing"),
        (Status.NOT_RUNNING, Hold.PAUSED, None, "2", "Paused"),
        (Status.SCHEDULED, Hold.PAUSED, None, "2", "Paused"),
        (Status.FAILED, Hold.ERROR, None, "3", "Error"),
        (Status.SCHEDULED, Hold.NONE, DUE, "4", "Scheduled"),
        (Status.NOT_RUNNING, Hold.STOPPED, None, "5", "Waiting"),
        (Status.NOT_RUNNING, Hold.STOPPED, DUE, "5", "Waiting"),
        (Status.NOT_RUNNING, Hold.WAITING, None, "5", "Waiting"),
        (Status.FINISHED, Hold.NONE, None, "", ""),
        (Status.HANDLED, Hold.NONE, None, "", ""),
        (Status.REVIEWED, Hold.NONE, None, "", ""),
        (Status.FAILED, Hold.NONE, None, "", ""),
        (Status.NOT_RUNNING, Hold.NONE, None, "", ""),
    ],
)
def test_the_place_in_the_queue(status: Status, hold: Hold, wake_at: Any, key: str, name: str) -> None:
    state = queue_status(Record(status=status, hold=hold, wake_at=wake_at))
    assert (state.key, state.label) == (key, name)


def test_the_words_of_the_wire() -> None:
    assert [(status.value, status.label) for status in Status] == [
        (0, "Not running"),
        (1, "Processing"),
        (2, "Finished"),
        (3, "Finished with errors"),
        (4, "Scheduled"),
        (5, "Reviewed"),
        (6, "Errors handled"),
    ]


def test_what_objects_put_out_is_not_read_for_those_who_are_not_shown_it(acme: Tenant) -> None:
    insert(acme, uuid="r-1")
    with CaptureQueriesContext(connection) as queries:
        get_record(acme.workspace.pk, "r-1")
    assert [query["sql"].count('"output"') for query in queries] == [0]


def test_the_trace_comes_in_order(acme: Tenant) -> None:
    record = insert(acme, uuid="r-1")
    for run, seq, attempt in [(2, 1, 1), (1, 2, 2), (1, 10, 1), (1, 2, 1), (1, 1, 1)]:
        RecordStep.objects.create(
            record=record, run_no=run, seq=seq, attempt=attempt, object="o", type="set", started_at=DUE, ms=1500
        )
    found, trace = get_record(acme.workspace.pk, "r-1")
    assert (found.pk, found.content.data) == (record.pk, ADULT)
    assert [(step.run_no, step.seq, step.attempt) for step in trace] == [
        (1, 1, 1),
        (1, 2, 1),
        (1, 2, 2),
        (1, 10, 1),
        (2, 1, 1),
    ]
    assert trace[0].started_at == DUE
    assert trace[0].finished_at == datetime(2026, 1, 15, 11, 0, 1, 500_000, tzinfo=UTC)


def test_records_of_others_are_absent(acme: Tenant, rival: Tenant) -> None:
    insert(acme, uuid="r-1")
    with pytest.raises(NotFound):
        get_record(rival.workspace.pk, "r-1")
