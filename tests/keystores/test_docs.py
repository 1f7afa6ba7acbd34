"""The commands of the page about keystores, as a shell would send them."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import Workspace
from flowize.demo.content import KEYSTORES
from flowize.demo.services import build_demo

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "keystores.md").read_text()
EXAMPLES = re.findall(r"^```sh\n(.*?)^```\n\n```(json|text)\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


def run(client: Client, command: str, api_key: str) -> Any:
    """What curl would send, ``Accept`` included."""
    words = shlex.split(command.replace("\\\n", " ").replace("$API_KEY", api_key))
    headers = {"Accept": "*/*"}
    method = path = body = ""
    for option, value in zip(words[1:], [*words[2:], ""], strict=True):
        if option == "-H":
            name, _, text = value.partition(": ")
            headers[name] = text
        elif option == "-X":
            method = value
        elif option == "-d":
            body = value
        elif option.startswith("$BASE"):
            path = option.removeprefix("$BASE")
    return client.generic(method, path, body, headers.pop("Content-Type"), headers=headers)


@pytest.mark.django_db
def test_the_examples_of_the_page_answer_as_printed(client: Client) -> None:
    api_key = build_demo("acme", 0)["api_key"]
    client.defaults["REMOTE_ADDR"] = "127.0.0.1"
    assert len(EXAMPLES) == 6
    for command, kind, printed in EXAMPLES:
        response = run(client, command, api_key)
        assert response.status_code == 200, command
        if kind == "json":
            assert response.json() == json.loads(printed)
        else:
            assert response.content.decode() == printed.rstrip("\n")


@pytest.mark.django_db
def test_the_demonstration_has_its_keystores_and_leaves_their_keys_alone() -> None:
    build_demo("acme", 0)
    workspace = Workspace.objects.get(project__name="acme demo")
    workspace.keystores.get(identifier="weather").items.create(key="k", data="1")
    build_demo("acme", 0)
    found = workspace.keystores.order_by("-identifier").values_list("identifier", "kind", "structure")
    assert [(name, kind, json.loads(structure)) for name, kind, structure in found] == list(KEYSTORES)
    assert workspace.keystores.get(identifier="weather").items.get().data == "1"
