"""Keystores, tables and webhooks."""

import json
from functools import cached_property
from typing import Any

from django.test import Client

from apps.keystores.models import Keystore, Kind
from apps.tables import services as tables
from apps.tables import structure
from apps.triggers.url_triggers import register_url
from apps.webhooks.services import register_webhook
from tests.contract.stage.side import HERE, TenantSide

CITIES = {
    "london": {"temp": {"max": 15, "average": 11}, "wind": "2 km/h S", "city": "London"},
    "madrid": {"temp": {"max": 34, "average": 26}, "wind": "5 km/h N", "city": "Madrid"},
    "oslo": {"temp": {"max": 9, "average": 4}, "city": "Oslo"},
}
SEARCH = {
    "select": [
        {"field": "keystore.key", "alias": "MyKey"},
        {"field": "temp.max", "alias": "temperature"},
        {"field": "*", "alias": "all_info"},
    ],
    "where": {
        "condition": "OR",
        "rules": [
            {"field": "temp.average", "operator": ">", "value": "25"},
            {"field": "city", "operator": "LIKE", "value": "lond%"},
        ],
    },
}
WEIRD = {"a><b x='1'>": 1, "1a": 2, "": 3}
USERS = [("user1", "e87f23c6", 54), ("user12", "lzDoaCPl", 45), ("user3", "YXNkZmc", 30)]


class Stores(TenantSide):
    """Where data lies beside the records."""

    keystore_search = json.dumps(SEARCH)

    @cached_property
    def keystore(self) -> str:
        """A JSON keystore with cities."""
        return self._keystore("weather", Kind.JSON, CITIES, structure={"temp": {}})

    @cached_property
    def own_keystore(self) -> str:
        """A keystore of a name that nobody else has."""
        return self._keystore(f"of-{self.name}", Kind.JSON, {"k": {}})

    @cached_property
    def notes(self) -> str:
        """A RAW keystore with a page in it."""
        self._keystore("notes", Kind.RAW, {}, structure="")
        self.put("/v1/keystore/notes/html", "<script>alert(1)</script>", "text/plain")
        return "notes"

    @cached_property
    def weird_key(self) -> str:
        """A key whose document has names that are no XML names."""
        self.put(f"/v1/keystore/{self.keystore}/weird", json.dumps(WEIRD))
        return "weird"

    def _keystore(self, identifier: str, kind: Any, items: dict[str, Any], structure: Any = None) -> str:
        Keystore.objects.create(
            workspace=self.tenant.workspace, identifier=identifier, kind=kind, structure=json.dumps(structure or {})
        )
        for key, document in items.items():
            self.put(f"/v1/keystore/{identifier}/{key}", json.dumps(document))
        return identifier

    def put(self, path: str, body: str, content_type: str = "application/json") -> None:
        """Store something by a call."""
        response = Client().put(path, body, content_type, headers=self.tenant.headers)
        assert response.status_code == 200, response.content

    @cached_property
    def table(self) -> str:
        """A table of people."""
        return self._table("people").name

    @cached_property
    def own_table(self) -> str:
        """A table of a name that nobody else has."""
        return self._table(f"of {self.name}").name

    @cached_property
    def shared_table(self) -> str:
        """A table of a name that both tenants use, with a row that says whose it is."""
        table = self._table("shared")
        tables.insert_row(self.tenant.caller, table.name, {"username": self.name})
        return "shared"

    @cached_property
    def strict_table(self) -> str:
        """A table whose column ``username`` needs a value."""
        caller = self.tenant.caller
        table = structure.create_table(caller, name="strict")
        structure.add_column(caller, table, name="username", required=True)
        structure.add_column(caller, table, name="age", kind="integer")
        return "strict"

    @cached_property
    def row(self) -> str:
        return self._row("myusername", "7ff47e86", 18)

    @cached_property
    def rows(self) -> str:
        """Some more rows."""
        return ",".join(self._row(*user) for user in USERS)

    def _row(self, username: str, password: str, age: int) -> str:
        values = {"username": username, "password": password, "age": age}
        _, row = tables.insert_row(self.tenant.caller, self.table, values)
        return str(row.id)

    def _table(self, name: str) -> Any:
        caller = self.tenant.caller
        table = structure.create_table(caller, name=name)
        structure.add_column(caller, table, name="username")
        structure.add_column(caller, table, name="password")
        structure.add_column(caller, table, name="age", kind="integer")
        return table

    @cached_property
    def open_hook(self) -> str:
        """A webhook that takes deliveries from everywhere."""
        return self._hook("open")

    @cached_property
    def closed_hook(self) -> str:
        """A webhook that takes them from here only."""
        return self._hook("closed", addresses=HERE)

    @cached_property
    def silent_hook(self) -> str:
        return self._hook("silent", active=False)

    @cached_property
    def hook_of_no_flow(self) -> str:
        """A webhook whose flow takes no records."""
        return self._hook("no-flow", flow=self.inactive_flow)

    @cached_property
    def open_url(self) -> str:
        """A Direct URL that takes calls from everywhere."""
        return self._url("open")

    @cached_property
    def closed_url(self) -> str:
        """One that takes them from here only."""
        return self._url("closed", addresses=HERE)

    @cached_property
    def silent_url(self) -> str:
        return self._url("silent", active=False)

    @cached_property
    def url_of_no_flow(self) -> str:
        """One whose flow takes no records."""
        return self._url("no-flow", flow=self.inactive_flow)

    @cached_property
    def sync_url(self) -> str:
        """A Sync URL."""
        return self._url("sync", kind="sync")

    def _url(self, name: str, **fields: Any) -> str:
        given = {"name": name, "flow": "intake", "rate_limit": 1000} | fields
        return register_url(self.tenant.workspace, **given).secret

    def _hook(self, name: str, **fields: Any) -> str:
        return register_webhook(self.tenant.workspace, name=name, rate_limit=1000, **fields).uri
