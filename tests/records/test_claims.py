"""Taking due records out of the table."""

import threading
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from apps.flows import services as flows
from apps.records.claims import Claimed, claim_due, claim_expired, give_back
from apps.records.models import Record, Status
from apps.records.services import create_records
from tests.conftest import STRAIGHT_FLOW, Tenant, publish
from tests.records.conftest import ADULT, insert, make_due

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_claim_brings_all_a_flow_needs_under_a_lease(acme: Tenant, settings: Any) -> None:
    settings.LEASE_SECONDS = 45
    record = insert(acme, uuid="r-1")
    due_at = record.wake_at
    (claimed,) = claim_due("host:1", 10)
    record.refresh_from_db()
    assert abs(claimed.ahead) < timedelta(seconds=5)
    assert replace(claimed, ahead=timedelta(0)) == Claimed(
        record_id=record.pk,
        uuid="r-1",
        workspace_id=acme.workspace.pk,
        flow_id=acme.flow.pk,
        version_id=acme.flow.live_version_id,
        at="",
        entered_at=None,
        run_no=1,
        seq=0,
        attempt=1,
        claims=1,
        due_at=due_at,
        flow_name="intake",
        application_id=None,
        parent_id=None,
        depth=0,
        run_started=record.run_started,
        data=ADULT,
        vars={},
        state={},
        ahead=timedelta(0),
        lease_token=record.lease_token,
    )
    assert (record.status, record.leased_by, record.num_runs) == (Status.PROCESSING, "host:1", 1)
    assert record.wake_at - record.date_last_run == timedelta(seconds=45)
    assert record.date_started == record.run_started == record.date_last_run


def test_what_is_claimed_is_not_claimed_again(acme: Tenant) -> None:
    insert(acme)
    assert len(claim_due("a", 10)) == 1
    assert claim_due("b", 10) == []
    assert claim_expired("b") == []


def test_the_longest_due_come_first_and_one_flow_fills_half_a_batch(acme: Tenant) -> None:
    records = [insert(acme) for _ in range(5)]
    for age, record in enumerate(records):
        Record.objects.filter(pk=record.pk).update(wake_at=timezone.now() - timedelta(seconds=age + 1))
    oldest_first = [record.pk for record in reversed(records)]
    assert [row.record_id for row in claim_due("a", 6)] == oldest_first[:3]
    assert [row.record_id for row in claim_due("a", 1)] == oldest_first[3:4]
    assert [row.record_id for row in claim_due("a", 6)] == oldest_first[4:]


def test_the_batch_bounds_a_claim(acme: Tenant) -> None:
    for name in ("second", "third"):
        publish(acme, STRAIGHT_FLOW, name)
        create_records(acme.caller, [ADULT] * 5, flow_name=name)
    create_records(acme.caller, [ADULT] * 5, flow_name="intake")
    assert [len(claim_due("a", 4)) for _ in range(3)] == [4, 4, 4]


def test_a_flow_with_many_records_does_not_shut_out_the_others(acme: Tenant, rival: Tenant) -> None:
    create_records(acme.caller, [ADULT] * 60, flow_name="intake")
    create_records(rival.caller, [ADULT] * 2, flow_name="intake")
    batches = [[row.workspace_id for row in claim_due("a", 2)] for _ in range(3)]
    both = {acme.workspace.pk, rival.workspace.pk}
    assert [set(batch) for batch in batches] == [both, both, {acme.workspace.pk}]


def test_what_is_not_due_is_left(acme: Tenant) -> None:
    insert(acme, execute_at=timezone.now() + timedelta(seconds=30))
    Record.objects.filter(pk=insert(acme).pk).update(wake_at=None)
    assert claim_due("a", 10) == []


@pytest.mark.parametrize("status", ["paused", "inactive"])
def test_only_running_flows_are_looked_at(acme: Tenant, status: str) -> None:
    dead = insert(acme)
    claim_due("dead", 10)
    make_due(dead)
    insert(acme)
    other = publish(acme, STRAIGHT_FLOW, "other")
    kept = insert(acme, flow="other")
    flows.change_status(acme.caller, acme.flow, status)
    assert [(row.record_id, row.flow_id) for row in claim_due("a", 10)] == [(kept.pk, other.pk)]
    assert claim_expired("a") == []


def test_a_record_whose_lease_ran_out_comes_alone(acme: Tenant) -> None:
    dead = [insert(acme), insert(acme)]
    first = claim_due("dead", 10)
    healthy = insert(acme)
    make_due(*dead)
    assert [row.record_id for row in claim_due("next", 10)] == [healthy.pk]
    again = [claim_expired("next") for _ in range(3)]
    assert [len(batch) for batch in again] == [1, 1, 0]
    assert {row.record_id for batch in again for row in batch} == {row.pk for row in dead}
    assert {row.claims for batch in again for row in batch} == {2}
    assert not {row.lease_token for batch in again for row in batch} & {row.lease_token for row in first}
    assert set(Record.objects.values_list("num_runs", flat=True)) == {1}


def test_claims_at_once_share_no_record(acme: Tenant) -> None:
    create_records(acme.caller, [ADULT] * 200, flow_name="intake")
    seen: list[int] = []

    def work() -> None:
        try:
            while batch := claim_due("a", 14):
                seen.extend(row.record_id for row in batch)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(Counter(seen).values()) == {1}
    assert Record.objects.filter(status=Status.PROCESSING).count() == len(seen)
    assert len(seen) + len(claim_due("a", 400)) == 200


def test_what_is_given_back_is_as_if_it_had_not_been_claimed(acme: Tenant) -> None:
    record = insert(acme)
    give_back(claim_due("a", 10))
    record.refresh_from_db()
    assert (record.status, record.claims, record.num_runs) == (Status.NOT_RUNNING, 0, 0)
    assert (record.lease_token, record.leased_by) == (None, "")
    assert [row.record_id for row in claim_due("b", 10)] == [record.pk]


def test_a_lost_lease_gives_nothing_back(acme: Tenant) -> None:
    record = insert(acme)
    stalled = claim_due("stalled", 10)
    make_due(record)
    (current,) = claim_expired("current")
    give_back(stalled)
    record.refresh_from_db()
    assert (record.status, record.lease_token) == (Status.PROCESSING, current.lease_token)


def test_giving_nothing_back_is_fine(acme: Tenant) -> None:
    give_back([])
