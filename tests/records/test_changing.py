"""Replacing and removing records, and who wins when a worker wants them too."""

import json
from typing import Any

import pytest
from django.test import Client

from apps.records import changing
from apps.records.claims import claim_due
from apps.records.execution import drain
from apps.records.models import Record, RecordData, RecordField, RecordStep, Status
from apps.schemas.services import create_schema
from tests.conftest import Tenant
from tests.records.conftest import ADULT, insert, make_due
from tests.records.test_queueing import in_threads
from tests.schemas.conftest import SAMPLE, SCHEMA, encoded

NEW = {"client": {"age": 31, "name": "Zoë"}}


def put(client: Client, tenant: Tenant, path: str, body: Any, **named: str) -> Any:
    headers = {name.replace("_", "-"): value for name, value in named.items()}
    return client.put(path, json.dumps(body), "application/json", headers=tenant.headers | headers)


def message_of(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["message"]


def documents() -> dict[str, Any]:
    return dict(RecordData.objects.values_list("record__uuid", "data"))


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("/v1/record/r-1", {}),
        ("/v1/record/r-1/", {"X_Uuid": "r-1"}),
        ("/v1/record", {"X_Uuid": "r-1"}),
        ("/v1/record", {"uuid": "r-1"}),
        ("/v1/record?uuid=r-1", {}),
    ],
)
def test_a_document_is_replaced(client: Client, acme: Tenant, path: str, named: dict[str, str]) -> None:
    insert(acme, uuid="r-1")
    response = put(client, acme, path, NEW, **named)
    assert (response.status_code, response.json()["message"]) == (200, "Data Record was updated successfully")
    assert response.json()["resource"] == {
        "flow_name": "intake",
        "customer_id": str(acme.project.pk),
        "uuid": "r-1",
        "data_record": NEW,
    }
    assert documents() == {"r-1": NEW}


def test_several_are_replaced_in_their_order(client: Client, acme: Tenant) -> None:
    for uuid in ("a", "b", "c"):
        insert(acme, uuid=uuid)
    response = put(client, acme, "/v1/record", [{"n": 1}, {"n": 2}], X_Uuid="c, a")
    assert [row["uuid"] for row in response.json()["resource"]] == ["c", "a"]
    assert documents() == {"a": {"n": 2}, "b": ADULT, "c": {"n": 1}}


@pytest.mark.parametrize(
    ("uuids", "body", "status", "message"),
    [
        ("a,b", [{"n": 1}], 400, "2 uuids are named and 1 data records sent."),
        ("a", [], 400, "1 uuids are named and 0 data records sent."),
        ("a,a", [{"n": 1}, {"n": 2}], 400, "A uuid is named more than once."),
        ("a,b", [{"client": {}}, 5], 400, "Data record 1 is no object."),
        ("a,b", [SAMPLE, {"client": 5}], 400, "Data record 1 does not fit the schema."),
        ("a", {"client": {"age": -1}}, 400, "The data record does not fit the schema."),
        ("a", "text", 400, "A data record is an object."),
        ("a,nobody", [SAMPLE, SAMPLE], 404, "There is no data record nobody."),
        ("a,foreign", [SAMPLE, SAMPLE], 404, "There is no data record foreign."),
        ("foreign", SAMPLE, 404, "There is no such data record."),
        ("a,used", [SAMPLE, SAMPLE], 403, "Data record cannot be updated: it is being used: used"),
        ("used", SAMPLE, 403, "Data record cannot be updated: it is being used"),
        ("", SAMPLE, 400, "X-Uuid is missing."),
    ],
)
def test_a_refused_update_changes_none(
    client: Client, acme: Tenant, rival: Tenant, uuids: str, body: Any, status: int, message: str
) -> None:
    insert(acme, uuid="used")
    claim_due("w", 10)
    for uuid in ("a", "b"):
        insert(acme, uuid=uuid)
    insert(rival, uuid="foreign")
    create_schema(acme.caller, url="x", schema=encoded(SCHEMA), data_record=encoded(SAMPLE))
    before = documents(), list(Record.objects.order_by("pk").values())
    assert message_of(put(client, acme, "/v1/record", body, X_Uuid=uuids)) == (status, message)
    assert (documents(), list(Record.objects.order_by("pk").values())) == before


def test_a_call_takes_so_many_records(client: Client, acme: Tenant) -> None:
    names = ",".join(f"u{number}" for number in range(1001))
    response = put(client, acme, "/v1/record", [{}] * 1001, X_Uuid=names)
    assert message_of(response) == (400, "One call takes at most 1000 data records.")


def test_a_uuid_with_a_comma_is_one_uuid_for_one_document(client: Client, acme: Tenant) -> None:
    insert(acme, uuid="a,b")
    assert put(client, acme, "/v1/record", NEW, X_Uuid="a,b").status_code == 200
    assert documents() == {"a,b": NEW}


@pytest.mark.django_db(transaction=True)
def test_a_record_goes_on_with_its_new_document(client: Client, acme: Tenant) -> None:
    record = insert(acme)
    put(client, acme, f"/v1/record/{record.uuid}", {"client": {"age": 3}})
    drain()
    assert RecordData.objects.get().data == {"client": {"age": 3}, "result": "referred"}


def test_an_update_costs_the_same_for_one_and_for_many(
    client: Client, acme: Tenant, django_assert_num_queries: Any
) -> None:
    uuids = [insert(acme, uuid=f"r-{number}").uuid for number in range(100)]
    put(client, acme, "/v1/record/r-1", NEW)
    for names in (uuids[:1], uuids):
        with django_assert_num_queries(6):  # the rate limit, the schema in force, a savepoint's two, lock, change
            put(client, acme, "/v1/record", [NEW] * len(names), X_Uuid=",".join(names))


# --- Removing ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/v1/record/r-1", {}),
        ("/v1/record", {"X-Uuid": "r-1"}),
        ("/v1/record", {"uuid": "r-1", "scopes": "{record.delete}"}),
        ("/v1/record?uuid=r-1", {}),
    ],
)
def test_a_record_goes_with_all_it_has(client: Client, acme: Tenant, path: str, headers: dict[str, str]) -> None:
    record = insert(acme, uuid="r-1")
    insert(acme, uuid="r-2")
    RecordStep.objects.create(
        record=record, run_no=1, seq=1, attempt=1, object="o", type="set", started_at=record.date_created, ms=1
    )
    response = client.delete(path, headers=acme.headers | headers)
    assert (response.status_code, response.json()["message"]) == (200, "Data Record was removed successfully")
    assert response.json()["resource"] == {"flow_name": "intake", "uuid": "r-1"}
    assert list(Record.objects.values_list("uuid", flat=True)) == ["r-2"]
    assert (RecordData.objects.count(), RecordStep.objects.count()) == (1, 0)
    assert message_of(client.delete(path, headers=acme.headers | headers))[0] == 404


def test_client_credentials_remove_too(client: Client, acme: Tenant) -> None:
    insert(acme, uuid="r-1")
    headers = {"client_id": acme.oauth.client_id, "client_secret": acme.client_secret, "uuid": "r-1"}
    assert client.delete("/v1/record", headers=headers).status_code == 200
    assert client.put("/v1/record/x", "{}", "application/json", headers=headers).status_code == 401


def test_a_record_in_use_stays(client: Client, acme: Tenant) -> None:
    insert(acme, uuid="r-1")
    claim_due("w", 10)
    response = client.delete("/v1/record/r-1", headers=acme.headers)
    assert message_of(response) == (403, "Data record cannot be deleted: it is being used")
    assert Record.objects.get().status == Status.PROCESSING


def test_words_of_the_path_name_no_record(client: Client, acme: Tenant) -> None:
    for word in ("search", "movetoflow", "changestatus"):
        assert client.delete(f"/v1/record/{word}", headers=acme.headers).status_code == 405
    assert client.delete("/v1/record", headers=acme.headers).status_code == 400
    assert client.delete("/v1/record/r-1", headers=acme.headers | {"X-Uuid": "r-2"}).status_code == 400


def test_a_foreign_record_is_not_removed(client: Client, acme: Tenant, rival: Tenant) -> None:
    insert(rival, uuid="r-1")
    assert client.delete("/v1/record/r-1", headers=acme.headers).status_code == 404
    assert Record.objects.count() == 1


# --- Conditions -------------------------------------------------------------------------------------------------


def test_a_stale_condition_changes_nothing(client: Client, acme: Tenant) -> None:
    insert(acme, uuid="r-1")
    insert(acme, uuid="r-2")
    stale = client.get("/v1/record/r-1", headers=acme.headers)["ETag"]
    fresh = put(client, acme, "/v1/record/r-1", NEW, If_Match=stale)
    assert fresh.status_code == 200
    assert put(client, acme, "/v1/record/r-1", ADULT, If_Match=stale).status_code == 412
    assert client.delete("/v1/record/r-1", headers=acme.headers | {"If-Match": stale}).status_code == 412
    assert put(client, acme, "/v1/record", [ADULT, ADULT], X_Uuid="r-1,r-2", If_Match="*").status_code == 400
    assert documents() == {"r-1": NEW, "r-2": ADULT}
    now = client.get("/v1/record/r-1", headers=acme.headers)["ETag"]
    assert client.delete("/v1/record/r-1", headers=acme.headers | {"If-Match": now}).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_of_parallel_updates_with_the_same_condition_one_succeeds(client: Client, acme: Tenant) -> None:
    insert(acme, uuid="r-1")
    tag = client.get("/v1/record/r-1", headers=acme.headers)["ETag"]
    answers = in_threads(
        *[
            lambda n=n: put(Client(), acme, "/v1/record/r-1", {"n": n}, If_Match=tag).status_code  # type: ignore[misc]
            for n in range(6)
        ]
    )
    assert sorted(answers) == [200, 412, 412, 412, 412, 412]


# --- Races ------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_of_a_removal_and_a_claim_one_comes_first(acme: Tenant) -> None:
    outcomes = set()
    for number in range(30):
        record = insert(acme, uuid=f"r-{number}")
        removed, claimed = in_threads(
            lambda uuid=record.uuid: changing.delete_record(acme.caller, uuid), lambda: claim_due("w", 10)
        )
        is_there = Record.objects.filter(pk=record.pk).exists()
        assert is_there is isinstance(removed, Exception)
        assert is_there is bool(claimed)
        outcomes.add(is_there)
        Record.objects.all().delete()
    assert not RecordData.objects.exists()
    assert not RecordField.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_claim_has_the_newest_document(acme: Tenant) -> None:
    """A claim that began before an update and locks after it must not run, and write back, the document before."""
    for number in range(60):
        record = insert(acme, {"n": 0}, uuid=f"r-{number}")
        updated, claimed = in_threads(
            lambda uuid=record.uuid: changing.update_records(acme.caller, [uuid], [{"n": 1}]),
            lambda: claim_due("w", 10),
        )
        stored = RecordData.objects.get(pk=record.pk).data
        assert stored == ({"n": 0} if isinstance(updated, Exception) else {"n": 1})
        assert [row.data for row in claimed] == [stored] * len(claimed)
        Record.objects.all().delete()


@pytest.mark.django_db(transaction=True)
def test_a_claim_reads_a_replaced_document_again(acme: Tenant) -> None:
    record = insert(acme, {"n": 0}, uuid="r-1")
    changing.update_records(acme.caller, ["r-1"], [{"n": 1}])
    # As a claim sees it that began in between: the row is the new one, the document's revision still the old.
    RecordData.objects.filter(pk=record.pk).update(revision=0)
    (claimed,) = claim_due("w", 10)
    assert claimed.data == {"n": 1}


@pytest.mark.django_db(transaction=True)
def test_an_update_takes_the_record_from_a_worker_that_died(acme: Tenant) -> None:
    record = insert(acme, uuid="r-1")
    claim_due("dead", 10)
    make_due(record)
    changing.update_records(acme.caller, ["r-1"], [NEW])
    record.refresh_from_db()
    assert (record.status, record.lease_token, record.claims) == (Status.NOT_RUNNING, None, 1)
    (claimed,) = claim_due("next", 10)
    assert claimed.data == NEW
