"""SOAP clients of four languages call every operation of the shipped server, by both of its descriptions."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from flowize.demo.content import FLOW_NAME
from tests.server.installation import CHECKOUT, Demo, Installation
from tests.server.interop import INSTALLED, program

pytestmark = [pytest.mark.server, pytest.mark.xdist_group("server")]

CLIENTS = CHECKOUT / "tests" / "soap" / "clients"
OPERATIONS = "operations 11\n"
TRANSCRIPT = """\
deleteSchema 200 ok Schema has been removed successfully
insertSchema 201 created Data Schema is created successfully.
updateSchema 201 created Schema structure is updated successfully
getSchema 200 ok Schema structure is retrieving successfully
same
insertRecord 201 created Data Record is created successfully and it is included in the queue.
same
getRecord 200 ok Data Record structure was retrieving successfully
same
insertRecord fault 409 The uuid is taken by another data record.
insertRecord fault 400 A data record is an object.
updateRecord 201 created Data Record is updated successfully.
same
deleteRecord 201 created Data Record is deleted successfully.
getRecord fault 404 There is no such data record.
getRecord fault 404 The credentials are not correct.
getFlowDiagram 200 ok Flow diagram is retrieving successfully
same
changeFlowStatus 201 created Flow diagram has been paused successfully
changeFlowStatus 201 created Flow diagram has been resumed successfully
webhook 201 created Webhook response has been saved successfully
webhook fault 404 The requested resource doesn't exist.
"""
WEBHOOK = """
from apps.accounts.models import Workspace
from apps.webhooks.services import register_webhook
workspace = Workspace.objects.get(project_id={}, api_host="")
print(register_webhook(workspace, name="of SOAP", addresses="127.0.0.1", rate_limit=0).uri)
"""
# An organization of its own: its schema is replaced and its flow paused.
NAME = "soap"


@pytest.fixture(scope="module")
def tenants() -> dict[int, Demo]:
    """What was made for the installations of this module."""
    return {}


@pytest.fixture
def told(shipped: Installation, tenants: dict[int, Demo]) -> dict[str, str]:
    """What the programs are told of the installation and their organization."""
    tenant = tenants.get(shipped.port)
    if tenant is None:
        tenant = tenants[shipped.port] = json.loads(shipped.manage("demo", "--json", "--name", NAME))
        tenant["webhook"] = shipped.manage("shell", "--no-imports", "-c", WEBHOOK.format(tenant["project_id"])).strip()
    shipped.database.rows(
        "UPDATE applications_application SET rate_limit = 0 WHERE project_id = %s", tenant["project_id"]
    )
    return {
        "URL": f"{shipped.base_url}/v1/soap",
        "API_KEY": tenant["api_key"],
        "APP_KEY": tenant["app_key"],
        "FLOW": FLOW_NAME,
        "WEBHOOK": tenant["webhook"],
        "NODE_PATH": os.environ.get("NODE_PATH", str(INSTALLED.parent)),
    }


def has(*check: str, name: str) -> Callable[[], list[str]]:
    """A command whose program has what the client needs of it; where it has not, tests do as for missing programs."""

    def command() -> list[str]:
        found = program(check[0])
        lacks = subprocess.run([found, *check[1:]], env=_environment(), capture_output=True, check=False).returncode
        if lacks and not os.environ.get("REQUIRE_INTEROP"):
            pytest.skip(f"{name} is not installed")
        assert not lacks, f"{name} is not installed"
        return [found]

    return command


def _environment() -> dict[str, str]:
    return {"NODE_PATH": str(INSTALLED.parent)} | dict(os.environ)


def zeep() -> list[str]:
    """This very Python: zeep is among what the tests require."""
    return [sys.executable]


PHP = has("php", "-r", 'exit(extension_loaded("soap") ? 0 : 1);', name="PHP's soap")
NODE = has("node", "-e", "require('soap')", name="npm's soap")
PERL = has("perl", "-MSOAP::Lite", "-e", "1", name="SOAP::Lite")
RUNS: list[tuple[str, Callable[[], list[str]], str, str]] = [
    ("client.php", PHP, "1.1", OPERATIONS),
    ("client.php", PHP, "1.2", OPERATIONS),
    ("client.py", zeep, "1.1", OPERATIONS),
    ("client.js", NODE, "1.1", OPERATIONS),
    ("client.js", NODE, "1.2", OPERATIONS),
    ("client.pl", PERL, "1.1", ""),
]


@pytest.mark.parametrize("description", ["wsdl", "wsdl=literal"])
@pytest.mark.parametrize(
    ("file", "command", "version", "begin"), RUNS, ids=lambda value: value if isinstance(value, str) else ""
)
def test_client(
    file: str,
    command: Callable[[], list[str]],
    version: str,
    begin: str,
    description: str,
    shipped: Installation,
    told: dict[str, str],
) -> None:
    more = {"WSDL": f"{told['URL']}?{description}", "SOAP": version, "UUID": f"ü-{file}-{version}-{description}"}
    result = subprocess.run(
        [*command(), str(CLIENTS / file)],
        env=shipped.environment(**told, **more),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (result.stderr, result.returncode) == ("", 0)
    assert result.stdout == begin + TRANSCRIPT


def test_every_client_is_run() -> None:
    assert {file for file, *_ in RUNS} == {path.name for path in Path(CLIENTS).iterdir() if path.is_file()}


# --- The samples of the page about SOAP -----------------------------------------------------------------------------

PAGE = (CHECKOUT / "docs" / "soap.md").read_text()
EXPECTED = re.search(r"^```text\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
SAMPLES: list[tuple[str, str, str, Callable[[], list[str]]]] = [
    ("PHP", "php", "sample.php", PHP),
    ("Python", "python", "sample.py", zeep),
    ("curl", "sh", "sample.sh", lambda: [program("sh")]),
]


@pytest.mark.parametrize(
    ("heading", "language", "name", "command"), SAMPLES, ids=lambda value: value if isinstance(value, str) else ""
)
def test_sample_of_the_page(
    heading: str,
    language: str,
    name: str,
    command: Callable[[], list[str]],
    shipped: Installation,
    tmp_path: Path,
) -> None:
    chapter = PAGE.split(f"\n### {heading}\n")[1].split("\n### ")[0]
    (block,) = re.findall(rf"^```{language}\n(.*?)^```$", chapter, re.DOTALL | re.MULTILINE)
    file = tmp_path / name
    file.write_text(block)
    keys = {"BASE": shipped.base_url, "API_KEY": shipped.acme["api_key"], "APP_KEY": shipped.acme["app_key"]}
    result = subprocess.run(
        [*command(), str(file)],
        env=shipped.environment(**keys),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (result.stderr, result.returncode) == ("", 0)
    assert EXPECTED
    assert result.stdout == EXPECTED[1]
