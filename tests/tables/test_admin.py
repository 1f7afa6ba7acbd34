"""The pages of tables: columns, rows, imports and exports."""

import io
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from apps.accounts.models import Role
from apps.tables import services
from apps.tables.models import Column, IndexState, Table, Upload
from apps.tables.storage import relation
from tests.conftest import Tenant
from tests.members import person, signed_in
from tests.tables.conftest import make_table


@pytest.fixture
def developer(acme: Tenant) -> Client:
    """A developer of Acme."""
    return signed_in(person("dev", acme=Role.DEVELOPER))


@pytest.fixture
def viewer(acme: Tenant) -> Client:
    """Somebody who only reads."""
    return signed_in(person("vi", acme=Role.VIEWER))


def path(table: Table, *parts: Any) -> str:
    return "/".join(["/admin/tables/table", str(table.pk), *map(str, parts), ""])


def formset(*columns: dict[str, Any], initial: int = 0) -> dict[str, Any]:
    """The inline's part of a form."""
    data: dict[str, Any] = {"columns-TOTAL_FORMS": len(columns), "columns-INITIAL_FORMS": initial}
    for number, column in enumerate(columns):
        defaults = {"name": "", "kind": "text", "default": "", "position": 0}
        data |= {f"columns-{number}-{name}": value for name, value in (defaults | column).items()}
    return data


def shown(table: Table) -> list[dict[str, Any]]:
    """The columns as a form sends them back."""
    return [
        {"id": row.pk, "table": table.pk, "name": row.name, "kind": row.kind, "default": row.default}
        | {"position": row.position}
        | ({"required": "on"} if row.required else {})
        | ({"indexable": "on"} if row.indexable else {})
        for row in table.columns.all()
    ]


def save(client: Client, table: Table, columns: list[dict[str, Any]], **fields: Any) -> Any:
    data = {"name": table.name, "description": ""} | formset(*columns, initial=sum("id" in c for c in columns)) | fields
    return client.post(path(table, "change"), data)


def stored(tenant: Tenant, table: str = "people") -> list[dict[str, Any]]:
    return [row.values for row in services.search_rows(tenant.caller, table).rows]


def page(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return str(response.content.decode())


# --- Tables and columns -----------------------------------------------------------------------------------------


def test_a_table_is_made_with_its_columns(acme: Tenant, developer: Client) -> None:
    columns = [
        {"name": "name", "indexable": "on", "required": "on"},
        {"name": "age", "kind": "integer", "default": "7"},
    ]
    data = {"workspace": acme.workspace.pk, "name": "people", "description": "All of them"} | formset(*columns, {})
    assert developer.post("/admin/tables/table/add/", data).status_code == 302
    table = Table.objects.get()
    assert (table.name, table.description, table.workspace) == ("people", "All of them", acme.workspace)
    assert list(table.columns.values_list("name", "kind", "default", "required", "index_state")) == [
        ("name", "text", "", True, "wanted"),
        ("age", "integer", "7", False, "none"),
    ]
    services.insert_row(acme.caller, "people", {"name": "Ada"})
    assert stored(acme) == [{"name": "Ada", "age": 7}]


@pytest.mark.parametrize(
    ("column", "field", "message"),
    [
        ({"name": "id"}, "name", "“id” is reserved: give the column another name."),
        ({"name": "a\tb"}, "name", "Use characters that can be seen."),
        ({"name": "a", "kind": "integer", "default": "x"}, "default", "The default must be a whole number of 64 bits."),
        ({"name": "a", "kind": "json", "indexable": "on"}, "indexable", "Columns of type JSON cannot be indexed."),
        ({"name": "a", "kind": "blob"}, "kind", "Select a valid choice."),
    ],
)
def test_a_fault_of_a_column_is_told_at_its_field(
    acme: Tenant, developer: Client, column: dict[str, Any], field: str, message: str
) -> None:
    data = {"workspace": acme.workspace.pk, "name": "people", "description": ""} | formset(column)
    response = developer.post("/admin/tables/table/add/", data)
    (errors,) = response.context["inline_admin_formsets"][0].formset.errors
    assert errors[field][0].startswith(message)
    assert not Table.objects.exists()


def test_a_name_that_is_taken(acme: Tenant, people: Table, developer: Client) -> None:
    data = {"workspace": acme.workspace.pk, "name": "people", "description": ""} | formset()
    assert "already exists" in developer.post("/admin/tables/table/add/", data).content.decode()
    assert Table.objects.count() == 1


def test_columns_are_changed_added_and_removed(acme: Tenant, developer: Client) -> None:
    table = make_table(acme, "people", name="text", age="integer", note="text")
    services.insert_row(acme.caller, "people", {"name": "Ada", "age": 36, "note": "x"})
    name, age, note = shown(table)
    name |= {"name": "full name", "indexable": "on"}
    age |= {"kind": "text", "position": 5}
    response = save(developer, table, [name, age, note | {"DELETE": "on"}, {"name": "more", "kind": "date"}])
    assert response.status_code == 302, response.context["errors"]
    assert stored(acme) == [{"full name": "Ada", "more": None, "age": 36}]
    assert list(table.columns.values_list("name", "kind", "index_state")) == [
        ("full name", "text", "wanted"),
        ("more", "date", "none"),
        ("age", "integer", "none"),
    ]


def test_names_that_change_places_are_refused_with_a_message(acme: Tenant, developer: Client) -> None:
    table = make_table(acme, "people", a="text", b="text")
    first, second = shown(table)
    response = save(developer, table, [first | {"name": "b"}, second | {"name": "a"}])
    assert response.status_code == 302
    assert "There is a column" in page(developer, path(table, "change"))
    assert [column.name for column in table.columns.all()] == ["a", "b"]


def test_a_column_with_empty_values_cannot_become_required(acme: Tenant, people: Table, developer: Client) -> None:
    services.insert_row(acme.caller, "people", {"age": 1})
    columns = shown(people)
    columns[0] |= {"required": "on"}
    response = save(developer, people, columns)
    errors = response.context["inline_admin_formsets"][0].formset.errors
    assert errors[0] == {"required": ["There are rows without a value in this column: it cannot be required."]}


def test_the_state_of_indexes_is_shown_and_failed_ones_are_built_again(
    acme: Tenant, developer: Client, viewer: Client
) -> None:
    table = make_table(acme, "people", name={"indexable": True})
    Column.objects.update(index_state=IndexState.FAILED, index_error="no room on the disk")
    text = page(developer, path(table, "change"))
    assert "no room on the disk" in text
    assert "Index failed" in text
    assert "Build again" not in page(viewer, path(table, "change"))
    assert viewer.post(path(table, "build-again")).status_code == 403
    assert developer.get(path(table, "build-again")).status_code == 405
    assert developer.post(path(table, "build-again")).status_code == 302
    assert Column.objects.values_list("index_state", "index_error").get() == ("wanted", "")


def test_a_table_can_be_removed(acme: Tenant, people: Table, developer: Client, viewer: Client) -> None:
    assert viewer.post(path(people, "delete"), {"post": "yes"}).status_code == 403
    assert developer.post(path(people, "delete"), {"post": "yes"}).status_code == 302
    assert not Table.objects.exists()


# --- Rows -------------------------------------------------------------------------------------------------------


def test_an_empty_table_says_what_to_do(acme: Tenant, people: Table, developer: Client, viewer: Client) -> None:
    assert "import a CSV file" in page(developer, path(people, "rows"))
    text = page(viewer, path(people, "rows"))
    assert "The table has no rows yet." in text
    assert "import a CSV file" not in text
    bare = make_table(acme, "bare", x="text")
    bare.columns.all().delete()
    assert "The table has no columns yet." in page(developer, path(bare, "rows"))


def test_the_grid_searches_orders_and_pages(acme: Tenant, people: Table, viewer: Client) -> None:
    for age in range(60):
        services.insert_row(acme.caller, "people", {"username": f"<b>user {age}</b>", "age": age})
    text = page(viewer, path(people, "rows"))
    assert "&lt;b&gt;user 49&lt;/b&gt;" in text
    assert "user 50" not in text
    assert "1 to 50 of 60" in text
    text = page(viewer, path(people, "rows") + "?page=2")
    assert ("51 to 60 of 60" in text, "Previous" in text, "Next" in text) == (True, True, False)
    text = page(viewer, path(people, "rows") + "?field=age&operator=%3E&value=57&order=age&direction=desc")
    assert text.index("user 59") < text.index("user 58")
    assert "1 to 2 of 2" in text
    text = page(viewer, path(people, "rows") + "?field=username&operator=contains&value=nobody")
    assert "No row fits." in text


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("field=age&operator=%3E&value=abc", "must be a whole number of 64 bits"),
        ("field=age&operator=contains&value=1", "contains does not suit columns of type integer"),
        ("field=nope&operator=%3D&value=1", "the table has no column"),
        ("field=age&operator=drop&value=1", "must be one of"),
        ("order=nope", "must be a column of the table"),
        ("order=age&direction=up", "must be ASC or DESC"),
    ],
)
def test_what_a_search_refuses_is_said(people: Table, viewer: Client, query: str, message: str) -> None:
    assert message in page(viewer, f"{path(people, 'rows')}?{query}")


@pytest.mark.parametrize(
    "query", ["page=0", "page=-1", "page=x", "page=99999999999", "page=%D9%A1", "value=%00", "page="]
)
def test_parameters_that_cannot_be_read_do_no_harm(people: Table, viewer: Client, query: str) -> None:
    page(viewer, f"{path(people, 'rows')}?{query}")


def test_the_grid_counts_and_pages_only_so_far(acme: Tenant, viewer: Client) -> None:
    table = make_table(acme, "t", n="integer")
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {relation(table.pk)} DEFAULT VALUES")
        cursor.execute(f"INSERT INTO {relation(table.pk)} (id) SELECT generate_series(2, 10050)")
    assert "of more than 10000" in page(viewer, path(table, "rows"))
    text = page(viewer, path(table, "rows") + "?page=999")
    assert "9951 to 10000 of more than 10000; search for those further on" in text
    assert "Next" not in text


def fields(table: Table, **values: str) -> dict[str, str]:
    """The form of a row, by names of columns."""
    return {f"c{column.pk}": values.get(column.name, "") for column in table.columns.all()}


def test_a_row_is_added(acme: Tenant, people: Table, developer: Client) -> None:
    sent = fields(people, username="a\r\nb", age="5", active="true", born="2026-01-02", extra='{"a": [1]}')
    assert developer.post(path(people, "rows/add"), sent).status_code == 302
    (row,) = stored(acme)
    assert (row["username"], row["age"], row["active"], str(row["born"]), row["extra"], row["balance"]) == (
        "a\nb",
        5,
        True,
        "2026-01-02",
        '{"a": [1]}',
        None,
    )


def test_faults_of_a_row_are_told_at_their_fields(acme: Tenant, people: Table, developer: Client) -> None:
    sent = fields(people, age="x", balance="1,5", seen="now", extra="{")
    errors = developer.post(path(people, "rows/add"), sent).context["form"].errors
    names = {f"c{column.pk}": column.name for column in people.columns.all()}
    assert {names[key] for key in errors} == {"age", "balance", "seen", "extra"}
    assert stored(acme) == []


def test_a_row_is_changed(acme: Tenant, people: Table, developer: Client) -> None:
    services.insert_row(
        acme.caller, "people", {"username": "", "age": 5, "seen": "2026-07-15 12:00:00", "extra": {"a": 1}}
    )
    form = developer.get(path(people, "rows/1")).context["form"]
    sent = {name: form[name].value() for name in form.fields}
    age = people.columns.get(name="age")
    assert developer.post(path(people, "rows/1"), sent | {f"c{age.pk}": "6"}).status_code == 302
    _, row = services.get_row(acme.caller, "people", 1)
    assert (row.version, row.values["age"], row.values["username"], row.values["extra"]) == (2, 6, "", '{"a": 1}')
    response = developer.post(path(people, "rows/1"), sent | {f"c{age.pk}": "7"}, follow=True)
    assert "Somebody has changed the row since you opened this page" in response.content.decode()
    assert services.get_row(acme.caller, "people", 1)[1].values["age"] == 6


def test_a_row_is_deleted(acme: Tenant, people: Table, developer: Client) -> None:
    services.insert_row(acme.caller, "people", {"age": 5})
    assert developer.get(path(people, "rows/1/remove")).status_code == 405
    assert developer.post(path(people, "rows/1/remove")).status_code == 302
    assert stored(acme) == []
    assert "There is no row 1" in developer.post(path(people, "rows/1/remove"), follow=True).content.decode()
    assert developer.get(path(people, "rows/1")).status_code == 404


def test_readers_read(acme: Tenant, people: Table, viewer: Client) -> None:
    services.insert_row(acme.caller, "people", {"username": "Ada", "age": 5})
    text = page(viewer, path(people, "rows/1"))
    assert "Ada" in text
    assert "Delete this row" not in text
    for name in ("rows/add", "rows/1", "rows/1/remove", "import"):
        assert viewer.post(path(people, name), fields(people, age="6")).status_code == 403
    assert viewer.get(path(people, "import")).status_code == 403
    assert stored(acme)[0]["age"] == 5


# --- Files ------------------------------------------------------------------------------------------------------


def upload(client: Client, table: Table, content: bytes, name: str = "a.csv") -> Any:
    file = io.BytesIO(content)
    file.name = name
    return client.post(path(table, "import"), {"file": file, "text": ""})


def test_a_file_is_previewed_and_imported(acme: Tenant, people: Table, developer: Client) -> None:
    response = upload(developer, people, "username;age\nZoë;5\n=1;6\n".encode())
    assert response.status_code == 302
    text = page(developer, response["Location"])
    assert "Zoë" in text
    assert stored(acme) == []
    sent = {"delimiter": "semicolon", "header": "on"}
    assert developer.post(response["Location"], sent)["Location"] == path(people, "rows")
    assert [(row["username"], row["age"]) for row in stored(acme)] == [("Zoë", 5), ("=1", 6)]
    assert not Upload.objects.exists()


def test_a_pasted_text_is_imported(acme: Tenant, people: Table, developer: Client) -> None:
    location = developer.post(path(people, "import"), {"text": "age\r\n5\r\n"})["Location"]
    developer.post(location, {"delimiter": "comma", "header": "on"})
    assert [row["age"] for row in stored(acme)] == [5]


def test_faults_are_shown_before_and_nothing_is_stored(acme: Tenant, people: Table, developer: Client) -> None:
    location = upload(developer, people, b"age\n" + b"5\n" * 25 + b"x\n")["Location"]
    assert "cannot be stored" not in page(developer, location)
    text = developer.post(location, {"delimiter": "comma", "header": "on"}).content.decode()
    assert "line 27, age" in text
    assert stored(acme) == []
    assert "The line has 1 cells instead of 7." in page(developer, f"{location}?delimiter=comma")
    assert "The table has no column" in page(developer, upload(developer, people, b"a|age\n1|2\n")["Location"])


@pytest.mark.parametrize(
    ("data", "message"),
    [({"text": ""}, "Choose a file or paste a text."), ({"text": "a" * 41}, "That is more than 40 bytes")],
)
def test_uploads_that_are_refused(
    acme: Tenant, people: Table, developer: Client, settings: Any, data: dict[str, str], message: str
) -> None:
    settings.TABLE_IMPORT_BYTES = 40
    assert message in developer.post(path(people, "import"), data).content.decode()
    assert not Upload.objects.exists()


def test_a_file_that_is_too_large(acme: Tenant, people: Table, developer: Client, settings: Any) -> None:
    settings.TABLE_IMPORT_BYTES = 40
    assert "more than 40 bytes" in upload(developer, people, b"a" * 41).content.decode()


def test_an_upload_is_its_owners_alone(acme: Tenant, people: Table, developer: Client) -> None:
    location = upload(developer, people, b"age\n5\n")["Location"]
    colleague = signed_in(person("colleague", acme=Role.DEVELOPER))
    assert colleague.get(location).status_code == 404
    assert colleague.post(location, {"delimiter": "comma", "header": "on"}).status_code == 404
    other = make_table(acme, "other", age="integer")
    assert developer.get(location.replace(path(people), path(other))).status_code == 404


def test_a_table_is_exported(acme: Tenant, viewer: Client) -> None:
    table = make_table(acme, "my t", name="text", age="integer")
    services.insert_row(acme.caller, "my t", {"name": "=Zoë", "age": -5})
    assert "Export all rows" in page(viewer, path(table, "export"))
    response: Any = viewer.get(path(table, "export") + "?delimiter=semicolon&header=on")
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == 'attachment; filename="my t.csv"'
    head, line, rest = b"".join(response.streaming_content).decode().split("\r\n")
    assert (head, rest) == ("id;date_created;date_updated;name;age", "")
    assert line.startswith("1;20")
    assert line.endswith(";'=Zoë;-5")
    response = viewer.get(path(table, "export") + "?delimiter=tab")
    assert b"".join(response.streaming_content).decode().startswith("1\t20")
