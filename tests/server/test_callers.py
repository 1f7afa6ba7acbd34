"""Who is refused, and in which words, seen on the wire."""

import time
from typing import Any

import pytest
import requests

from flowize.demo.content import SAMPLE
from tests.server.installation import Demo, Installation, client_headers, key_headers

pytestmark = [pytest.mark.server, pytest.mark.xdist_group("server")]


def refusal(status: int, slug: str, code: int, message: str) -> tuple[int, dict[str, Any]]:
    """Status and envelope of a refused call."""
    return status, {
        "id": slug,
        "code": status,
        "request-ip": "127.0.0.1",
        "resource": [],
        "message": None,
        "error": {"code": code, "message": message},
    }


def said(answer: requests.Response) -> tuple[int, Any]:
    """Status and envelope of an answer."""
    return answer.status_code, answer.json()


def insert(shipped: Installation, headers: dict[str, str], uuid: str) -> tuple[int, Any]:
    flow = {"X-Flow": "client_intake", "X-Uuid": uuid}
    answer = said(shipped.call("POST", "/v1/record", headers | flow, SAMPLE))
    assert shipped.database.rows("SELECT 1 FROM records_record WHERE uuid = %s", uuid) == []
    return answer


WRONG = refusal(401, "unauthorized", 401, "The credentials are not correct.")


def wrong_keys(acme: Demo) -> list[dict[str, str]]:
    good = key_headers(acme)
    return [
        {},
        {"X-App": good["X-App"]},
        good | {"X-Apikey": "0" * 64},
        good | {"X-Apikey": acme["organization_api_key"]},
        good | {"X-App": "0" * 32},
        good | {"X-App": acme["client_id"]},
    ]


def test_wrong_keys_are_401(shipped: Installation) -> None:
    answers = [insert(shipped, headers, "wrong-keys") for headers in wrong_keys(shipped.acme)]

    assert answers == [WRONG] * 6


def test_wrong_client_secret_is_401_and_buys_nothing(shipped: Installation) -> None:
    bought = shipped.database.rows("SELECT count(*) FROM oauth2_provider_accesstoken")
    wrong = client_headers(shipped.acme) | {"client_secret": shipped.rival["client_secret"]}
    answer = shipped.call("GET", "/v1/checkauthentication", wrong)

    assert said(answer) == WRONG
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="flowize"'
    assert shipped.database.rows("SELECT count(*) FROM oauth2_provider_accesstoken") == bought


def test_token_never_issued_is_403_with_436(shipped: Installation) -> None:
    bearer = {"Authorization": "Bearer " + "0" * 64}

    assert insert(shipped, bearer, "bad-token") == refusal(403, "forbidden", 436, "Access token not valid.")


def test_token_that_has_expired_is_403_with_436(shipped: Installation) -> None:
    bearer = {"Authorization": f"Bearer {shipped.token(shipped.acme)}"}
    shipped.database.rows("UPDATE oauth2_provider_accesstoken SET expires = now()")

    assert insert(shipped, bearer, "old-token") == refusal(403, "forbidden", 436, "Access token not valid.")


def test_token_that_is_revoked_stops_working_within_a_second(shipped: Installation) -> None:
    bearer = {"Authorization": f"Bearer {shipped.token(shipped.acme)}"}
    for _ in range(4):  # both web processes remember it
        assert shipped.call("GET", "/v1/record/none", bearer).status_code == 404
    shipped.database.rows("DELETE FROM oauth2_provider_accesstoken")
    time.sleep(1.1)

    assert [shipped.call("GET", "/v1/record/none", bearer).status_code for _ in range(4)] == [403] * 4


def test_address_outside_the_list_is_403_with_437(shipped: Installation) -> None:
    elsewhere = key_headers(shipped.acme) | {"X-App": shipped.elsewhere_app_key}
    expected = refusal(403, "forbidden", 437, "Ip not valid.")

    assert insert(shipped, elsewhere, "elsewhere-1") == expected
    assert insert(shipped, elsewhere | {"X-Forwarded-For": "10.0.0.1"}, "elsewhere-2") == expected


def test_scope_that_is_not_granted_is_401(shipped: Installation) -> None:
    narrow = key_headers(shipped.acme) | {"X-App": shipped.acme["narrow_app_key"]}

    assert insert(shipped, narrow, "narrow") == refusal(401, "unauthorized", 401, "The permissions are not correct.")


def test_record_of_another_tenant_does_not_exist(shipped: Installation) -> None:
    assert shipped.insert("acme-only").status_code == 201
    own = shipped.call("GET", "/v1/record/acme-only", key_headers(shipped.acme))
    others = shipped.call("GET", "/v1/record/acme-only", key_headers(shipped.rival))
    none = shipped.call("GET", "/v1/record/no-such", key_headers(shipped.rival))

    assert own.status_code == 200
    assert said(others) == said(none) == refusal(404, "not-found", 404, "There is no such data record.")


def test_two_tenants_may_use_one_uuid(shipped: Installation) -> None:
    for tenant in (shipped.acme, shipped.rival):
        headers = key_headers(tenant) | {"X-Uuid": "same-uuid"}
        assert shipped.call("POST", "/v1/record", headers, SAMPLE).status_code == 201
    again = shipped.call("POST", "/v1/record", key_headers(shipped.rival) | {"X-Uuid": "same-uuid"}, SAMPLE)

    assert said(again) == refusal(409, "conflict", 409, "The uuid is taken by another data record.")
