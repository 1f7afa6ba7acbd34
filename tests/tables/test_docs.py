"""The examples of the page about tables work as they are printed."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

from django.test import Client

from apps.tables.searching import OPERATORS
from tests.conftest import Tenant
from tests.tables.conftest import make_table

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "tables.md").read_text()
BLOCKS = re.findall(r"^```(sh|json)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
VOLATILE = {"date_created": "", "date_updated": ""}


def run(client: Client, tenant: Tenant, line: str) -> Any:
    """What curl would send."""
    words = shlex.split(line.replace("$BASE", "").replace("$API_KEY", tenant.api_key))
    assert words[:2] == ["curl", "-s"]
    options = {word: words[place + 1] for place, word in enumerate(words) if word in ("-X", "-d")}
    headers = dict(words[place + 1].split(": ", 1) for place, word in enumerate(words) if word == "-H")
    (path,) = (word for word in words if word.startswith("/v1/"))
    content_type = headers.pop("Content-Type")
    return client.generic(options.get("-X", "GET"), path, options.get("-d", ""), content_type, headers=headers)


def steady(document: Any) -> Any:
    """Without the dates of rows."""
    rows = [row | VOLATILE for row in document["data"]] if "data" in document else []
    return document | ({"data": rows} if "data" in document else {})


def test_the_calls_answer_as_shown(client: Client, acme: Tenant) -> None:
    make_table(acme, "clients", username="text", password="text", age="integer")
    answer: Any = None
    compared = 0
    for kind, text in BLOCKS:
        if kind == "sh":
            response = run(client, acme, text)
            assert response.status_code == 200, (text, response.content)
            answer = response.json()
        else:
            assert steady(answer) == steady(json.loads(text))
            compared += 1
    assert (compared, len(BLOCKS)) == (4, 10)


def test_every_operator_is_explained() -> None:
    told = set(re.findall(r"`([a-z_<>=!]+)`", PAGE))
    assert {name for name in OPERATORS if name not in told} == {"not_begins_with", "not_ends_with", "not_contains"}
    assert "`contains` and `not_…`" in PAGE
