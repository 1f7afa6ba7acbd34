"""Making tables and changing their columns."""

from dataclasses import replace

import pytest

from apps.core.errors import BadRequest, Conflict, MissingScope
from apps.tables import services, structure
from apps.tables.models import Column, Table, validate_column_name
from tests.conftest import Tenant
from tests.tables.conftest import make_table


def test_a_name_is_unique_in_its_workspace(acme: Tenant, rival: Tenant, people: Table) -> None:
    with pytest.raises(Conflict, match="There is a table 'people' already"):
        structure.create_table(acme.caller, name="people")
    assert structure.create_table(rival.caller, name="people").workspace == rival.workspace


def test_a_column_is_unique_in_its_table(acme: Tenant, people: Table) -> None:
    age, name = people.columns.get(name="age"), people.columns.get(name="username")
    age.name = "username"
    for act in (
        lambda: structure.add_column(acme.caller, people, name="age"),
        lambda: structure.change_column(acme.caller, age),
    ):
        with pytest.raises(Conflict, match="There is a column"):
            act()
    assert name.table.columns.count() == 7


def test_structure_needs_the_scope(acme: Tenant, people: Table) -> None:
    reader = replace(acme.caller, scopes=frozenset({"tables.read"}))
    column = people.columns.first()
    assert column
    for act in (
        lambda: structure.create_table(reader, name="x"),
        lambda: structure.add_column(reader, people, name="x"),
        lambda: structure.change_column(reader, column),
        lambda: structure.remove_column(reader, column),
        lambda: structure.build_again(reader, column),
    ):
        with pytest.raises(MissingScope):
            act()
    assert (Table.objects.count(), people.columns.count()) == (1, 7)


def test_a_new_name_keeps_the_values(acme: Tenant, people: Table) -> None:
    services.insert_row(acme.caller, "people", {"age": 5})
    column = people.columns.get(name="age")
    column.name, column.kind = "years", "text"
    structure.change_column(acme.caller, column)
    assert services.get_row(acme.caller, "people", 1)[1].values["years"] == 5
    assert Column.objects.get(pk=column.pk).kind == "integer"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "integer", "default": "x"}, "The default must be a whole number of 64 bits."),
        ({"kind": "json", "default": "{"}, "The default must be a JSON document: Not valid JSON"),
        ({"kind": "json", "indexable": True}, "Columns of type JSON cannot be indexed."),
        ({"required": True}, "There are rows without a value in this column: it cannot be required."),
    ],
)
def test_columns_that_are_refused(acme: Tenant, people: Table, options: dict[str, object], message: str) -> None:
    services.insert_row(acme.caller, "people", {"age": 5})
    with pytest.raises(BadRequest, match=message.replace(".", r"\.")):
        structure.add_column(acme.caller, people, name="more", **options)  # type: ignore[arg-type]
    assert people.columns.count() == 7


def test_a_column_can_be_required_once_it_is_filled(acme: Tenant, people: Table) -> None:
    services.insert_row(acme.caller, "people", {"age": 5})
    age, name = people.columns.get(name="age"), people.columns.get(name="username")
    age.required = name.required = True
    structure.change_column(acme.caller, age)
    with pytest.raises(BadRequest):
        structure.change_column(acme.caller, name)


def test_there_is_a_most_number_of_columns(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(structure, "MOST_COLUMNS", 2)
    table = make_table(acme, "t", a="text", b="text")
    with pytest.raises(BadRequest, match="at most 2 columns"):
        structure.add_column(acme.caller, table, name="c")


@pytest.mark.parametrize("name", ["id", "ID", "date_created", "columns", "where", "limit", " a", "a "])
def test_names_that_are_reserved(name: str) -> None:
    from django.core.exceptions import ValidationError

    with pytest.raises(ValidationError):
        validate_column_name(name)
