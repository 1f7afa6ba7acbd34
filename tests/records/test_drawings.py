"""The path of a record and the crowds at the objects of its flow, counted and drawn."""

from datetime import timedelta
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from django.test import Client
from django.utils import timezone

from apps.accounts.models import Role
from apps.flows import services
from apps.flows.diagram.marks import Crowd, Passage
from apps.records import crowds, tracks
from apps.records.crowds import crowds_of
from apps.records.execution import drain
from apps.records.models import Hold, Record, RecordStep, Status
from apps.records.services import create_records
from apps.records.tracks import track_of
from tests.conftest import Tenant, publish
from tests.members import person, signed_in

LOOP: dict[str, Any] = {
    "format": "flow/1",
    "name": "loop",
    "start": "start",
    "objects": {
        "start": {"type": "start", "next": {"ok": "count"}},
        "count": {"type": "set", "set": {"n": "{{ default(n, 0) + 1 }}"}, "next": {"ok": "rest"}},
        "rest": {"type": "wait", "for": "0s", "next": {"ok": "again"}},
        "again": {
            "type": "decision",
            "rules": [{"port": "yes", "when": "n < 3"}],
            "next": {"yes": "count", "else": "hold"},
        },
        "hold": {"type": "stop", "next": {"resume": "broken"}},
        "broken": {"type": "set", "set": {"n.x": 1}, "retry": {"max": 0}, "next": {"ok": "end"}},
        "mend": {"type": "set", "set": {"mended": True}, "next": {"ok": "end"}},
        "end": {"type": "end"},
    },
    "on_error": {"next": "mend"},
}


@pytest.fixture
def viewer(acme: Tenant) -> Client:
    """A viewer of Acme."""
    return signed_in(person("vi", acme=Role.VIEWER))


def looping(tenant: Tenant, count: int = 1) -> list[Record]:
    """Records of the loop, just in."""
    made = create_records(tenant.caller, [{}] * count, flow_name="loop")
    return list(Record.objects.filter(uuid__in=[one.uuid for one in made]).order_by("pk"))


def fresh(record: Record) -> Record:
    return Record.objects.select_related("flow", "flow_version").get(pk=record.pk)


def resume(record: Record) -> None:
    Record.objects.filter(pk=record.pk).update(wake_at=timezone.now(), hold=Hold.NONE, status=Status.NOT_RUNNING)
    drain(seconds=2)


@pytest.mark.django_db(transaction=True)
def test_the_way_of_a_record(acme: Tenant) -> None:
    publish(acme, LOOP)
    (record,) = looping(acme)
    assert track_of(fresh(record), "start") == ({"start": Passage(current=True)}, {})
    drain(seconds=2)
    passages, taken = track_of(fresh(record), "start")
    assert passages == {
        "start": Passage(done=1),
        "count": Passage(done=3),
        "rest": Passage(done=3),
        "again": Passage(done=3),
        "hold": Passage(current=True),
    }
    assert taken == {
        ("start", "count"): 1,
        ("count", "rest"): 3,
        ("rest", "again"): 3,
        ("again", "count"): 2,
        ("again", "hold"): 1,
    }
    resume(record)
    passages, taken = track_of(fresh(record), "start")
    assert fresh(record).status == Status.HANDLED
    assert passages["broken"] == Passage(failed=1)
    assert (passages["mend"], passages["end"]) == (Passage(done=1), Passage(done=1))
    assert taken["", "mend"] == 1
    assert ("broken", "mend") not in taken


@pytest.mark.django_db(transaction=True)
def test_a_record_that_failed_stands_where_it_failed(acme: Tenant) -> None:
    objects = {name: item for name, item in LOOP["objects"].items() if name != "mend"}
    publish(acme, {key: value for key, value in LOOP.items() if key != "on_error"} | {"objects": objects})
    (record,) = looping(acme)
    drain(seconds=2)
    resume(record)
    passages, _ = track_of(fresh(record), "start")
    assert fresh(record).status == Status.FAILED
    assert passages["broken"] == Passage(failed=1, stays_failed=True)


def test_attempts_are_not_ways(acme: Tenant) -> None:
    (record,) = Record.objects.filter(uuid=create_records(acme.caller, [{}], flow_name="intake")[0].uuid)
    step = {"record": record, "type": "app", "started_at": timezone.now(), "ms": 1, "run_no": 1}
    error = {"code": "timeout", "message": "x"}
    for seq, attempt, name, failed, port in [
        (1, 1, "start", None, "ok"), (2, 1, "adult", error, ""),
        (2, 2, "adult", error, ""), (2, 3, "adult", None, "yes"),
    ]:  # fmt: skip
        RecordStep.objects.create(**step, seq=seq, attempt=attempt, object=name, error=failed, port=port)
    RecordStep.objects.create(**{**step, "run_no": 7}, seq=1, attempt=1, object="other", port="ok")
    record.at, record.seq = "accept", 2
    passages, taken = track_of(record, "start")
    assert passages == {"start": Passage(1), "adult": Passage(1, 2), "accept": Passage(current=True)}
    assert taken == {("start", "adult"): 1, ("adult", "accept"): 1}


def test_of_a_long_run_the_newest_steps_count(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    (record,) = Record.objects.filter(uuid=create_records(acme.caller, [{}], flow_name="intake")[0].uuid)
    step = {"record": record, "run_no": 1, "attempt": 1, "started_at": timezone.now(), "ms": 0}
    RecordStep.objects.bulk_create(RecordStep(**step, seq=n, object="a" if n < 9 else "b") for n in range(12))
    monkeypatch.setattr(tracks, "MOST_STEPS", 5)
    assert {name: passage.done for name, passage in track_of(record, "a")[0].items() if passage.done} == {
        "a": 2,
        "b": 3,
    }


@pytest.mark.django_db(transaction=True)
def test_the_crowds_of_a_version(acme: Tenant) -> None:
    flow = publish(acme, LOOP)
    looping(acme, 4)
    drain(seconds=3)
    waiting = looping(acme, 2)
    version = flow.live_version
    assert crowds_of(version, 7) == {
        "start": Crowd(2, 4),
        "count": Crowd(0, 12),
        "rest": Crowd(0, 12),
        "again": Crowd(0, 12),
        "hold": Crowd(4, 0),
    }
    RecordStep.objects.update(started_at=timezone.now() - timedelta(days=2))
    assert crowds_of(version, 1) == {"start": Crowd(2, 0), "hold": Crowd(4, 0)}
    Record.objects.filter(pk=waiting[0].pk).update(wake_at=None)  # taken out of the queue
    services.save_draft(acme.caller, flow, services.format_source({**LOOP, "description": "other"}))
    newer = services.change_status(acme.caller, flow, "public").live_version
    looping(acme)
    assert crowds_of(newer, 7) == {"start": Crowd(1, 0)}
    assert crowds_of(version, 1)["start"] == Crowd(1, 0)


@pytest.mark.django_db(transaction=True)
def test_crowds_are_counted_up_to_a_bound(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    flow = publish(acme, LOOP)
    looping(acme, 3)
    drain(seconds=3)
    monkeypatch.setattr(crowds, "MOST_STANDING", 2)
    monkeypatch.setattr(crowds, "MOST_PASSES", 10)
    found = crowds_of(flow.live_version, 7)
    assert found["hold"] == Crowd(2, 0, more_here=True)
    assert sum(crowd.passed for crowd in found.values()) == 10
    assert found["start"].more_passed


@pytest.mark.django_db(transaction=True)
def test_the_pages_and_files(acme: Tenant, viewer: Client) -> None:
    flow = publish(acme, LOOP)
    (record,) = looping(acme)
    drain(seconds=2)
    page = viewer.get(f"/admin/records/record/{record.pk}/change/").content.decode()
    assert "hold: stop, the record is here" in page
    assert "again, yes: leads to count, taken 2" in page
    assert "hold: stop, the record is here" in viewer.get(f"/admin/records/record/{record.pk}/path/").content.decode()
    file = viewer.get(f"/admin/records/record/{record.pk}/path.svg")
    assert file["Content-Disposition"] == f'attachment; filename="record-{record.pk}.svg"'
    root = ET.fromstring(file.content)
    assert f"The path of the record {record.uuid}, not running." in str(root[1].text)
    heat = f"/admin/records/record/heat/{flow.pk}/1/"
    html = viewer.get(heat).content.decode()
    assert "hold: stop, 1 records here now" in html
    assert f"{heat}diagram.svg?days=7" in html
    file = viewer.get(f"{heat}diagram.svg?days=30")
    assert "in the last 30 days" in str(ET.fromstring(file.content)[1].text)
    for strange in ("", "0", "-1", "x", "9" * 30):
        assert viewer.get(f"{heat}?days={strange}").context["days"] == 7


def test_drawings_of_others_are_missing(acme: Tenant, rival: Tenant, viewer: Client) -> None:
    (mine,) = Record.objects.filter(uuid=create_records(acme.caller, [{}], flow_name="intake")[0].uuid)
    (theirs,) = Record.objects.filter(uuid=create_records(rival.caller, [{}], flow_name="intake")[0].uuid)
    for path in (
        f"heat/{rival.flow.pk}/1/", f"heat/{rival.flow.pk}/1/diagram.svg", f"heat/{acme.flow.pk}/9/",
        f"heat/{acme.flow.pk}/{'9' * 20}/", f"{theirs.pk}/path/", f"{theirs.pk}/path.svg", "999999/path/", "x/path.svg",
    ):  # fmt: skip
        assert viewer.get(f"/admin/records/record/{path}").status_code == 404, path
        assert Client().get(f"/admin/records/record/{path}").status_code == 302, path
    assert viewer.get(f"/admin/records/record/{mine.pk}/path/").status_code == 200
