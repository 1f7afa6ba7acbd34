"""Every case of the catalogue: an allowed answer, in order and in time, and nothing half done."""

import importlib
import ipaddress
import json
import re
import time
from typing import Any

import pytest
from django.test import Client

from tests.contract.bad_inputs import Case, all_cases
from tests.contract.builders import filled
from tests.contract.stage import Stage
from tests.contract.state import everything, growth
from tests.contract.xml_reader import read_answer
from tests.soap.messages import Answer

CASES = all_cases()
CALLS = [
    pytest.param(case, id=case.id, marks=[pytest.mark.django_db(transaction=True)] if case.commits else [])
    for case in CASES
    if not case.tested_by
]
KEYS = ["id", "code", "request-ip", "resource", "message", "error"]
SECONDS = 2
MOST_CHARACTERS = 500

# How an answer would look that tells what it is made of.
LEAKS = re.compile(
    r"Traceback|\.py\b|/site-packages|psycopg|django|rest_framework|<class |\b(SELECT|INSERT|UPDATE|DELETE) \w+ ?.*\b"
    r"(FROM|INTO|SET|WHERE)\b|relation \"|column \"|Error\(|Exception|object at 0x|/(usr|home|tmp)/",
)


@pytest.fixture
def stage(acme: Any, rival: Any) -> Stage:
    """Both tenants; what else a case needs it names."""
    return Stage(acme, rival)


@pytest.mark.parametrize("case", CALLS)
def test_bad_input(case: Case, stage: Stage, settings: Any) -> None:
    for name, value in case.settings.items():
        setattr(settings, name, [ipaddress.ip_network(one) for one in value] if name == "TRUSTED_PROXIES" else value)
    case.prepare(stage)
    before = everything()
    started = time.monotonic()
    response = case.send(Client(raise_request_exception=False), stage)
    seconds = time.monotonic() - started
    after = everything()
    assert response.status_code in case.status, response.content[:1000]
    assert seconds < SECONDS, case.title
    check_answer(case, response, stage)
    changes = growth(before, after)
    if response.status_code >= 400 or not case.rows:
        assert changes == {}
    else:
        changes.pop("auditlog_logentry", None)
        assert changes == case.rows


def check_answer(case: Case, response: Any, stage: Stage) -> None:
    """The answer says what it should and no more."""
    text = response.content.decode()
    is_soap = case.path.startswith("/v1/soap")
    document = None if is_soap else read(response)
    if response.status_code >= 400 and case.method != "HEAD":
        if is_soap:
            check_fault(case, response, text)
        else:
            check_refusal(case, response, document, text)
        assert not [secret for secret in stage.acme.secrets() + stage.rival.secrets() if secret in text]
    for path, value in case.answer.items():
        assert looked_up(document, path) == (filled(value, stage.named) if isinstance(value, str) else value), path
    for part in case.never:
        assert part not in text
    for name, pattern in case.sent.items():
        assert re.fullmatch(pattern, response.headers.get(name, "")), (name, response.headers.get(name))
    assert response["X-Request-Id"]
    if not case.uncounted:
        for name in ("Limit", "Remaining", "Reset"):
            assert response[f"X-RateLimit-{name}"].isdecimal()


def check_refusal(case: Case, response: Any, document: Any, text: str) -> None:
    """An envelope with six keys, a short message of its own words, and nothing to keep."""
    assert response["Cache-Control"] == "no-store"
    assert not response.has_header("ETag")
    if case.path.startswith("/o/") and isinstance(document, dict) and isinstance(document["error"], str):
        assert set(document) <= {"error", "error_description"}  # as the RFCs of OAuth 2 say
        assert LEAKS.search(text) is None
        return
    if case.path.startswith("/v1/environment"):
        assert (list(document), document["code"]) == (["code", "error"], response.status_code)
    else:
        assert list(document) == KEYS
        assert (document["code"], document["resource"], document["message"]) == (response.status_code, [], None)
    error = document["error"]
    assert error["code"] == (case.error or response.status_code)
    assert 0 < len(error["message"]) < MOST_CHARACTERS
    assert all(len(detail["message"]) < MOST_CHARACTERS for detail in error.get("details", []))
    assert len(text) < 16_000
    assert LEAKS.search(text) is None, text
    assert case.says in error["message"]
    assert response["X-Content-Type-Options"] == "nosniff"


def check_fault(case: Case, response: Any, text: str) -> None:
    """A Fault with its code in both places, a short message of its own words, and nothing to keep."""
    code, message = Answer(response).fault
    assert response["Cache-Control"] == "no-store"
    assert code == str(case.error or response.status_code)
    assert case.says in message
    assert 0 < len(message) < MOST_CHARACTERS
    assert LEAKS.search(text) is None, text
    assert response["X-Content-Type-Options"] == "nosniff"


def read(response: Any) -> Any:
    """The document of an answer in the format its Content-Type names."""
    if not response.content:
        return None
    content_type = response["Content-Type"].partition(";")[0]
    if content_type == "application/json":
        return response.json()
    if content_type == "application/xml":
        return read_answer(response.content)
    assert content_type == "text/plain", content_type
    return json.loads(response.content) if response.status_code >= 400 else response.content.decode()


def looked_up(document: Any, path: str) -> Any:
    """The value under a dotted path; numbers are places in a list, ``#`` the number of entries."""
    for part in path.split("."):
        key = int(part) if isinstance(document, list) and part != "#" else part
        document = len(document) if key == "#" else document[key]
    return document


def test_every_case_has_a_name_of_its_own() -> None:
    names = [case.id for case in CASES]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("case", [case for case in CASES if case.tested_by], ids=lambda case: case.id)
def test_cases_of_more_than_one_call_are_tested_where_they_say(case: Case) -> None:
    module, _, name = case.tested_by.partition("::")
    assert callable(getattr(importlib.import_module(module), name))
