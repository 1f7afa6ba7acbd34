"""What a flow names of its workspace."""

from typing import Any

import pytest

from apps.flows.engine.apps import APPS, App
from apps.flows.engine.references import Reference, references


def test_every_name_is_listed_with_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    app = App(
        "test.get", 1, "Get", "internal", {"type": "object"}, ("ok",), 1.0,
        references=(("table", "table"), ("auth/connection", "connection")),
    )  # fmt: skip
    monkeypatch.setitem(APPS, app.name, app)
    document: dict[str, Any] = {
        "objects": {
            "start": {"type": "start", "next": {"ok": "check"}},
            "check": {
                "type": "decision",
                "rules": [
                    {"port": "a", "when": "true"},
                    {"port": "b", "when": "keystore.users[id].age > keystore.x.y"},
                ],
            },
            "wait": {"type": "wait", "date": "{{ keystore.dates.next.day }}"},
            "hear": {"type": "webhook", "webhook": "payments", "identifier": "@keystore.ids.one@"},
            "run": {"type": "run", "flow": "archive", "input": {"a": ["{{ keystore.deep.k }}"]}},
            "leave": {"type": "move", "flow": "other"},
            "note": {"type": "set", "set": {"a.b": {"c": "{{ keystore.deep.k }}"}}},
            "get": {"type": "app", "app": "test.get", "with": {"table": "users", "auth": {"connection": "crm"}}},
            "rendered": {"type": "app", "app": "test.get", "with": {"table": "{{ name }}", "auth": 5}},
            "broken": {"type": "set", "set": {"a": "{{ keystore. }}"}},
            "unknown": {"type": "app", "app": "no.such", "with": {"table": "users"}},
        }
    }
    assert references(document) == [
        Reference("check", "rules/1/when", "keystore", "users"),
        Reference("check", "rules/1/when", "keystore", "x"),
        Reference("get", "with/auth/connection", "connection", "crm"),
        Reference("get", "with/table", "table", "users"),
        Reference("hear", "identifier", "keystore", "ids"),
        Reference("hear", "webhook", "webhook", "payments"),
        Reference("leave", "flow", "flow", "other"),
        Reference("note", "set/a.b/c", "keystore", "deep"),
        Reference("run", "flow", "flow", "archive"),
        Reference("run", "input/a/0", "keystore", "deep"),
        Reference("wait", "date", "keystore", "dates"),
    ]
