"""What ``manage.py demo`` prints and the documentation shows, run as printed."""

import json
import re
import subprocess
from typing import Any

import pytest

from flowize.demo.content import SAMPLE
from tests.server.installation import FINISHED, Installation
from tests.server.process import wait_until

pytestmark = [pytest.mark.server, pytest.mark.xdist_group("server")]

PROMISED_SECONDS = 3.0
PASSED = [
    ("start", "start", "A client arrives"),
    ("of_age", "decision", "Is the client of age?"),
    ("accept", "set", "Note: accepted"),
    ("pause", "wait", "Wait a second"),
    ("tell", "app", "Tell the echo"),
    ("end", "end", "Done"),
]


def run(command: str) -> dict[str, Any]:
    """The answer of a command line, given to bash as it is."""
    result = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=30, check=True)
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


def printed_commands(text: str) -> list[str]:
    """The curl commands of a text, each with its continued lines."""
    return re.findall(r"^curl (?:.*\\\n)*.*$", text, re.MULTILINE)


def assert_runs_through(created: dict[str, Any], read: str) -> None:
    """The record of an insert's answer passes its whole flow in the promised time."""
    assert (created["id"], created["code"], created["error"]) == ("created", 201, None)
    assert created["resource"]["data_record"] == SAMPLE
    seen: list[dict[str, Any]] = []

    def has_finished() -> bool:
        seen.append(run(read.replace("UUID-OF-THE-ANSWER", created["resource"]["data_record_id"]))["resource"])
        return bool(seen[-1]["info"]["status"] == FINISHED)

    wait_until(has_finished, PROMISED_SECONDS)
    trace = seen[-1]["flow_objects_info"]
    assert [(step["id"], step["type"], step["text"]) for step in trace] == PASSED
    assert {(step["status"], step["attempt"], step["error"]) for step in trace} == {("Finished", 1, None)}
    assert seen[-1]["data_record"] == SAMPLE | {
        "intake": {"result": "accepted", "greeting": "Welcome, De Vries Fietsen"}
    }


def test_printed_commands_insert_a_record_and_show_its_way(shipped: Installation) -> None:
    text = shipped.manage("demo", "--name", "printed")
    shipped.issued += re.findall(r"^(?:Password|API key|Client secret) +(\S+)$", text, re.MULTILINE)
    insert, read = printed_commands(text)

    assert_runs_through(run(insert), read)


def test_documented_token_call_buys_a_token_that_inserts(shipped: Installation) -> None:
    acme, url = shipped.acme, shipped.base_url
    bought = run(
        f"curl -s -X GET {url}/v1/checkauthentication -H 'client_id: {acme['client_id']}' "
        f"-H 'client_secret: {acme['client_secret']}' -H 'grant_type: client_credentials'"
    )
    resource = bought["resource"]
    shipped.issued += [resource["access_token"], resource["refresh_token"]]

    assert (bought["code"], bought["message"]) == (200, "The credentials are valid")
    assert (resource["token_type"], resource["scopes"]) == ("bearer", None)
    assert re.fullmatch(r"[0-9a-f]{64}", resource["access_token"])
    bearer = f"-H 'Authorization: Bearer {resource['access_token']}'"
    created = run(
        f"curl -s -X POST {url}/v1/record {bearer} -H 'Content-Type: application/json' "
        f"-H 'X-Flow: {acme['flow_name']}' -d '{json.dumps(SAMPLE)}'"
    )
    assert_runs_through(created, f"curl -s {url}/v1/record -H 'X-Uuid: UUID-OF-THE-ANSWER' {bearer}")


def test_keys_in_the_url_insert_into_the_default_flow(shipped: Installation) -> None:
    keys = f"api_key={shipped.acme['api_key']}&app_key={shipped.acme['app_key']}"
    created = run(
        f"curl -s -X POST '{shipped.base_url}/v1/record/?{keys}' -H 'Content-Type: application/json' "
        f"-d '{json.dumps(SAMPLE)}'"
    )

    assert created["resource"]["flow_name"] == "client_intake"
    assert_runs_through(created, f"curl -s '{shipped.base_url}/v1/record/UUID-OF-THE-ANSWER?{keys}'")


def test_two_demonstrations_are_two_tenants(shipped: Installation) -> None:
    acme, rival = shipped.acme, shipped.rival

    assert acme["base_url"] == rival["base_url"] == shipped.base_url
    assert [name for name in acme if acme[name] == rival[name]] == ["base_url", "admin_url", "flow_name"]
