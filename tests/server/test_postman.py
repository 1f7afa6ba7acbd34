"""The Postman collection, run as a whole by Postman's own runner."""

import json
import subprocess
from pathlib import Path

import pytest

from flowize.demo.content import SAMPLE
from tests.server.installation import Installation, key_headers
from tests.server.interop import program

pytestmark = [pytest.mark.server, pytest.mark.xdist_group("server")]


def test_the_collection_runs_twice_without_a_failure_and_leaves_nothing(shipped: Installation, tmp_path: Path) -> None:
    newman = program("newman")
    environment = tmp_path / "environment.json"
    environment.write_text(shipped.manage("demo", "--postman", "--name", "postman"))
    values = {row["key"]: row["value"] for row in json.loads(environment.read_text())["values"]}
    shipped.issued += [values["api_key"], values["client_secret"], values["organization_api_key"]]
    before = left(shipped, values)
    run = [newman, "run", f"{shipped.base_url}/v1/postman.json", "-e", str(environment)]
    for _ in range(2):
        result = subprocess.run(
            [*run, "--color", "off"],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert result.returncode == 0, result.stdout
        assert left(shipped, values) == before


def left(shipped: Installation, demo: dict[str, str]) -> object:
    """What the demonstration holds: its schema, how many records, and whether its flow still runs."""
    headers = key_headers(demo)
    schema = shipped.call("GET", "/v1/schema", headers).json()["resource"]
    flow = shipped.call("GET", "/v1/flowdiagram?flow_name=client_intake", headers).json()["resource"]
    fits = shipped.call("POST", "/v1/record", headers | {"X-Executiontime": "2099-01-01T00:00:00Z"}, SAMPLE)
    shipped.call("DELETE", f"/v1/record/{fits.json()['resource']['data_record_id']}", headers)
    records = shipped.call("GET", "/v1/record/search", headers).json()["resource"]["total"]
    return schema["schema"], flow["current_flow"]["status"], fits.status_code, records
