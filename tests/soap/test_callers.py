"""Who may call: the same credentials, addresses, scopes, limits and repetitions as in REST; and what is logged."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import Workspace
from apps.applications.authentication import forget_credentials
from apps.applications.models import Application
from apps.records.models import Record
from apps.records.services import create_records
from apps.soap import exchange
from apps.soap.operations import OBJECTS, OPERATIONS
from apps.webhooks.models import WebhookEvent
from apps.webhooks.services import register_webhook
from tests.conftest import Tenant
from tests.contract.state import everything
from tests.soap.messages import ENV_12, PATH, Answer, auth, base64_of, call, message, post

WRONG = ("404", "The credentials are not correct.")
TWO = ("400", "The request carries more than one identity: send one set of credentials.")
FLOW = {"FlowDiagramObject": {"Flow": "intake"}}
CALLERS = [name for name, operation in OPERATIONS.items() if operation.act]


def full(operation: str) -> dict[str, Any]:
    """What a call needs beside its credentials; the record is ``known``."""
    texts = {
        "Uuid": "new" if operation == "insertRecord" else "known",
        "Data": base64_of({}),
        "Flow": "intake",
        "Status": "paused",
        "Schema": base64_of({}),
        "DataRecord": base64_of({}),
    }
    members = OPERATIONS[operation].members
    return {
        name: {member: texts[member] for member in OBJECTS[name] if member in texts}
        for name in members
        if name != "AuthenticationObject"
    }


def flow(tenant: Tenant, credentials: dict[str, Any], header: str = "", **extra: Any) -> Answer:
    return post(message("getFlowDiagram", credentials | FLOW, header), **extra)


@pytest.fixture
def known(acme: Tenant) -> None:
    create_records(acme.caller, [{}], flow_name="intake", uuid="known")


@pytest.fixture
def token(acme: Tenant) -> str:
    answered = Client().get("/v1/checkauthentication", headers=acme.client_headers)
    return str(answered.json()["resource"]["access_token"])


# --- Credentials and where they stand ------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", CALLERS)
def test_nobody_is_refused_everywhere_and_nothing_changes(acme: Tenant, known: None, operation: str) -> None:
    before = everything()
    for credentials in (
        {},
        auth(acme, Apikey="0" * 64),
        auth(acme, Appkey="x"),
        auth(acme, Appkey=""),
        auth(acme, Apikey=""),
        auth(acme, Appkey=acme.oauth.app_key),
    ):
        answer = call(operation, credentials | full(operation))
        assert (answer.status, answer.fault) == (500, WRONG)
    assert everything() == before


@pytest.mark.parametrize("operation", CALLERS)
def test_keys_of_two_tenants(acme: Tenant, rival: Tenant, known: None, operation: str) -> None:
    before = everything()
    assert call(operation, auth(acme, Appkey=rival.keys.app_key) | full(operation)).fault == WRONG
    assert everything() == before


@pytest.mark.parametrize("operation", CALLERS)
def test_an_address_that_is_not_allowed(acme: Tenant, known: None, operation: str) -> None:
    before = everything()
    answer = call(operation, auth(acme) | full(operation), REMOTE_ADDR="10.9.8.7")
    assert (answer.status, answer.fault) == (500, ("437", "Ip not valid."))
    assert everything() == before


@pytest.mark.parametrize("operation", CALLERS)
def test_a_scope_that_is_missing(acme: Tenant, known: None, operation: str) -> None:
    before = everything()
    lacking = "record.read" if OPERATIONS[operation].scope.startswith(("schema", "flow")) else "schema.read"
    broken = full(operation) | ({"DataRecordObject": {"Data": "***"}} if operation == "insertRecord" else {})
    answer = call(operation, auth(acme) | broken, headers={"X-Scopes": lacking})
    assert answer.fault == ("401", "The permissions are not correct.")
    assert everything() == before


@pytest.mark.parametrize("operation", CALLERS)
def test_rows_of_another_tenant_are_not_there(acme: Tenant, rival: Tenant, known: None, operation: str) -> None:
    acme.flow.name = "only-acmes"
    acme.flow.save()
    given = full(operation)
    for structure in given.values():
        if "Flow" in structure and operation != "updateRecord":
            structure["Flow"] = "only-acmes"
    before = everything()
    answer = call(operation, auth(rival) | given)
    if operation == "insertSchema":  # its own
        assert answer.members["Code"] == "201"
        return
    unknown = {"Schema": "There is no data schema.", "Flow": "There is no such flow."}
    texts = [text for part, text in unknown.items() if part in operation or operation == "insertRecord"]
    assert answer.fault == ("404", texts[-1] if texts else "There is no such data record.")
    assert everything() == before


@pytest.mark.parametrize(
    "header",
    [
        "<mym:AuthenticationHeader><AccessToken>{}</AccessToken></mym:AuthenticationHeader>",
        "<mym:AuthenticationHeader><SessionID>{}</SessionID></mym:AuthenticationHeader>",
        '<x:AuthenticationHeader xmlns:x="urn:x"><x:AccessToken> {} </x:AccessToken></x:AuthenticationHeader>',
        "<AuthenticationHeader><AccessToken>{0}</AccessToken><SessionID>{0}</SessionID></AuthenticationHeader>",
        "<AccessToken>{}</AccessToken>",
        '<mym:SessionID e:mustUnderstand="1">{}</mym:SessionID>',
    ],
)
def test_tokens_in_the_header(acme: Tenant, token: str, header: str) -> None:
    assert flow(acme, {}, header.format(token)).members["Code"] == "200"
    assert flow(acme, {"Header": {"AuthenticationHeader": {"SessionID": token}}}).members["Code"] == "200"
    assert flow(acme, {}, header.format("0" * 64)).fault == ("436", "Access token not valid.")


@pytest.mark.parametrize("name", ["Authorization", "Authentication"])
def test_tokens_in_http(acme: Tenant, token: str, name: str) -> None:
    assert flow(acme, {}, headers={name: f"Bearer {token}"}).members["Code"] == "200"
    assert flow(acme, {}, headers={name: f"bearer {'0' * 64}"}).fault == ("436", "Access token not valid.")
    header = f"<AccessToken>{token}</AccessToken>"
    assert flow(acme, {}, header, headers={name: f"Bearer {token}"}).members["Code"] == "200"


def test_keys_in_http(acme: Tenant) -> None:
    assert flow(acme, {}, headers=acme.headers).members["Code"] == "200"
    assert flow(acme, auth(acme), headers=acme.headers).members["Code"] == "200"
    assert flow(acme, {}, headers={"X-Apikey": acme.api_key}).fault == WRONG
    assert flow(acme, {}, headers=acme.client_headers).fault == WRONG


def test_an_application_by_its_name(acme: Tenant) -> None:
    assert flow(acme, auth(acme, Appkey="acme-keys")).members["Code"] == "200"


def test_a_bad_token_does_not_fall_back_to_good_keys(acme: Tenant, token: str) -> None:
    bad = f"<AccessToken>{'0' * 64}</AccessToken>"
    assert flow(acme, auth(acme), bad).fault == TWO
    assert flow(acme, auth(acme), headers={"Authorization": f"Bearer {'0' * 64}"}).fault == TWO
    assert flow(acme, {}, bad, headers={"Authorization": f"Bearer {token}"}).fault == TWO
    nested = {"Header": {"AuthenticationHeader": {"SessionID": "0" * 64}}}
    assert flow(acme, nested, f"<AccessToken>{token}</AccessToken>").fault == TWO
    empty = auth(acme, Apikey="", Appkey="")
    assert flow(acme, empty, f"<AccessToken>{token}</AccessToken>").members["Code"] == "200"


@pytest.mark.parametrize("version", ["2", "abc", "", "1.0", "?"])
def test_the_version_of_the_keys(acme: Tenant, version: str) -> None:
    assert flow(acme, auth(acme, Version=version)).fault == ("400", "AuthenticationObject/Version must be 1.")


def test_the_host_picks_the_workspace(acme: Tenant, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["127.0.0.1", "api.example"]
    Workspace.objects.create(project=acme.project, api_host="api.example")
    assert flow(acme, auth(acme), headers={"Host": "api.example:8000"}).fault == ("404", "There is no such flow.")
    assert flow(acme, auth(acme), headers={"Host": "127.0.0.1"}).members["Code"] == "200"


# --- Limits ---------------------------------------------------------------------------------------------------------


def limited(tenant: Tenant, limit: int) -> None:
    Application.objects.filter(pk=tenant.keys.pk).update(rate_limit=limit)
    forget_credentials()


def standing(answer: Answer) -> tuple[str, str]:
    headers = answer.response.headers
    assert 0 < int(headers["X-RateLimit-Reset"]) <= 3600
    return headers["X-RateLimit-Limit"], headers["X-RateLimit-Remaining"]


def test_soap_and_rest_count_together(acme: Tenant) -> None:
    limited(acme, 3)
    assert standing(flow(acme, auth(acme))) == ("3", "2")
    assert Client().get("/v1/schema", headers=acme.headers)["X-RateLimit-Remaining"] == "1"
    assert standing(call("getSchema", auth(acme))) == ("3", "0")
    answer = flow(acme, auth(acme))
    assert (answer.status, answer.fault) == (500, ("429", "Too many requests."))
    assert standing(answer) == ("3", "0")
    assert answer.response["Retry-After"] == answer.response["X-RateLimit-Reset"]
    assert Client().get("/v1/schema", headers=acme.headers).status_code == 429


@pytest.mark.parametrize(
    "body", ["", "<a/>", "<!DOCTYPE a><a/>", message("getSchema", {}), message("webhook", {"Uri": "x"})]
)
def test_calls_of_nobody_are_counted_by_address(db: None, settings: Any, body: str) -> None:
    settings.LOGIN_RATE_LIMIT = 2
    answers = [post(body) for _ in range(3)]
    assert [answer.response["X-RateLimit-Remaining"] for answer in answers] == ["1", "0", "0"]
    assert answers[2].fault == ("429", "Too many requests.")
    assert "429" not in {answers[0].fault[0], answers[1].fault[0]}


# --- Repetitions ----------------------------------------------------------------------------------------------------


def test_a_call_with_an_idempotency_key_is_made_once(acme: Tenant) -> None:
    given = auth(acme) | {"DataRecordObject": {"Data": base64_of({"a": 1})}} | FLOW
    first = call("insertRecord", given, headers={"Idempotency-Key": "k"})
    assert "Idempotency-Replayed" not in first.response.headers
    again = post(message("insertRecord", given, namespace=ENV_12), headers={"Idempotency-Key": "k"})
    assert again.members == first.members
    assert again.response["Idempotency-Replayed"] == "true"
    assert Record.objects.count() == 1
    other = given | {"DataRecordObject": {"Data": base64_of({"a": 2})}}
    used = ("409", "The Idempotency-Key was used for another request.")
    assert call("insertRecord", other, headers={"Idempotency-Key": "k"}).fault == used
    rest = Client().post(
        "/v1/record?flow=intake", {"a": 1}, "application/json", headers=acme.headers | {"Idempotency-Key": "k"}
    )
    assert rest.json()["error"]["message"] == used[1]
    assert call("insertRecord", given, headers={"Idempotency-Key": "a b"}).fault[0] == "400"
    assert Record.objects.count() == 1


def test_reads_are_answered_anew_whatever_their_key(acme: Tenant, known: None) -> None:
    given = auth(acme) | {"DataRecordObject": {"Uuid": "known"}}
    assert call("getRecord", given, headers={"Idempotency-Key": "k"}).resource == "{}"
    Client().put("/v1/record/known", {"a": 1}, "application/json", headers=acme.headers)
    assert json.loads(call("getRecord", given, headers={"Idempotency-Key": "k"}).resource) == {"a": 1}


# --- Webhooks -------------------------------------------------------------------------------------------------------


def test_deliveries(acme: Tenant) -> None:
    uri = register_webhook(acme.workspace, name="orders", addresses="127.0.0.1", rate_limit=5).uri
    first = call("webhook", {"Uri": uri, "Payload": '{"n": 1}'}, headers={"Webhook-Id": "one"})
    assert (first.members["Code"], standing(first)) == ("201", ("5", "4"))
    again = call("webhook", {"Uri": uri, "Payload": '{"n": 1}'}, headers={"Webhook-Id": "one"})
    assert again.response["Idempotency-Replayed"] == "true"
    assert call("webhook", {"Uri": f"https://a.example/v1/webhook/{uri}/", "Payload": "[]"}).members["Code"] == "201"
    assert [event.payload for event in WebhookEvent.objects.order_by("pk")] == [{"n": 1}, []]
    for payload, text in [
        ("", "Payload is missing."),
        ("5", "The payload is neither an object nor an array."),
        ("{", "Payload: Not valid JSON: Expecting property name enclosed in double quotes at line 1, column 2."),
    ]:
        refused = call("webhook", {"Uri": uri, "Payload": payload})
        assert refused.fault in [("400", text), ("429", "Too many requests.")]
    assert WebhookEvent.objects.count() == 2


@pytest.mark.parametrize(
    ("fields", "address", "fault"),
    [
        ({"active": False}, "127.0.0.1", ("404", "The requested resource doesn't exist.")),
        ({"addresses": "127.0.0.1"}, "10.9.8.7", ("437", "Ip not valid.")),
    ],
)
def test_deliveries_that_are_refused(
    acme: Tenant, fields: dict[str, Any], address: str, fault: tuple[str, str]
) -> None:
    uri = register_webhook(acme.workspace, name="orders", **{"addresses": "0.0.0.0/0"} | fields).uri
    assert call("webhook", {"Uri": uri, "Payload": "{}"}, REMOTE_ADDR=address).fault == fault
    assert call("webhook", {"Payload": "{}"}).fault == ("400", "Uri is missing.")
    assert not WebhookEvent.objects.exists()


# --- The edge -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/json", "multipart/related", "application/x-www-form-urlencoded"]
)
def test_other_content_types(db: None, content_type: str) -> None:
    answer = post("<a/>", content_type)
    assert (answer.status, answer.fault[0]) == (415, "415")


def test_bodies_that_are_encoded(db: None) -> None:
    answer = post(b"\x1f\x8b", headers={"Content-Encoding": "gzip"})
    assert (answer.status, answer.fault) == (415, ("415", "The body must not be compressed or encoded otherwise."))
    assert post("<a/>", headers={"Content-Encoding": "identity"}).fault[0] == "400"


def test_a_body_over_the_limit(db: None, settings: Any) -> None:
    settings.BODY_LIMIT = settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    answer = post("<a>" + "x" * 998)
    assert (answer.status, answer.fault) == (413, ("413", "The request body is larger than 1000 bytes."))
    assert post("<a>" + "x" * 997).fault[0] == "400"


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH"])
def test_messages_come_by_post(db: None, method: str) -> None:
    response = Client().generic(method, PATH, b"<a/>", "text/xml")
    assert response.status_code == 405
    assert response["Allow"] == "GET, HEAD, POST, OPTIONS"
    if method != "HEAD":
        assert Answer(response).fault == ("405", "Send messages with POST; the WSDL is at ?wsdl.")
    options = Client().options(PATH)
    assert (options.status_code, options["Allow"]) == (200, response["Allow"])


def test_a_slash_at_the_end(acme: Tenant) -> None:
    response = Client().generic("POST", f"{PATH}/", message("getSchema", auth(acme)), "text/xml")
    assert Answer(response).fault == ("404", "There is no data schema.")


def test_rules_of_the_edge_are_told_as_faults(acme: Tenant, settings: Any) -> None:
    answer = call("getSchema", auth(acme), headers={"Host": "evil.example"})
    assert (answer.status, answer.fault[0]) == (400, "400")
    settings.REQUIRE_HTTPS = True
    answer = call("getSchema", auth(acme))
    assert (answer.status, answer.fault) == (403, ("403", "Calls must be made over HTTPS."))
    response = Client().generic("POST", PATH, b"<a/>", "application/soap+xml")
    assert Answer(response).envelope == ENV_12


def test_a_browser_of_another_site_needs_no_csrf_token(acme: Tenant) -> None:
    client = Client(enforce_csrf_checks=True)
    response = client.generic("POST", PATH, message("getSchema", auth(acme)), "text/xml")
    assert Answer(response).fault == ("404", "There is no data schema.")


# --- Costs, failures and logs -----------------------------------------------------------------------------------------


def test_statements_of_calls(acme: Tenant) -> None:
    given = auth(acme) | {"DataRecordObject": {"Data": base64_of([{}] * 100)}} | FLOW
    for _ in range(2):  # the first looks the caller and the data fields up
        with CaptureQueriesContext(
            connection,
        ) as statements:
            assert call("insertRecord", given).members["Code"] == "201"
    assert len(statements) <= 3
    uuid = Record.objects.first().uuid  # type: ignore[union-attr]
    with CaptureQueriesContext(connection) as statements:
        call("getRecord", auth(acme) | {"DataRecordObject": {"Uuid": uuid}})
    assert len(statements) == 2


@pytest.fixture
def lines() -> Iterator[list[dict[str, Any]]]:
    """What is logged, request lines included."""
    with structlog.testing.capture_logs([structlog.contextvars.merge_contextvars]) as found:
        yield found  # type: ignore[misc]


def test_a_fault_is_logged_as_a_request_and_not_as_an_error(acme: Tenant, lines: list[Any], caplog: Any) -> None:
    caplog.set_level(logging.DEBUG)
    answer = call("getRecord", auth(acme) | {"DataRecordObject": {"Uuid": "nope"}})
    (line,) = [line for line in lines if line["event"] == "request"]
    assert (line["log_level"], line["status"], line["operation"], line["fault"]) == ("info", 500, "getRecord", 404)
    assert line["fault_id"] == answer.child.findtext("faultactor")
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
    assert acme.api_key not in str(lines)


def test_what_nobody_foresaw_is_a_fault_that_leads_to_the_log(
    acme: Tenant, lines: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*given: Any) -> None:
        raise ZeroDivisionError("secret words")

    monkeypatch.setattr(exchange, "count_call", broken)
    answer = flow(acme, auth(acme))
    assert (answer.status, answer.fault) == (500, ("500", "We had a problem with our server. Try again later."))
    assert b"secret words" not in answer.response.content
    (line,) = [line for line in lines if line["log_level"] == "error"]
    assert (line["event"], line["error"]) == ("request failed", "ZeroDivisionError")
    assert line["fault_id"] == answer.child.findtext("faultactor")


def test_a_database_that_is_away(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*given: Any) -> None:
        raise OperationalError

    monkeypatch.setattr(exchange, "count_call", away)
    answer = flow(acme, auth(acme))
    assert (answer.status, answer.fault[0], answer.response["Retry-After"]) == (503, "503", "2")
    assert post(message("getSchema", auth(acme), namespace=ENV_12)).status == 503
