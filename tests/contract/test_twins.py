"""Every read in both formats, by its tag, without its body and by some of its fields."""

import json
import re
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.test import Client

from tests.contract.bad_inputs import credentials
from tests.contract.builders import filled, schema_body
from tests.contract.stage import Stage
from tests.contract.xml_reader import read_answer


@dataclass(frozen=True)
class Read:
    """A call that reads, the call that changes what it reads, and a field to choose from the answer."""

    name: str
    path: str
    change: tuple[str, str, str]
    chosen: str
    headers: dict[str, str] = field(default_factory=dict)
    change_headers: dict[str, str] = field(default_factory=dict)
    given: tuple[str, ...] = ()
    change_status: int = 200
    bare: bool = False


PUT_RECORD = ("PUT", "/v1/record/first", '{"client":[]}')
READS = [
    Read(
        "schema",
        "/v1/schema",
        ("PUT", "/v1/schema", schema_body({"title": "new"})),
        "url",
        given=("schema",),
        change_status=201,
    ),
    Read("record", "/v1/record", PUT_RECORD, "info.status", {"X-Uuid": "${record}"}),
    Read("record by path", "/v1/record/${record}", PUT_RECORD, "info.status"),
    Read(
        "search",
        "/v1/record/search",
        ("POST", "/v1/record", '{"client":[]}'),
        "records.uuid",
        given=("record",),
        change_headers={"X-Flow": "intake"},
        change_status=201,
    ),
    Read(
        "flow",
        "/v1/flowdiagram",
        ("PUT", "/v1/changeflowstatus", ""),
        "current_flow.status",
        {"X-Flow": "intake"},
        {"X-Flow": "intake", "X-Status": "paused"},
    ),
    Read(
        "key",
        "/v1/keystore/${keystore}/london",
        ("PUT", "/v1/keystore/weather/london", '{"a":1}'),
        "temp.max",
        bare=True,
    ),
    Read("row", "/v1/tables/${table}/${row}", ("PUT", "/v1/tables/people/${row}", '{"age":77}'), "data.age", bare=True),
]
every_read = pytest.mark.parametrize("read", READS, ids=[read.name for read in READS])


@pytest.fixture
def stage(acme: Any, rival: Any) -> Stage:
    """Both tenants."""
    return Stage(acme, rival)


def get(stage: Stage, read: Read, method: str = "GET", **more: Any) -> Any:
    """The read, with more headers and ``query``."""
    for name in read.given:
        stage.named(name)
    query = more.pop("query", {})
    own = {name: filled(value, stage.named) for name, value in read.headers.items()}
    headers = credentials("keys", stage) | own | {name.replace("_", "-"): value for name, value in more.items()}
    return Client().generic(method, filled(read.path, stage.named), headers=headers, query_params=query)


def change(stage: Stage, read: Read) -> None:
    """Change what is read."""
    method, path, body = (filled(part, stage.named) for part in read.change)
    headers = credentials("keys", stage) | read.change_headers
    answer = Client().generic(method, path, body, "application/json" if body else "", headers=headers)
    assert answer.status_code == read.change_status, answer.content


@every_read
def test_xml_says_what_json_says(stage: Stage, read: Read) -> None:
    as_json, as_xml = get(stage, read, Accept="application/json"), get(stage, read, Accept="application/xml")
    assert (as_json.status_code, as_xml.status_code) == (200, 200)
    assert as_json["Content-Type"] == "application/json"
    assert as_xml["Content-Type"].startswith("application/xml")
    assert read_answer(as_xml.content) == as_json.json()
    assert as_json["ETag"] != as_xml["ETag"]


@every_read
def test_the_content_type_chooses_where_nothing_else_does(stage: Stage, read: Read) -> None:
    answer = get(stage, read, Content_Type="application/xml", Accept="*/*")
    assert answer["Content-Type"].startswith("application/xml")
    assert read_answer(answer.content) == get(stage, read).json()


@every_read
def test_refusals_come_in_the_format_that_was_asked_for(stage: Stage, read: Read) -> None:
    nobody = {"X_Apikey": "0" * 64}
    as_json, as_xml = get(stage, read, **nobody), get(stage, read, Accept="application/xml", **nobody)
    assert (as_json.status_code, as_xml.status_code) == (401, 401)
    assert read_answer(as_xml.content) == as_json.json()


@every_read
@pytest.mark.parametrize("accept", ["application/json", "application/xml"])
def test_tag_until_something_changes(stage: Stage, read: Read, accept: str) -> None:
    first = get(stage, read, Accept=accept)
    assert re.fullmatch(r'"[\x21\x23-\x7e]+"', first["ETag"])
    same = get(stage, read, Accept=accept, If_None_Match=first["ETag"])
    assert (same.status_code, same.content) == (304, b"")
    kept = ("ETag", "Vary", "Cache-Control", "X-RateLimit-Limit")
    assert [same[name] for name in kept] == [first[name] for name in kept]
    change(stage, read)
    changed = get(stage, read, Accept=accept, If_None_Match=first["ETag"])
    assert changed.status_code == 200
    assert changed["ETag"] != first["ETag"]
    assert get(stage, read, Accept=accept, If_None_Match=changed["ETag"]).status_code == 304


@every_read
def test_tag_of_one_tenant_says_nothing_to_another(stage: Stage, read: Read) -> None:
    tag = get(stage, read)["ETag"]
    answer = get(stage, read, X_Apikey=stage.rival.api_key, X_App=stage.rival.app, If_None_Match=tag)
    assert answer.status_code in (200, 404)


@every_read
def test_head_says_what_get_says(stage: Stage, read: Read) -> None:
    wanted, head = get(stage, read), get(stage, read, "HEAD")
    assert (head.status_code, head.content) == (200, b"")
    volatile = {"X-Request-Id", "X-RateLimit-Remaining", "X-RateLimit-Reset", "Date"}
    said = [{name: value for name, value in answer.items() if name not in volatile} for answer in (wanted, head)]
    assert said[0] == said[1]
    assert head["Content-Length"] == str(len(wanted.content))


@every_read
def test_options_need_no_credentials(stage: Stage, read: Read) -> None:
    path = filled(read.path, stage.named)
    answer = Client().options(path)
    refused = Client().generic("TRACE", path)
    assert (answer.status_code, refused.status_code) == (200, 405)
    assert answer["Allow"] == refused["Allow"]
    assert {"GET", "HEAD", "OPTIONS"} <= set(answer["Allow"].split(", "))


@every_read
def test_trailing_slash_changes_nothing(stage: Stage, read: Read) -> None:
    plain = get(stage, read)
    slashed = get(stage, Read(read.name, f"{read.path}/", read.change, read.chosen, read.headers))
    assert (plain.status_code, slashed.status_code) == (200, 200)
    assert (slashed.content, slashed["ETag"]) == (plain.content, plain["ETag"])


@every_read
def test_chosen_fields(stage: Stage, read: Read) -> None:
    whole, part = get(stage, read).json(), get(stage, read, query={"fields": read.chosen})
    assert part.status_code == 200, part.content
    given = part.json() if read.bare else part.json()["resource"]
    assert given == only(read.chosen.split("."), whole if read.bare else whole["resource"])
    unknown = get(stage, read, query={"fields": f"{read.chosen},nosuchfield"})
    assert unknown.status_code == 400
    assert "nosuchfield" in unknown.json()["error"]["message"]


def only(path: list[str], value: Any) -> Any:
    """The value with nothing but that path in it, through lists."""
    if not path:
        return value
    if isinstance(value, list):
        return [only(path, item) for item in value]
    return {path[0]: only(path[1:], value[path[0]])}


@every_read
def test_dates_of_change_are_conditions_too(stage: Stage, read: Read) -> None:
    first = get(stage, read)
    if "Last-Modified" not in first.headers:
        pytest.skip("has no date of its last change")
    same = get(stage, read, If_Modified_Since=first["Last-Modified"])
    assert (same.status_code, same.content) == (304, b"")
    assert get(stage, read, If_Modified_Since="Thu, 19 Nov 1981 08:52:00 GMT").status_code == 200


def test_tokens_are_not_for_keeping(stage: Stage) -> None:
    headers = credentials("client", stage) | {"grant_type": "client_credentials"}
    for answer in (Client().get("/v1/checkauthentication", headers=headers),):
        assert answer.status_code == 200
        assert answer["Cache-Control"] == "no-store"
        assert not answer.has_header("ETag")
        assert json.loads(answer.content)["resource"]["access_token"]
