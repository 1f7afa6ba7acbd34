"""The limit is exact however many processes ask and answer."""

import json
import subprocess

import pytest

from tests.server.installation import Installation, key_headers

pytestmark = [pytest.mark.server, pytest.mark.xdist_group("server")]

LIMIT = 20
CLIENTS, EACH = 4, 30
REPORT = "%{http_code} %header{x-ratelimit-limit} %header{x-ratelimit-remaining} %header{retry-after}\\n"


def test_exactly_the_limit_is_let_through_by_all_web_processes_together(shipped: Installation) -> None:
    limited = json.loads(shipped.manage("demo", "--json", "--name", "limited", "--rate-limit", str(LIMIT)))
    headers = [word for name, value in key_headers(limited).items() for word in ("-H", f"{name}: {value}")]
    command = ["curl", "-s", "--parallel", "--parallel-immediate", "--parallel-max", str(EACH), "-w", REPORT, *headers]
    urls = f"{shipped.base_url}/v1/record/none?n=[1-{EACH}]"
    clients = [
        subprocess.Popen([*command, "-o", "/dev/null", urls], stdout=subprocess.PIPE, text=True) for _ in range(CLIENTS)
    ]
    answers = [line.split() for client in clients for line in client.communicate(timeout=30)[0].splitlines()]

    let_through = [answer for answer in answers if answer[0] != "429"]
    refused = [answer for answer in answers if answer[0] == "429"]
    assert (len(answers), len(let_through), len(refused)) == (CLIENTS * EACH, LIMIT, CLIENTS * EACH - LIMIT)
    assert {status for status, *_ in let_through} == {"404"}
    assert sorted(int(remaining) for _, _, remaining in let_through) == list(range(LIMIT))
    assert {limit for _, limit, *_ in answers} == {str(LIMIT)}
    assert {remaining for _, _, remaining, _ in refused} == {"0"}
    assert all(3500 < int(seconds) <= 3600 for *_, seconds in refused)


def test_refusal_is_an_envelope_and_one_callers_limit_is_not_anothers(shipped: Installation) -> None:
    once = json.loads(shipped.manage("demo", "--json", "--name", "once", "--rate-limit", "1"))
    first = shipped.call("GET", "/v1/record/none", key_headers(once))
    second = shipped.call("GET", "/v1/record/none", key_headers(once))
    other = shipped.call("GET", "/v1/record/none", key_headers(once) | {"X-App": once["narrow_app_key"]})

    assert [answer.status_code for answer in (first, second, other)] == [404, 429, 404]
    assert second.json() == {
        "id": "too-many-requests",
        "code": 429,
        "request-ip": "127.0.0.1",
        "resource": [],
        "message": None,
        "error": {"code": 429, "message": "Too many requests."},
    }
    assert second.headers["X-RateLimit-Reset"] == second.headers["Retry-After"]
