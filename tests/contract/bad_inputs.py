"""Reads the cases of ``cases/*.toml``: calls that must not break anything, and what they may be answered.

A file is a list of groups; what stands in a group holds for its cases, what stands in a case for its ``variants``
(headers and query are added together, everything else is replaced). Keys:

call        method and path; ``${…}`` in any text is filled (``builders.filled``)
as          whose credentials: keys (Acme's, the default), nobody, token, url, client, basic, organization, project
headers, query, body, body_hex, schema with sample (the payload of a schema call)
address     where the call comes from
given       things that must be on the stage before
settings    Django settings that hold for the call
status      the allowed one, or a list of them
error       ``error.code`` where it differs from the status
says        a text that the error's message holds
answer      values of the answer by dotted path
never       texts that the answer must not hold
sent        headers of the answer, each a pattern for its whole value
rows        tables that a success may change, with the number of rows it adds; all others stay as they were
uncounted   the answer speaks of no rate limit
commits     each statement of the call commits by itself, as it does in production
tested_by   the test that holds the case, for those that are more than one call
"""

import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.test import Client

from tests.contract.builders import basic, filled, schema_body
from tests.contract.stage import HERE, Stage

FOLDER = Path(__file__).parent / "cases"
Named = Callable[[str], str]


@dataclass(frozen=True)
class Case:
    """One call and what may come of it."""

    id: str
    title: str
    call: str = ""
    who: str = "keys"
    headers: dict[str, str] = field(default_factory=dict)
    query: dict[str, str | list[str]] = field(default_factory=dict)
    body: str = ""
    body_hex: str = ""
    schema: str | None = None
    sample: str = "{}"
    address: str = HERE
    given: list[str] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)
    status: list[int] = field(default_factory=list)
    error: int | None = None
    says: str = ""
    answer: dict[str, Any] = field(default_factory=dict)
    never: list[str] = field(default_factory=list)
    sent: dict[str, str] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    uncounted: bool = False
    commits: bool = False
    tested_by: str = ""

    @property
    def method(self) -> str:
        return self.call.partition(" ")[0]

    @property
    def path(self) -> str:
        return self.call.partition(" ")[2]

    def send(self, client: Client, stage: Stage) -> Any:
        """Send the call; everything it names is on the stage already (``prepare``)."""
        headers = credentials(self.who, stage) | self._filled_headers(stage)
        body = self._body(stage)
        # The client sends the content type of a body only; a read may be told its format by one all the same.
        content_type = headers.pop("Content-Type", "application/json") if body else ""
        return client.generic(
            self.method,
            filled(self.path, stage.named),
            body,
            content_type,
            headers=headers,
            query_params=self._query(stage),
            REMOTE_ADDR=filled(self.address, stage.named),
        )

    def prepare(self, stage: Stage) -> None:
        """Put everything on the stage that the call names."""
        for name in self.given:
            stage.named(name)
        self._body(stage)
        self._query(stage)
        self._filled_headers(stage)
        filled(self.path, stage.named)
        credentials(self.who, stage)

    def _filled_headers(self, stage: Stage) -> dict[str, str]:
        return {name: filled(value, stage.named) for name, value in self.headers.items()}

    def _query(self, stage: Stage) -> dict[str, Any]:
        query = dict(self.query)
        if self.who == "url":
            query = {"api_key": stage.acme.api_key, "app_key": stage.acme.app} | query
        return {name: _each(value, stage.named) for name, value in query.items()}

    def _body(self, stage: Stage) -> bytes:
        if self.body_hex:
            return bytes.fromhex(self.body_hex)
        if self.schema is not None:
            return schema_body(filled(self.schema, stage.named), self.sample).encode()
        return filled(self.body, stage.named).encode()


def credentials(who: str, stage: Stage) -> dict[str, str]:
    """The headers that say who is calling."""
    side = stage.acme
    match who:
        case "keys":
            return {"X-Apikey": side.api_key, "X-App": side.app}
        case "rival":
            return {"X-Apikey": stage.rival.api_key, "X-App": stage.rival.app}
        case "project":
            return {"X-Apikey": side.api_key}
        case "environments":
            return {"X-Apikey": side.environment_key}
        case "organization":
            return {"X-Apikey": side.organization_key}
        case "token":
            return {"Authorization": f"Bearer {side.token}"}
        case "client":
            return {"client_id": side.client_id, "client_secret": side.client_secret}
        case "basic":
            return {"Authorization": basic(f"{side.client_id}:{side.client_secret}")}
        case "nobody" | "url":
            return {}
    raise AssertionError(who)


def all_cases() -> list[Case]:
    """Every case and variant of the folder, in the order of the files."""
    return [case for file in sorted(FOLDER.glob("*.toml")) for case in read(file)]


def read(file: Path) -> Iterator[Case]:
    """The cases of one file."""
    for group in tomllib.loads(file.read_text())["group"]:
        cases = group.pop("cases")
        for case in cases:
            yield from _variants(_merged(group, case))


def _variants(case: dict[str, Any]) -> Iterator[Case]:
    variants = case.pop("variants", [{}])
    for number, variant in enumerate(variants, 1):
        merged = _merged(case, variant)
        if len(variants) > 1:
            merged["id"] += f"-{number}"
        yield _case(**merged)


def _merged(outer: dict[str, Any], inner: dict[str, Any]) -> dict[str, Any]:
    both = outer | inner
    for name in ("headers", "query"):
        if name in outer and name in inner:
            both[name] = outer[name] | inner[name]
    if "body" in inner or "body_hex" in inner:
        both = {name: both[name] for name in both if name not in {"body", "body_hex"} - inner.keys()}
    return both


def _case(status: int | list[int] = 0, **fields: Any) -> Case:
    statuses = status if isinstance(status, list) else [status] if status else []
    if "as" in fields:
        fields["who"] = fields.pop("as")
    return Case(status=statuses, **fields)


def _each(value: str | list[str], named: Named) -> str | list[str]:
    return [filled(item, named) for item in value] if isinstance(value, list) else filled(value, named)
