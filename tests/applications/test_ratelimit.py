from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.db.models import F
from django.test import Client

from apps.accounts.models import Project
from apps.applications.authentication import ProjectKey, authenticate
from apps.applications.models import Application, RateWindow
from apps.applications.ratelimit import RateState, count_call
from apps.core.errors import TooManyRequests
from tests.conftest import Tenant

Buy = Callable[..., dict[str, Any]]
PATH = "/v1/flowdiagram?flow_name=intake"
NAMES = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")


def limit(tenant: Tenant, requests: int) -> None:
    Application.objects.update(rate_limit=requests)


def standing(response: Any) -> tuple[int, ...]:
    return (response.status_code, *(int(response[name]) for name in NAMES))


def test_the_headers_count_down_to_the_limit(client: Client, acme: Tenant) -> None:
    limit(acme, 3)
    seen = [standing(client.get(PATH, headers=acme.headers)) for _ in range(5)]
    # The database's clock stands still in a transaction, so the window is whole.
    assert seen == [(200, 3, 2, 3600), (200, 3, 1, 3600), (200, 3, 0, 3600), (429, 3, 0, 3600), (429, 3, 0, 3600)]


def test_the_refusal_says_when_to_come_back(client: Client, acme: Tenant) -> None:
    limit(acme, 1)
    client.get(PATH, headers=acme.headers)
    RateWindow.objects.update(started=F("started") - timedelta(seconds=3000))
    response = client.get(PATH, headers=acme.headers)
    assert (response.status_code, response["Retry-After"], response["X-RateLimit-Reset"]) == (429, *["600"] * 2)
    assert response.json()["error"] == {"code": 429, "message": "Too many requests."}
    assert response.json()["id"] == "too-many-requests"


@pytest.mark.parametrize(("age", "status"), [(3590, 429), (3601, 200)])
def test_a_new_window_begins_when_the_old_one_is_over(client: Client, acme: Tenant, age: int, status: int) -> None:
    limit(acme, 2)
    for _ in range(3):
        client.get(PATH, headers=acme.headers)
    RateWindow.objects.update(started=F("started") - timedelta(seconds=age))
    response = client.get(PATH, headers=acme.headers)
    assert response.status_code == status
    if status == 200:
        assert standing(response) == (200, 2, 1, 3600)


def test_the_window_is_a_setting(client: Client, acme: Tenant, settings: Any) -> None:
    settings.RATE_WINDOW_SECONDS = 60
    limit(acme, 5)
    assert standing(client.get(PATH, headers=acme.headers)) == (200, 5, 4, 60)


def test_without_a_limit_there_are_no_headers(client: Client, acme: Tenant) -> None:
    for _ in range(3):
        response = client.get(PATH, headers=acme.headers)
    assert response.status_code == 200
    assert not any(name in response for name in NAMES)


def test_every_answer_of_a_known_caller_carries_the_headers(client: Client, acme: Tenant) -> None:
    limit(acme, 10)
    calls = [
        client.get(PATH, headers=acme.headers),
        client.get("/v1/schema", headers=acme.headers),
        client.post("/v1/record", "{", "application/json", headers=acme.headers),
        client.get(PATH, headers=acme.headers | {"X-Scopes": "record.read"}),
    ]
    assert [standing(response)[:3] for response in calls] == [
        (200, 10, 9),
        (404, 10, 8),
        (400, 10, 7),
        (401, 10, 6),
    ]


def test_each_application_has_a_window_of_its_own(client: Client, acme: Tenant, buy: Buy) -> None:
    limit(acme, 2)
    token = {"Authorization": f"Bearer {buy(acme)['access_token']}"}
    assert [client.get(PATH, headers=token).status_code for _ in range(2)] == [200, 429]
    assert [client.get(PATH, headers=acme.headers).status_code for _ in range(3)] == [200, 200, 429]
    assert {row.key: row.hits for row in RateWindow.objects.all()} == {
        f"application:{acme.oauth.pk}": 3,
        f"application:{acme.keys.pk}": 3,
    }


def test_token_calls_count_as_calls_of_the_application(client: Client, acme: Tenant) -> None:
    limit(acme, 1)
    statuses = [client.get("/v1/checkauthentication", headers=acme.client_headers).status_code for _ in range(2)]
    assert statuses == [200, 429]


def test_a_raised_limit_holds_at_once(client: Client, acme: Tenant) -> None:
    limit(acme, 1)
    assert [client.get(PATH, headers=acme.headers).status_code for _ in range(2)] == [200, 429]
    acme.keys.rate_limit = 3
    acme.keys.save()
    from apps.applications.authentication import forget_credentials

    forget_credentials()
    assert standing(client.get(PATH, headers=acme.headers)) == (200, 3, 0, 3600)


def test_wrong_credentials_count_for_their_address(client: Client, acme: Tenant, settings: Any) -> None:
    settings.LOGIN_RATE_LIMIT = 2
    bad = {"X-Apikey": "0" * 64, "X-App": acme.keys.app_key}
    attempts = [bad, {"Authorization": "Bearer x"}, {}, bad]
    seen = [standing(client.get(PATH, headers=headers)) for headers in attempts]
    assert seen == [(401, 2, 1, 3600), (403, 2, 0, 3600), (429, 2, 0, 3600), (429, 2, 0, 3600)]
    assert client.get(PATH, headers=acme.headers).status_code == 200
    assert client.get(PATH, headers=bad, REMOTE_ADDR="10.0.0.1").status_code == 401


def test_a_wrong_address_counts_for_itself(client: Client, acme: Tenant, settings: Any) -> None:
    settings.LOGIN_RATE_LIMIT = 2
    seen = [standing(client.get(PATH, headers=acme.headers, REMOTE_ADDR="10.0.0.1")) for _ in range(3)]
    assert seen == [(403, 2, 1, 3600), (403, 2, 0, 3600), (429, 2, 0, 3600)]
    assert client.get(PATH, headers=acme.headers).status_code == 200


def test_forged_forwarding_headers_open_no_new_window(client: Client, acme: Tenant, settings: Any) -> None:
    settings.LOGIN_RATE_LIMIT = 2
    statuses = [
        client.get(PATH, headers={"X-Apikey": "x", "X-Forwarded-For": f"198.51.100.{n}"}).status_code for n in range(4)
    ]
    assert statuses == [401, 401, 429, 429]
    assert [row.key for row in RateWindow.objects.all()] == ["login:127.0.0.1"]


def test_the_project_key_alone_counts_for_the_project(acme: Tenant) -> None:
    Application.objects.update(rate_limit=4)
    caller = authenticate(ProjectKey(acme.api_key), host="", address="127.0.0.1")
    assert [count_call(caller).hits for _ in range(2)] == [1, 2]
    assert RateWindow.objects.get().key == f"project:{acme.project.pk}"
    assert Project.objects.get(pk=acme.project.pk).api_key_last_used_at is not None


def test_the_last_use_is_noted_once_a_minute(client: Client, acme: Tenant) -> None:
    client.get(PATH, headers=acme.headers)
    first = Application.objects.get(pk=acme.keys.pk).last_used_at
    assert first is not None
    recent = first - timedelta(seconds=50)
    Application.objects.update(last_used_at=recent)
    client.get(PATH, headers=acme.headers)
    assert Application.objects.get(pk=acme.keys.pk).last_used_at == recent
    Application.objects.update(last_used_at=first - timedelta(seconds=70))
    client.get(PATH, headers=acme.headers)
    assert Application.objects.get(pk=acme.keys.pk).last_used_at == first
    assert Application.objects.get(pk=acme.narrow.pk).last_used_at == first - timedelta(seconds=70)


def test_the_state_of_a_window() -> None:
    RateState(3, 3, 100).require()
    RateState(0, 1000, 100).require()
    assert RateState(0, 5, 100).headers == {}
    with pytest.raises(TooManyRequests) as caught:
        RateState(3, 4, 0).require()
    assert caught.value.headers == {
        "Retry-After": "1",
        "X-RateLimit-Limit": "3",
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": "0",
    }


@pytest.mark.django_db(transaction=True)
def test_parallel_calls_pass_exactly_up_to_the_limit(acme: Tenant) -> None:
    limit(acme, 20)

    def call(_: int) -> int:
        try:
            return Client().get(PATH, headers=acme.headers).status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(12) as pool:
        statuses = Counter(pool.map(call, range(120)))
    assert statuses == {200: 20, 429: 100}
    assert RateWindow.objects.get().hits == 120
