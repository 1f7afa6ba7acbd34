"""Calls over and over, until the platform has had enough."""

import time
from collections import Counter
from typing import Any

import pytest
from django.test import Client

from apps.applications.authentication import forget_credentials
from apps.applications.models import Application
from tests.contract.bad_inputs import credentials
from tests.contract.stage import Stage
from tests.contract.state import everything
from tests.members import person

STANDING = ["X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"]


@pytest.fixture
def stage(acme: Any, rival: Any) -> Stage:
    """Both tenants, Acme's applications with five more calls to make."""
    stage = Stage(acme, rival)
    stage.named("schema_etag")
    Application.objects.filter(project=acme.project).update(rate_limit=7)
    forget_credentials()
    return stage


def read(stage: Stage, **headers: str) -> Any:
    """The schema, read once more."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Client().get("/v1/schema", headers=credentials("keys", stage) | named)


def test_one_call_over_the_limit(stage: Stage) -> None:
    answers = [read(stage) for _ in range(5)]
    before = everything()
    last = read(stage)
    assert [answer.status_code for answer in answers] == [200] * 5
    assert [answer["X-RateLimit-Remaining"] for answer in answers] == ["4", "3", "2", "1", "0"]
    assert (last.status_code, last.json()["error"]) == (429, {"code": 429, "message": "Too many requests."})
    assert (last.json()["id"], last["Retry-After"]) == ("too-many-requests", last["X-RateLimit-Reset"])
    assert [last[name] for name in STANDING[:2]] == ["7", "0"]
    assert 0 < int(last["Retry-After"]) <= 3600
    assert everything() == before


def test_an_unchanged_answer_counts(stage: Stage) -> None:
    answers = [read(stage, If_None_Match=stage.acme.schema_etag) for _ in range(7)]
    assert [answer.status_code for answer in answers] == [304] * 5 + [429] * 2
    assert all(name in answer.headers for answer in answers for name in STANDING)


def test_guessing_a_secret_comes_to_an_end(stage: Stage, settings: Any) -> None:
    settings.LOGIN_RATE_LIMIT = 20
    wrong = credentials("client", stage) | {"client_secret": "bad", "grant_type": "client_credentials"}
    answers = [Client().get("/v1/checkauthentication", headers=wrong) for _ in range(100)]
    assert Counter(answer.status_code for answer in answers) == {401: 20, 429: 80}
    good = credentials("client", stage) | {"grant_type": "client_credentials"}
    assert Client().get("/v1/checkauthentication", headers=good).status_code == 200


def test_buying_tokens_is_cheap(acme: Any, rival: Any) -> None:
    given = credentials("client", Stage(acme, rival)) | {"grant_type": "client_credentials"}
    began = time.monotonic()
    answers = [Client().get("/v1/checkauthentication", headers=given) for _ in range(50)]
    assert {answer.status_code for answer in answers} == {200}
    assert time.monotonic() - began < 5  # a password's hash would take half a minute


def test_guessing_a_password_comes_to_an_end(db: None, settings: Any) -> None:
    person("guessed")
    answers = [
        Client().post("/admin/login/", {"username": "guessed", "password": f"guess-{number}"}) for number in range(50)
    ]
    statuses = [answer.status_code for answer in answers]
    assert statuses == [200] * (settings.AXES_FAILURE_LIMIT - 1) + [429] * (51 - settings.AXES_FAILURE_LIMIT)


def test_keys_that_reading_makes_are_limited(stage: Stage) -> None:
    address = f"/v1/keystore/{stage.acme.keystore}"
    Application.objects.filter(project=stage.acme.tenant.project).update(rate_limit=20)
    forget_credentials()
    keys = credentials("keys", stage)
    answers = [Client().get(f"{address}/absent-{number}", headers=keys) for number in range(30)]
    made = sum(answer.status_code == 200 for answer in answers)
    assert Counter(answer.status_code for answer in answers) == {200: made, 429: 30 - made}
    assert made < 20
    assert len(everything()["keystores_keystoreitem"]) == made + 3
