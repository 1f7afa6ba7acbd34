"""``/v1/keystore/{keystore_id}/{key}``."""

import json
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client

from apps.keystores.models import Keystore, KeystoreItem
from tests.conftest import Tenant
from tests.keystores.conftest import LONDON, MADRID, STRUCTURE, Call, fill, make_keystore, stored

PLAIN = "text/plain"
writes = pytest.mark.parametrize("method", ["POST", "PUT"])


def refused(response: Any, status: int, message: str) -> None:
    assert (response.status_code, response.json()["error"]["message"]) == (status, message)
    assert list(response.json()) == ["id", "code", "request-ip", "resource", "message", "error"]


def test_a_key_holds_what_was_stored(call: Call, weather: Keystore) -> None:
    created = call("POST", "weather/london", LONDON)
    assert (created.status_code, created.json()) == (200, LONDON)
    read = call("GET", "weather/london")
    assert (read.status_code, read.json(), read["Content-Type"]) == (200, LONDON, "application/json")
    assert stored(weather) == {"london": LONDON}


def test_a_document_comes_back_with_its_keys_in_order_and_its_numbers(call: Call, weather: Keystore) -> None:
    text = '{"b":1.0,"a":[],"aa":{"z":1e-07,"y":-0.0},"é":"/","n":null,"big":9223372036854775807,"h":1e+300}'
    assert call("PUT", "weather/k", text).content.decode() == text
    assert call("GET", "weather/k").content.decode() == text


@pytest.mark.parametrize("value", ["text", "", 5, 2.5, True, None, [], [1, {"a": None}], {}])
def test_any_json_value_can_be_kept(call: Call, weather: Keystore, value: Any) -> None:
    assert call("PUT", "weather/k", json.dumps(value)).json() == value
    assert call("GET", "weather/k").json() == value


def test_a_missing_key_is_made_with_the_structure(call: Call, weather: Keystore) -> None:
    assert stored(weather) == {}
    response = call("GET", "weather/oslo")
    assert (response.status_code, response.content) == (200, json.dumps(STRUCTURE, separators=(",", ":")).encode())
    assert stored(weather) == {"oslo": STRUCTURE}
    assert call("POST", "weather/oslo", LONDON).status_code == 409


def test_a_changed_structure_is_for_later_keys(call: Call, weather: Keystore) -> None:
    call("GET", "weather/first")
    Keystore.objects.update(structure='{"other":1}')
    assert call("GET", "weather/first").json() == STRUCTURE
    assert call("GET", "weather/second").json() == {"other": 1}


def test_head_never_makes_a_key(call: Call, weather: Keystore) -> None:
    response = call("HEAD", "weather/oslo")
    assert (response.status_code, response.content) == (404, b"")
    assert stored(weather) == {}
    fill(weather, oslo=LONDON)
    head, get = call("HEAD", "weather/oslo"), call("GET", "weather/oslo")
    assert (head.status_code, head.content) == (200, b"")
    assert (head["ETag"], head["Content-Length"]) == (get["ETag"], get["Content-Length"])


def test_post_leaves_a_key_that_is_there(call: Call, weather: Keystore) -> None:
    fill(weather, london=LONDON)
    refused(call("POST", "weather/london", MADRID), 409, "The key exists already: replace it with PUT.")
    assert stored(weather) == {"london": LONDON}


def test_put_replaces_the_whole_document_or_makes_the_key(call: Call, weather: Keystore) -> None:
    assert call("PUT", "weather/london", LONDON).json() == LONDON
    assert call("PUT", "weather/london", {"temp": 16}).json() == {"temp": 16}
    assert stored(weather) == {"london": {"temp": 16}}


def test_delete(call: Call, weather: Keystore) -> None:
    fill(weather, london=LONDON, madrid=MADRID)
    response = call("DELETE", "weather/london")
    assert response.status_code == 200
    assert response.json() == {
        "id": "ok",
        "code": 200,
        "request-ip": "127.0.0.1",
        "resource": None,
        "message": "Successfully deleted key london in keystore weather",
        "error": None,
    }
    assert stored(weather) == {"madrid": MADRID}
    refused(call("DELETE", "weather/london"), 404, "There is no such key.")


@pytest.mark.parametrize("keystore", ["nope", "WEATHER", "a.b", "x" * 65, "%00", "%ff%fe", "..%2f..%2fetc", "'--"])
def test_an_unknown_keystore(call: Call, weather: Keystore, keystore: str) -> None:
    for method in ("GET", "PUT", "POST", "DELETE"):
        assert call(method, f"{keystore}/k", None if method in ("GET", "DELETE") else LONDON).status_code == 404
    assert call("POST", keystore, {}).status_code == 404
    assert stored(weather) == {}


KEYS = ["a.b", "...", " ", "two words", "ключ", "日本", "ÄÖ", "100%", "%41", "a'b\"c", "a;b&c=d?e#f", "-1", "x" * 255]


@pytest.mark.parametrize("key", KEYS)
def test_keys_are_any_printable_text(call: Call, weather: Keystore, key: str) -> None:
    path = f"weather/{quote(key)}"
    assert call("PUT", path, {"k": key}).status_code == 200
    assert call("GET", path).json() == {"k": key}
    assert stored(weather) == {key: {"k": key}}
    deleted = call("DELETE", path)
    assert deleted.json()["message"] == f"Successfully deleted key {key} in keystore weather"
    assert stored(weather) == {}


LENGTH, PRINTABLE = "A key is a text of 1 to 255 characters.", "A key holds printable characters only."


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("x" * 256, LENGTH),
        ("a%0Ab", PRINTABLE),
        ("a%00", PRINTABLE),
        ("%7F", PRINTABLE),
        ("%C2%85", PRINTABLE),
        ("%E2%80%AE", PRINTABLE),
        ("%2E", "A key holds no slash, and is neither . nor .. itself."),
    ],
)
def test_other_keys_are_refused(call: Call, weather: Keystore, key: str, message: str) -> None:
    for method in ("GET", "PUT", "POST", "DELETE"):
        refused(call(method, f"weather/{key}", None if method in ("GET", "DELETE") else {}), 400, message)
    assert stored(weather) == {}


def test_keys_differ_in_case_and_a_slash_at_the_end_does_not_count(call: Call, weather: Keystore) -> None:
    call("PUT", "weather/London", 1)
    call("PUT", "weather/london/", 2)
    assert stored(weather) == {"London": 1, "london": 2}
    assert call("GET", "weather/a/b").status_code == 404


@writes
@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("{", "Not valid JSON: Expecting property name enclosed in double quotes at line 1, column 2."),
        ('{"a":1,"a":2}', "The key 'a' is given twice."),
        ('{"a":NaN}', "/a: NaN is no JSON number."),
        ('"\\u0000"', "The string holds a NUL character."),
        ("", "The body is empty."),
        (b'"\xff"', "The document is not UTF-8: byte 2 cannot be read."),
    ],
)
def test_a_json_keystore_refuses_what_is_no_json(
    call: Call, weather: Keystore, method: str, body: Any, message: str
) -> None:
    refused(call(method, "weather/k", body), 400, message)
    assert stored(weather) == {}


@writes
def test_json_may_come_as_plain_text(call: Call, weather: Keystore, method: str) -> None:
    response = call(method, "weather/k", ' { "b" : 1, "a" : "x/y" } ', PLAIN)
    assert (response.content, response["Content-Type"]) == (b'{"b":1,"a":"x/y"}', "text/plain; charset=utf-8")
    assert call("GET", "weather/k").json() == {"b": 1, "a": "x/y"}
    for text in ("{", "", "text"):
        assert call("PUT", "weather/k", text, PLAIN).status_code == 400
    assert stored(weather) == {"k": {"b": 1, "a": "x/y"}}


def test_plain_text_shows_json_as_it_is_written(call: Call, weather: Keystore) -> None:
    fill(weather, text="two words", number=5)
    assert call("GET", "weather/text", kind=PLAIN).content == b'"two words"'
    assert call("GET", "weather/number", kind=PLAIN).content == b"5"
    assert call("PUT", "weather/again", '"two words"', PLAIN).content == b'"two words"'


TEXTS = [
    "",
    " ",
    "\r\n",
    "a\tb\r\nc\n",
    "<b>bold</b>",
    '{"a": 1}',
    '"quoted"',
    "\ufeffmark",
    "Zoë 😀",
    "a/b\\c",
    "x" * 100_000,
]


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_a_raw_keystore_keeps_texts_to_the_letter(call: Call, notes: Keystore, text: str) -> None:
    response = call("PUT", "notes/k", text, PLAIN)
    assert (response.status_code, response.content.decode()) == (200, text)
    read = call("GET", "notes/k", kind=PLAIN)
    assert (read.content.decode(), read.get("Content-Type")) == (text, "text/plain; charset=utf-8" if text else None)
    assert read["X-Content-Type-Options"] == "nosniff"
    as_json = call("GET", "notes/k")
    assert (as_json.json(), as_json["Content-Type"]) == (text, "application/json")


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_what_a_raw_keystore_answers_as_json_can_be_sent_back(call: Call, notes: Keystore, text: str) -> None:
    call("PUT", "notes/k", text, PLAIN)
    answer = call("GET", "notes/k").content
    assert call("PUT", "notes/copy", answer).content == answer
    assert stored(notes) == {"k": text, "copy": text}


@pytest.mark.parametrize("source", ['{ "a" : [1.50, 2] }', "[]", "5", "null", " true\n"])
def test_other_json_is_kept_by_a_raw_keystore_as_it_was_sent(call: Call, notes: Keystore, source: str) -> None:
    assert call("PUT", "notes/k", source).json() == source
    assert call("GET", "notes/k", kind=PLAIN).content.decode() == source


def test_a_raw_keystore_refuses_what_is_no_text(call: Call, notes: Keystore) -> None:
    for body, message in (
        (b"\xff", "The text is not UTF-8: byte 1 cannot be read."),
        ("\0", "The string holds a NUL character."),
    ):
        response = call("PUT", "notes/k", body, PLAIN)
        assert (response.status_code, json.loads(response.content)["error"]["message"]) == (400, message)
    assert call("PUT", "notes/k", "{").status_code == 400
    assert call("PUT", "notes/k", "é".encode("latin-1"), "text/plain; charset=latin-1").status_code == 415
    assert stored(notes) == {}


def test_the_structure_of_a_raw_keystore(call: Call, acme: Tenant) -> None:
    make_keystore(acme, "letters", kind="raw", structure="Dear …,\n")
    assert call("GET", "letters/k", kind=PLAIN).content.decode() == "Dear …,\n"
    assert call("GET", "letters/k").json() == "Dear …,\n"


@pytest.mark.parametrize("kind", ["", "application/x-www-form-urlencoded", "text/html", "application/octet-stream"])
def test_bodies_of_other_types(call: Call, weather: Keystore, notes: Keystore, kind: str) -> None:
    for path in ("weather/k", "notes/k"):
        assert call("PUT", path, "a=b", kind).status_code == 415
    assert (stored(weather), stored(notes)) == ({}, {})


def test_errors_in_plain_text(call: Call, weather: Keystore) -> None:
    response = call("DELETE", "weather/k", kind=PLAIN)
    assert (response.status_code, response["Content-Type"]) == (404, "text/plain; charset=utf-8")
    assert json.loads(response.content)["error"]["message"] == "There is no such key."


def test_a_body_over_the_limit(call: Call, weather: Keystore, notes: Keystore, settings: Any) -> None:
    settings.BODY_LIMIT = settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    for path in ("weather/k", "notes/k"):
        assert call("PUT", path, "1" * 101).status_code == 413
        assert call("PUT", path, "1" * 101, PLAIN).status_code == 413
    assert (stored(weather), stored(notes)) == ({}, {})


def test_deep_documents_are_refused(call: Call, weather: Keystore) -> None:
    text = "[" * 101 + "]" * 101
    assert call("PUT", "weather/k", text).status_code == call("PUT", "weather/k", text, PLAIN).status_code == 400
    assert call("PUT", "weather/k", "[" * 100 + "]" * 100).status_code == 200


@pytest.mark.parametrize("style", ["project", "project in URL", "keys", "keys in URL", "name", "token"])
def test_every_style_of_credentials(client: Client, acme: Tenant, weather: Keystore, style: str) -> None:
    headers, query = {}, ""
    if style == "token":
        resource = client.get("/v1/checkauthentication", headers=acme.client_headers).json()["resource"]
        headers = {"Authorization": f"Bearer {resource['access_token']}"}
    elif style.endswith("URL"):
        query = f"?api_key={acme.api_key}" + (f"&app_key={acme.keys.app_key}" if style.startswith("keys") else "")
    else:
        named = {"keys": {"X-App": acme.keys.app_key}, "name": {"X-App": acme.keys.name}}.get(style, {})
        headers = {"X-Apikey": acme.api_key} | named
    path = f"/v1/keystore/weather/london{query}"
    kind = "application/json"
    assert client.put(path, LONDON, kind, headers=headers).json() == LONDON
    assert client.get(path, headers=headers).json() == LONDON
    assert client.post(f"/v1/keystore/weather{query}", {}, kind, headers=headers).status_code == 200
    assert client.delete(path, headers=headers).status_code == 200
    assert client.post(path, MADRID, kind, headers=headers).json() == MADRID


def test_reading_is_enough_of_a_right_to_read(client: Client, acme: Tenant, call: Call, weather: Keystore) -> None:
    narrow = {"X_Scopes": "keystore.read"}
    assert call("GET", "weather/oslo", **narrow).json() == STRUCTURE
    assert call("POST", "weather", {}, **narrow).status_code == 200
    for method in ("POST", "PUT", "DELETE"):
        refused(call(method, "weather/oslo", LONDON, **narrow), 401, "The permissions are not correct.")
    assert stored(weather) == {"oslo": STRUCTURE}


def test_another_tenants_keystore_is_missing(client: Client, acme: Tenant, rival: Tenant, weather: Keystore) -> None:
    fill(weather, london=LONDON)
    for method, body in (("GET", ""), ("HEAD", ""), ("PUT", "{}"), ("POST", "{}"), ("DELETE", "")):
        for key in ("london", "new"):
            path = f"/v1/keystore/weather/{key}"
            assert client.generic(method, path, body, "application/json", headers=rival.headers).status_code == 404
    assert client.post("/v1/keystore/weather", {}, "application/json", headers=rival.headers).status_code == 404
    assert stored(weather) == {"london": LONDON}
    own = make_keystore(rival)
    client.put("/v1/keystore/weather/london", {"mine": 1}, "application/json", headers=rival.headers)
    assert (stored(own), stored(weather)) == ({"london": {"mine": 1}}, {"london": LONDON})


def test_another_workspace_of_the_project_has_its_own(
    client: Client, acme: Tenant, weather: Keystore, settings: Any
) -> None:
    from apps.accounts.models import Workspace

    settings.ALLOWED_HOSTS = ["*"]
    deployed = Workspace.objects.create(project=acme.project, api_host="api.example")
    there = {"headers": acme.headers, "HTTP_HOST": "api.example"}
    assert client.get("/v1/keystore/weather/k", **there).status_code == 404
    Keystore.objects.create(workspace=deployed, identifier="weather", structure="[]")
    assert client.get("/v1/keystore/weather/k", **there).json() == []
    assert client.get("/v1/keystore/weather/k", headers=acme.headers).json() == STRUCTURE
    assert KeystoreItem.objects.count() == 2
