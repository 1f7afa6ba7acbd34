"""``/v1/record/search``: what is found, in which order, how it is asked for, and what is refused."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.records.execution import drain
from apps.records.fields import fill_fields, forget_fields
from apps.records.models import Hold, Record, Status
from apps.records.services import create_records
from apps.schemas.fields import create_field
from apps.schemas.models import DataField
from tests.conftest import STRAIGHT_FLOW, Tenant, publish
from tests.records.conftest import ADULT, insert

PATH = "/v1/record/search"


def search(client: Client, tenant: Tenant, query: str = "", **named: str) -> Any:
    headers = {name.replace("_", "-"): value for name, value in named.items()}
    return client.get(PATH + query, headers=tenant.headers | headers)


def found(client: Client, tenant: Tenant, query: str = "", **named: str) -> list[str]:
    response = search(client, tenant, query, **named)
    assert response.status_code == 200, response.json()
    return [row["uuid"] for row in response.json()["resource"]["records"]]


def refusal(client: Client, tenant: Tenant, query: str = "", **named: str) -> tuple[int, str]:
    response = search(client, tenant, query, **named)
    return response.status_code, response.json()["error"]["message"]


def at(record: Record, **moments: datetime | int | None) -> Record:
    Record.objects.filter(pk=record.pk).update(**moments)
    record.refresh_from_db()
    return record


SUMMER = datetime(2026, 7, 15, 10, 0, tzinfo=UTC)  # noon in Amsterdam
FAR = datetime(2999, 1, 1, tzinfo=UTC)


@pytest.mark.django_db(transaction=True)
def test_a_row_is_the_documented_one(client: Client, acme: Tenant) -> None:
    record = insert(acme, uuid="r-1")
    drain()
    at(record, date_created=SUMMER, date_started=SUMMER + timedelta(seconds=1), date_last_run=SUMMER)
    response = search(client, acme)
    assert response.json() == {
        "id": "ok",
        "code": 200,
        "request-ip": "127.0.0.1",
        "resource": {
            "records": [
                {
                    "id": str(record.pk),
                    "uuid": "r-1",
                    "flow_id": str(acme.flow.pk),
                    "flow_name": "intake",
                    "flow_version": "1",
                    "date_created": "2026-07-15 12:00:00",
                    "date_started": "2026-07-15 12:00:01",
                    "date_last_run": "2026-07-15 12:00:00",
                    "date_next_run": "",
                    "queue_status": "",
                    "dynamic_value": "",
                    "current_step": {"type": "end", "text": "end"},
                    "num_runs": "1",
                    "flow_status": "2",
                    "flow_status_name": "Finished",
                }
            ],
            "total": 1,
            "offset": 0,
            "limit": 10,
        },
        "message": "The query has been executed successfully.",
        "error": None,
    }


@pytest.mark.parametrize(
    ("columns", "queue", "next_run"),
    [
        ({}, "0", ""),
        ({"status": Status.SCHEDULED, "wake_at": SUMMER}, "4", "2026-07-15 12:00:00"),
        ({"status": Status.PROCESSING, "wake_at": SUMMER}, "1", ""),
        ({"hold": Hold.STOPPED, "wake_at": SUMMER}, "5", "2026-07-15 12:00:00"),
        ({"hold": Hold.STOPPED, "wake_at": None}, "5", ""),
        ({"hold": Hold.PAUSED, "wake_at": None, "saved_wake_at": FAR}, "2", "2999-01-01 01:00:00"),
        ({"hold": Hold.PAUSED, "wake_at": None, "saved_wake_at": SUMMER - timedelta(days=3650)}, "2", ""),
        ({"status": Status.FAILED, "hold": Hold.ERROR, "wake_at": None}, "3", ""),
    ],
)  # fmt: skip
def test_a_row_says_what_happens_next(
    client: Client, acme: Tenant, columns: dict[str, Any], queue: str, next_run: str
) -> None:
    at(insert(acme), **columns)
    (row,) = search(client, acme).json()["resource"]["records"]
    assert (row["queue_status"], row["date_next_run"]) == (queue, next_run)
    assert (row["current_step"], row["date_started"]) == ({"type": "start", "text": "start"}, "")


@pytest.fixture
def several(acme: Tenant, rival: Tenant) -> dict[str, Record]:
    """Records of two flows, an hour apart; a foreign one of the same name."""
    publish(acme, STRAIGHT_FLOW | {"name": "other"})
    made = {
        "a": at(insert(acme, uuid="a"), date_created=SUMMER),
        "b": at(insert(acme, uuid="b", flow="other"), date_created=SUMMER + timedelta(hours=1), status=Status.FINISHED),
        "c": at(insert(acme, uuid="c"), date_created=SUMMER + timedelta(hours=2), status=Status.FINISHED),
        "d": at(insert(acme, uuid="d", flow="other"), date_created=SUMMER + timedelta(hours=3)),
    }
    insert(rival, uuid="a")
    insert(rival, uuid="foreign")
    return made


@pytest.mark.parametrize(
    ("query", "uuids"),
    [
        ("", "dcba"),
        ("?limit=2", "dc"),
        ("?limit=2&offset=1", "cb"),
        ("?offset=4", ""),
        ("?limit=&offset=", "dcba"),
        ("?uuid=a", "a"),
        ("?uuid=foreign", ""),
        ("?uuid=A", ""),
        ("?uuid=a&datarecord_status=2", ""),
        ("?uuid=c&datarecord_status=2&flow_name=intake", "c"),
        ("?flow_name=intake", "ca"),
        ("?flow=other", "db"),
        ("?flow_name=nope", ""),
        ("?flow_id=999999", ""),
        ("?datarecord_status=2", "cb"),
        ("?datarecord_status=0", "da"),
        ("?datarecord_status=6", ""),
        ("?datarecord_status=2&flow_name=other", "b"),
        ("?datarecord_status=2&limit=1&offset=1", "b"),
        ("?flow_name=intake&limit=1&offset=1", "a"),
        ("?date_from=2026-07-15", "dcba"),
        ("?date_from=2026-07-16", ""),
        ("?date_to=2026-07-15", "dcba"),
        ("?date_to=2026-07-14", ""),
        ("?date_to=15-07-2026", "dcba"),
        ("?date_from=15-07-2026 13:00:00&date_to=2026-07-15 14:00:00", "cb"),
        ("?date_from=2026-07-15T13:00:00%2B02:00&date_to=2026-07-15T12:00:00Z", "cb"),
        ("?date_from=2026-07-15T13:00:00 02:00", "dcb"),
        ("?date_to=2026-07-15 13:00", "ba"),
        ("?date_from=2026-07-14 24:00:00", "dcba"),
        ("?date_from=2026-07-15 24:00:00", ""),
        ("?date_from=2026-07-15 13:00:00&datarecord_status=2", "cb"),
        ("?date_from=2026-07-15 13:30:00&datarecord_status=2&flow_name=intake", "c"),
        ("?date_type=date_created&date_from=2026-07-15 14:30:00", "d"),
        ("?date_from=2027-01-01&date_to=2026-01-01", ""),
        ("?date_type=date_last_run", "dcba"),
        ("?date_type=date_last_run&date_from=2026-01-01", ""),
        ("?zz=1", "dcba"),
    ],
)
def test_what_is_found(client: Client, several: dict[str, Record], acme: Tenant, query: str, uuids: str) -> None:
    assert found(client, acme, query.replace(" ", "%20")) == list(uuids)
    if "limit" not in query and "offset" not in query:
        assert search(client, acme, query.replace(" ", "%20")).json()["resource"]["total"] == len(uuids)


@pytest.mark.parametrize(
    ("named", "uuids"),
    [
        ({"X_Limit": "2"}, "dc"),
        ({"X_limit": "1", "X_offset": "1"}, "c"),
        ({"X_uuid": "a"}, "a"),
        ({"uuid": "a"}, "a"),
        ({"X_flow": "intake"}, "ca"),
        ({"X_Datarecord_status": "2"}, "cb"),
        ({"X_Date_From": "2026-07-15 14:30:00", "X_Date_Type": "date_created"}, "d"),
        ({"X_Date_To": "2026-07-15 12:00:00"}, "a"),
    ],
)
def test_headers_say_the_same(
    client: Client, several: dict[str, Record], acme: Tenant, named: dict[str, str], uuids: str
) -> None:
    assert found(client, acme, **named) == list(uuids)


def test_one_search_header_and_the_url_no_longer_counts(
    client: Client, several: dict[str, Record], acme: Tenant
) -> None:
    query = f"?datarecord_status=2&limit=1&api_key={acme.api_key}&app_key={acme.keys.app_key}"
    assert [row["uuid"] for row in client.get(PATH + query).json()["resource"]["records"]] == ["c"]
    response = client.get(PATH + query, headers={"X-Flow": "other"})
    assert [row["uuid"] for row in response.json()["resource"]["records"]] == ["d", "b"]
    assert (response.json()["resource"]["limit"], response.json()["resource"]["total"]) == (10, 2)


def test_a_period_of_another_date_comes_in_its_order(client: Client, several: dict[str, Record], acme: Tenant) -> None:
    at(several["a"], date_last_run=SUMMER + timedelta(days=2), date_started=SUMMER)
    at(several["c"], date_last_run=SUMMER + timedelta(days=1), date_started=SUMMER)
    query = "?date_type=date_last_run&date_from=2026-07-16"
    assert found(client, acme, query) == ["a", "c"]
    assert found(client, acme, query + "&datarecord_status=2&flow_name=intake") == ["c"]
    assert found(client, acme, "?date_type=date_started&date_to=2026-07-15") == ["c", "a"]


def test_the_hour_the_clocks_repeat_counts_both_times(client: Client, acme: Tenant) -> None:
    first, second = datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    at(insert(acme, uuid="first"), date_created=first)
    at(insert(acme, uuid="second"), date_created=second)
    assert found(client, acme, "?date_from=2026-10-25%2002:30:00&date_to=2026-10-25%2002:30:00") == ["second", "first"]


@pytest.mark.parametrize(
    "query",
    [
        "limit=-1", "limit=0", "limit=abc", "limit=1.5", "limit=NaN", "limit=0x10", "limit=1&limit=2", "offset=-1",
        "offset=abc", "offset=99999999999999999999", "datarecord_status=7", "datarecord_status=-1",
        "datarecord_status=abc", "flow_id=abc", "date_type=date_next_run", "date_from=2017-02-30%2000:00:00",
        "date_from=10000-01-01%2000:00:00", "date_from=9999-12-31", "date_from=now()",
        "date_from=2017-12-31%2024:00:01",
        "date_from=2017-12-31%2025:00:00", "date_to=0000-01-01", "date_to=2017-1-1", "date_to=%D9%A2017-01-01",
        "datafield_name=x", "datafield_value=x", "datafield_name=x&datafield_value=a%00b", "uuid=a&uuid=b",
    ],
)  # fmt: skip
def test_what_cannot_be_searched_by_is_refused(client: Client, acme: Tenant, query: str) -> None:
    assert refusal(client, acme, "?" + query)[0] == 400


def test_a_large_limit_is_the_largest(client: Client, acme: Tenant) -> None:
    resource = search(client, acme, "?limit=99999999999999999999").json()["resource"]
    assert (resource["limit"], resource["records"], resource["total"]) == (100, [], 0)


# --- Other ways to send it --------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "PUT"])
@pytest.mark.parametrize("content_type", ["application/json", "application/x-www-form-urlencoded"])
def test_a_form_in_the_body_is_read_keys_and_all(
    client: Client, several: dict[str, Record], acme: Tenant, method: str, content_type: str
) -> None:
    form = f"api_key={acme.api_key}&app_key={acme.keys.app_key}&datarecord_status=2"
    response = client.generic(method, PATH, form, content_type)
    assert [row["uuid"] for row in response.json()["resource"]["records"]] == ["c", "b"]


def test_an_object_in_the_body_is_read(client: Client, several: dict[str, Record], acme: Tenant) -> None:
    body = {"datarecord_status": 2, "limit": 1, "uuid": None}
    response = client.put(PATH, json.dumps(body), "application/json", headers=acme.headers)
    assert [row["uuid"] for row in response.json()["resource"]["records"]] == ["c"]
    assert client.put(PATH, "{}", "application/json", headers=acme.headers).status_code == 200


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        ("[1]", "application/json", 400),
        ('{"limit": [1]}', "application/json", 400),
        ('{"limit":', "application/json", 400),
        (b"\xff=1", "application/json", 400),
        ("limit=1", "text/csv", 415),
        ("a=1&" * 3000, "application/json", 413),
        ("&".join(f"a{n}=1" for n in range(200)), "application/json", 400),
        ("limit=0", "application/json", 400),
    ],
)
def test_a_body_that_is_no_search_is_refused(
    client: Client, acme: Tenant, body: Any, content_type: str, status: int
) -> None:
    response = client.generic("PUT", PATH, body, content_type, headers=acme.headers)
    assert (response.status_code, response.json()["error"]["code"]) == (status, status)


# --- Totals -----------------------------------------------------------------------------------------------------


def test_the_total_is_counted_so_far_beyond_the_page(client: Client, acme: Tenant, settings: Any) -> None:
    settings.SEARCH_COUNT = 5
    for number in range(12):
        insert(acme, uuid=f"r-{number:02}")
    for query in ("", "&flow_name=intake", "&datarecord_status=0", "&date_from=2020-01-01"):
        seen: list[str] = []
        while True:
            resource = search(client, acme, f"?limit=3&offset={len(seen)}{query}").json()["resource"]
            assert resource["total"] == min(12, len(seen) + 5)
            seen += [row["uuid"] for row in resource["records"]]
            if len(seen) >= resource["total"]:
                break
        assert seen == [f"r-{number:02}" for number in range(11, -1, -1)]


# --- Data fields ------------------------------------------------------------------------------------------------


def define(tenant: Tenant, name: str, path: str, **options: Any) -> DataField:
    """A field whose records have all been read."""
    field = create_field(tenant.caller, name=name, path=path, **options)
    settle(field)
    while fill_fields(1):
        pass
    forget_fields()
    field.refresh_from_db()
    return field


def settle(field: DataField) -> None:
    DataField.objects.filter(pk=field.pk).update(date_created=timezone.now() - timedelta(minutes=1))


def by_field(name: str, value: Any) -> str:
    return f"?datafield_name={name}&datafield_value={value}"


DOCUMENT = {"client": [{"email": "a@b.nl", "age": 30, "vip": True, "note": None, "tags": ["x"]}], "n": 1.50}
VALUES = [
    ("client.0.email", "a@b.nl", True),
    ("client.0.email", "A@b.nl", False),
    ("client.0.age", "30", True),
    ("client.0.age", "30.0", False),
    ("client.0.vip", "true", True),
    ("client.0.note", "null", False),
    ("client.0.tags.0", "x", True),
    ("client.1.email", "a@b.nl", False),
    ("client.email", "a@b.nl", False),
    ("n", "1.5", True),
    ("missing.path", "x", False),
]


@pytest.mark.parametrize(("path", "value", "is_found"), VALUES)
@pytest.mark.parametrize("way", ["before", "after", "path"])
def test_a_data_field_finds_by_value(
    client: Client, acme: Tenant, rival: Tenant, path: str, value: str, is_found: bool, way: str
) -> None:
    if way == "before":
        define(acme, "it", path)
    insert(acme, DOCUMENT, uuid="r-1")
    insert(acme, ADULT, uuid="r-2")
    insert(rival, DOCUMENT, uuid="foreign")
    if way == "after":
        assert define(acme, "it", path).is_filled
    assert found(client, acme, by_field(path if way == "path" else "it", value)) == (["r-1"] if is_found else [])


def test_lists_and_objects_have_no_value(client: Client, acme: Tenant) -> None:
    define(acme, "it", "client.0.tags")
    insert(acme, DOCUMENT)
    assert found(client, acme, by_field("it", '["x"]')) == []


def test_a_field_follows_the_document(client: Client, acme: Tenant) -> None:
    define(acme, "it", "n")
    insert(acme, {"n": 1}, uuid="r-1")
    client.put("/v1/record/r-1", '{"n": 2}', "application/json", headers=acme.headers)
    assert [found(client, acme, by_field("it", value)) for value in (1, 2)] == [[], ["r-1"]]
    client.put("/v1/record/r-1", "{}", "application/json", headers=acme.headers)
    assert found(client, acme, by_field("it", 2)) == []
    client.delete("/v1/record/r-1", headers=acme.headers)
    assert found(client, acme, by_field("it", 2)) == []


@pytest.mark.django_db(transaction=True)
def test_a_field_follows_what_the_flow_does(client: Client, acme: Tenant) -> None:
    define(acme, "outcome", "result")
    insert(acme, uuid="r-1")
    assert found(client, acme, by_field("outcome", "accepted")) == []
    drain()
    assert found(client, acme, by_field("outcome", "accepted")) == ["r-1"]


def test_fields_and_all_else_must_hold(client: Client, several: dict[str, Record], acme: Tenant) -> None:
    define(acme, "age", "client.age")
    assert found(client, acme, by_field("age", 30)) == list("dcba")
    assert found(client, acme, by_field("age", 30) + "&limit=1&offset=1") == ["c"]
    assert found(client, acme, by_field("age", 30) + "&datarecord_status=2&flow_name=other") == ["b"]
    assert found(client, acme, by_field("age", 30) + "&date_from=2026-07-15%2014:30:00") == ["d"]
    assert found(client, acme, by_field("client.age", 30) + "&datarecord_status=2") == ["c", "b"]


def test_long_values_are_compared_by_their_beginning(client: Client, acme: Tenant) -> None:
    define(acme, "it", "n")
    insert(acme, {"n": "é" * 300}, uuid="r-1")
    assert found(client, acme, by_field("it", "é" * 300)) == ["r-1"]
    assert found(client, acme, by_field("it", "é" * 254)) == []


@pytest.mark.parametrize("hostile", ["a'b", 'a"b', "a%b", "a_b", "$a", "a\\b", "{a,b}", "☃", "a;--"])
def test_hostile_names_and_values_are_values(client: Client, acme: Tenant, hostile: str) -> None:
    insert(acme, {hostile: hostile}, uuid="r-1")
    insert(acme, {"other": 1})
    field = {"datafield_name": hostile, "datafield_value": hostile}
    as_path = client.get(PATH, field, headers=acme.headers).json()["resource"]["records"]
    define(acme, "it", hostile)
    as_field = client.get(PATH, field | {"datafield_name": "it"}, headers=acme.headers).json()["resource"]["records"]
    assert [row["uuid"] for row in as_path] == [row["uuid"] for row in as_field] == ["r-1"]


def test_the_list_column_is_the_dynamic_value(client: Client, acme: Tenant) -> None:
    define(acme, "email", "client.0.email", list_column=True)
    define(acme, "age", "client.0.age")
    insert(acme, DOCUMENT)
    assert search(client, acme).json()["resource"]["records"][0]["dynamic_value"] == "a@b.nl"


@pytest.mark.django_db(transaction=True)
def test_a_search_without_an_index_ends_in_time(client: Client, acme: Tenant, settings: Any) -> None:
    settings.SEARCH_SECONDS = 0.001
    create_records(acme.caller, [{"n": "x" * 1000}] * 1000, flow_name="intake")
    for query in (by_field("a.b", "c"), "?date_type=date_started&date_from=2020-01-01&datarecord_status=2"):
        answer = search(client, acme, query)
        assert answer.status_code in (200, 408)
    assert refusal(client, acme, by_field("a.b", "c")) == (
        408,
        "The search took too long: no index serves it. Search by a data field, a flow, a status or a date.",
    )


def test_searches_have_their_budget(client: Client, acme: Tenant, django_assert_num_queries: Any) -> None:
    define(acme, "age", "client.age", list_column=True)
    for _ in range(3):
        insert(acme)
    found(client, acme)
    forget_fields()
    with django_assert_num_queries(3):  # the count of the rate limit, the fields, the page with its total
        found(client, acme, by_field("age", 30))
    for query in ("", "?uuid=x", "?flow_name=intake&datarecord_status=0", "?date_from=2026-01-01", by_field("age", 30)):
        with django_assert_num_queries(2):
            found(client, acme, query)
    with django_assert_num_queries(5):  # a savepoint's two and the time it may take
        found(client, acme, by_field("client.age", 30))
