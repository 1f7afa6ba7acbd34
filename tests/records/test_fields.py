"""Reading new data fields out of records that were there before them."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.core.errors import BadRequest, Conflict, MissingScope, NotFound
from apps.records import fields
from apps.records.fields import fill_fields
from apps.records.models import RecordField
from apps.records.services import create_records
from apps.records.tasks import fill_data_fields
from apps.schemas.fields import change_field, create_field
from apps.schemas.models import DataField
from tests.conftest import Tenant
from tests.records.conftest import insert
from tests.records.test_queueing import in_threads


def old(field: DataField) -> DataField:
    DataField.objects.filter(pk=field.pk).update(date_created=timezone.now() - timedelta(minutes=1))
    return field


def values(field: DataField) -> list[str | None]:
    return list(RecordField.objects.filter(field=field).order_by("record_id").values_list("value", flat=True))


def test_the_job_reads_batch_after_batch_and_stops(
    acme: Tenant, rival: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fields, "_FILL", fields._FILL.replace("1000", "10"))
    create_records(acme.caller, [{"n": number} for number in range(25)], flow_name="intake")
    create_records(rival.caller, [{"n": "foreign"}] * 5, flow_name="intake")
    field = old(create_field(acme.caller, name="n", path="n"))
    assert fill_fields(0) is True
    assert values(field) == []
    assert fill_fields(5) is False
    assert values(field) == [str(number) for number in range(25)]
    assert DataField.objects.get().is_filled


def test_a_job_that_was_cut_off_goes_on_where_it_was(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fields, "_FILL", fields._FILL.replace("1000", "10"))
    create_records(acme.caller, [{"n": number} for number in range(25)], flow_name="intake")
    field = old(create_field(acme.caller, name="n", path="n"))
    ticks = iter([0.0, 0.0, 9.0])
    monkeypatch.setattr(fields.time, "monotonic", lambda: next(ticks))
    assert fill_fields(5) is True
    assert len(values(field)) == 10
    monkeypatch.undo()
    assert fill_data_fields() is False
    assert values(field) == [str(number) for number in range(25)]


def test_a_field_that_was_saved_a_moment_ago_is_left_for_later(acme: Tenant) -> None:
    insert(acme, {"n": 1})
    field = create_field(acme.caller, name="n", path="n")
    assert fill_fields(5) is False
    assert (values(field), DataField.objects.get().is_filled) == ([], False)


def test_the_job_does_not_write_over_what_is_newer(acme: Tenant, client: Client) -> None:
    record = insert(acme, {"n": 1}, uuid="r-1")
    field = old(create_field(acme.caller, name="n", path="n"))
    RecordField.objects.create(record=record, field=field, value="newer")
    fill_fields(5)
    assert values(field) == ["newer"]


@pytest.mark.django_db(transaction=True)
def test_two_jobs_share_the_work(acme: Tenant) -> None:
    create_records(acme.caller, [{"n": number} for number in range(1000)], flow_name="intake")
    create_records(acme.caller, [{"n": number} for number in range(1000)], flow_name="intake")
    field = old(create_field(acme.caller, name="n", path="n"))
    in_threads(lambda: fill_fields(20), lambda: fill_fields(20))
    while fill_fields(5):
        pass
    assert len(values(field)) == 2000


def test_another_path_is_another_field(acme: Tenant) -> None:
    insert(acme, {"n": 1, "m": 2})
    field = old(create_field(acme.caller, name="it", path="n"))
    fill_fields(5)
    renamed = change_field(acme.caller, field.pk, name="that", path="n", list_column=True)
    assert (renamed.pk, renamed.name, renamed.list_column, values(renamed)) == (field.pk, "that", True, ["1"])
    moved = change_field(acme.caller, field.pk, name="that", path="m")
    assert (moved.is_filled, RecordField.objects.count()) == (False, 0)
    old(moved)
    fill_fields(5)
    assert values(moved) == ["2"]


def test_one_field_is_the_list_column(acme: Tenant, rival: Tenant) -> None:
    create_field(rival.caller, name="a", path="a", list_column=True)
    create_field(acme.caller, name="a", path="a", list_column=True)
    create_field(acme.caller, name="b", path="b", list_column=True)
    marked = DataField.objects.filter(list_column=True).values_list("workspace_id", "name")
    assert set(marked) == {(rival.workspace.pk, "a"), (acme.workspace.pk, "b")}


def test_a_workspace_has_so_many_fields(acme: Tenant, rival: Tenant) -> None:
    for number in range(20):
        create_field(acme.caller, name=f"f{number}", path="x")
    with pytest.raises(Conflict, match="at most 20"):
        create_field(acme.caller, name="more", path="x")
    create_field(rival.caller, name="more", path="x")


@pytest.mark.parametrize(
    ("name", "path"),
    [("", "a"), (" a", "a"), ("a\n", "a"), ("n" * 65, "a"), ("a", ""), ("a", "a..b"), ("a", ".a"), ("a", "a."),
     ("a", "x" * 256), ("a", ".".join("x" * 21)), (5, "a"), ("a", 5), ("a", "a\0b")],
)  # fmt: skip
def test_names_and_paths_that_cannot_be_used(acme: Tenant, name: Any, path: Any) -> None:
    with pytest.raises(BadRequest):
        create_field(acme.caller, name=name, path=path)
    assert not DataField.objects.exists()


def test_names_are_taken_once_and_foreign_fields_are_absent(acme: Tenant, rival: Tenant) -> None:
    field = create_field(acme.caller, name="a", path="a")
    with pytest.raises(Conflict, match="named a already"):
        create_field(acme.caller, name="a", path="b")
    with pytest.raises(NotFound):
        change_field(rival.caller, field.pk, name="b", path="b")


def test_defining_takes_the_scope(acme: Tenant) -> None:
    from apps.accounts.models import Role
    from apps.applications.members import member_caller

    operator = member_caller(acme.workspace, Role.OPERATOR)
    with pytest.raises(MissingScope):
        create_field(operator, name="a", path="a")
