"""Conditional reads and changes of keys."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.keystores.models import Keystore
from tests.conftest import Tenant
from tests.keystores.conftest import LONDON, MADRID, STRUCTURE, Call, fill, stored


def test_whoever_has_the_document_is_told_so(call: Call, weather: Keystore) -> None:
    fill(weather, london=LONDON)
    first = call("GET", "weather/london")
    assert first["Cache-Control"] == "private, no-cache"
    with CaptureQueriesContext(connection) as captured:
        again = call("GET", "weather/london", If_None_Match=first["ETag"])
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    assert len(captured) == 2
    assert "data" not in captured[1]["sql"]
    dated = call("GET", "weather/london", If_Modified_Since=first["Last-Modified"])
    assert (dated.status_code, dated.content) == (304, b"")
    call("PUT", "weather/london", LONDON)
    assert call("GET", "weather/london", If_None_Match=first["ETag"]).status_code == 200


def test_formats_have_tags_of_their_own(call: Call, weather: Keystore) -> None:
    fill(weather, london=LONDON)
    tags = {call("GET", "weather/london", kind=kind)["ETag"] for kind in ("application/json", "text/plain")}
    assert len(tags) == 2


def test_a_key_made_again_has_another_tag(call: Call, weather: Keystore) -> None:
    call("PUT", "weather/london", LONDON)
    tag = call("GET", "weather/london")["ETag"]
    call("DELETE", "weather/london")
    call("PUT", "weather/london", LONDON)
    assert call("GET", "weather/london", If_None_Match=tag).status_code == 200


def test_a_change_of_what_was_read(call: Call, weather: Keystore) -> None:
    fill(weather, london=LONDON)
    tag = call("GET", "weather/london")["ETag"]
    assert call("PUT", "weather/london", MADRID, If_Match=tag).status_code == 200
    assert call("PUT", "weather/london", {}, If_Match=tag).status_code == 412
    assert call("DELETE", "weather/london", If_Match=tag).status_code == 412
    assert stored(weather) == {"london": MADRID}
    tag = call("GET", "weather/london", kind="text/plain")["ETag"]
    assert call("DELETE", "weather/london", If_Match=tag).status_code == 200
    assert stored(weather) == {}


def test_a_change_of_a_key_that_is_missing(call: Call, weather: Keystore) -> None:
    assert call("PUT", "weather/k", {}, If_Match="*").status_code == 412
    assert call("DELETE", "weather/k", If_Match="*").status_code == 412
    assert call("GET", "weather/k", If_Match="*").status_code == 412
    assert call("PUT", "nope/k", {}, If_Match="*").status_code == 404
    assert stored(weather) == {}


def test_only_new_keys(call: Call, weather: Keystore) -> None:
    assert call("PUT", "weather/k", LONDON, If_None_Match="*").status_code == 200
    assert call("PUT", "weather/k", MADRID, If_None_Match="*").status_code == 412
    assert call("POST", "weather/k", MADRID, If_None_Match="*").status_code in (409, 412)
    assert stored(weather) == {"k": LONDON}


def test_an_unreadable_body_is_no_matter_of_conditions(call: Call, weather: Keystore) -> None:
    fill(weather, k=LONDON)
    assert call("PUT", "weather/k", "{", If_Match="*").status_code == 400
    assert call("PUT", "weather/k", "text", "text/plain", If_Match="*").status_code == 400
    assert stored(weather) == {"k": LONDON}


def at_once(number: int, method: str, path: str, headers: dict[str, str], body: Any = "{}") -> list[int]:
    """The statuses of calls at the same time, the body's ``{n}`` being the number of each."""

    def send(n: int) -> int:
        try:
            text = body.replace("{n}", str(n))
            return Client().generic(method, path, text, "application/json", headers=headers).status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(number) as pool:
        return sorted(pool.map(send, range(number)))


@pytest.mark.django_db(transaction=True)
def test_of_parallel_changes_of_the_same_state_one_succeeds(call: Call, acme: Tenant, weather: Keystore) -> None:
    fill(weather, london=LONDON)
    match = {"If-Match": call("GET", "weather/london")["ETag"]}
    path = "/v1/keystore/weather/london"
    assert at_once(4, "PUT", path, acme.headers | match) == [200, 412, 412, 412]
    assert at_once(4, "PUT", "/v1/keystore/weather/new", acme.headers | {"If-None-Match": "*"}) == [200, 412, 412, 412]
    match = {"If-Match": call("GET", "weather/london")["ETag"]}
    assert at_once(4, "DELETE", path, acme.headers | match, "")[:2] == [200, 412]


@pytest.mark.django_db(transaction=True)
def test_of_parallel_inserts_one_succeeds(acme: Tenant, weather: Keystore) -> None:
    statuses = at_once(20, "POST", "/v1/keystore/weather/race", acme.headers, '{"n":{n}}')
    assert statuses == [200] + [409] * 19
    assert list(stored(weather)) == ["race"]


@pytest.mark.django_db(transaction=True)
def test_parallel_reads_make_one_key(acme: Tenant, weather: Keystore) -> None:
    assert at_once(20, "GET", "/v1/keystore/weather/absent", acme.headers, "") == [200] * 20
    assert stored(weather) == {"absent": STRUCTURE}


@pytest.mark.django_db(transaction=True)
def test_parallel_writes_each_count(acme: Tenant, weather: Keystore) -> None:
    assert at_once(8, "PUT", "/v1/keystore/weather/k", acme.headers, '{"n":{n}}') == [200] * 8
    assert weather.items.get().version == 8
