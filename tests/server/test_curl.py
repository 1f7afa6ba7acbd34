"""Lines of the public documentation, run by curl itself against the shipped server."""

import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Callable

import pytest

from tests.contract.builders import base64_of, filled
from tests.contract.exchanges import all_exchanges, answer_of, differences
from tests.contract.stage.records import DOCUMENTED
from tests.server.installation import Installation, client_headers, key_headers

pytestmark = [pytest.mark.server, pytest.mark.xdist_group("server")]

CHOSEN = [
    "buy a token",
    "refresh a token",
    "update the schema",
    "read the schema",
    "insert a record",
    "insert several records",
]
EXCHANGES = {exchange.name: exchange for exchange in all_exchanges()}


@pytest.fixture
def named(shipped: Installation) -> Callable[[str], str]:
    """What the lines name, as the demonstration has it."""
    bought = shipped.call("GET", "/v1/checkauthentication", client_headers(shipped.acme)).json()["resource"]
    shipped.issued += [bought["access_token"], bought["refresh_token"]]
    schema = shipped.database.rows("SELECT source, sample FROM schemas_schema ORDER BY id LIMIT 1")[0]
    sent = {"url": "www.example.nl", "schema": base64_of(schema[0]), "data_record": base64_of(schema[1])}
    shipped.call("PUT", "/v1/schema", key_headers(shipped.acme), sent)
    things = {
        "base": shipped.base_url,
        "api_key": shipped.acme["api_key"],
        "app": shipped.acme["app_key"],
        "client_id": shipped.acme["client_id"],
        "client_secret": shipped.acme["client_secret"],
        "token": bought["access_token"],
        "refresh_token": bought["refresh_token"],
        "flow": shipped.acme["flow_name"],
        "customer": "acme demo",
        "schema_text": sent["schema"],
        "sample_text": sent["data_record"],
        "client_document": json.dumps(DOCUMENTED),
    }
    return things.__getitem__


@pytest.mark.parametrize("name", CHOSEN)
def test_documented_lines_work_with_curl(shipped: Installation, named: Callable[[str], str], name: str) -> None:
    if not os.environ.get("REQUIRE_INTEROP") and not shutil.which("curl"):
        pytest.skip("there is no curl")
    exchange = EXCHANGES[name]
    expected = answer_of(exchange, named)
    for style, line in exchange.calls.items():
        status, body = run(filled(line, named))
        assert status == exchange.status, (style, body)
        assert differences(expected, json.loads(body)) == [], style


def run(line: str) -> tuple[int, str]:
    """Status and body of what a command line of curl answers."""
    _, *words = shlex.split(line)
    command = ["curl", "--silent", "--show-error", "--write-out", "\n%{http_code}", *words]
    result = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    body, _, status = result.stdout.rpartition("\n")
    return int(status), body
