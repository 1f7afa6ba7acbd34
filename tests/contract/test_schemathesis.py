"""The API answers nothing that its OpenAPI document does not say, whatever it is asked.

``SCHEMATHESIS_EXAMPLES=1000`` asks longer than the few requests of a usual run.
"""

import os
import re
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from schemathesis.checks import load_all_checks
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import response_schema_conformance

from apps.core.http.wsgi_request import Utf8Handler
from apps.records.services import create_records
from apps.tables.services import insert_row
from apps.webhooks.services import register_webhook
from flowize.reference.document import generic
from tests.conftest import Tenant
from tests.keystores.conftest import fill, make_keystore
from tests.tables.conftest import make_table

EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "10"))

# Credentials are given to each request. Two checks ask for more than a document can say: that a value which fits its
# schema is always taken (base64 of a schema that another value fits), and that one which does not fit never is (the
# reader of parameters is liberal: an empty one counts as not given).
CONFIG = SchemathesisConfig.from_dict(
    {
        "seed": 1,
        "generation": {"with-security-parameters": False, "database": "none"},
        "checks": {"positive_data_acceptance": {"enabled": False}, "negative_data_rejection": {"enabled": False}},
    }
)
load_all_checks()
schema: Any = schemathesis.openapi.from_dict(generic(), config=CONFIG)
# Without the reader of whole bodies around it: the client of these tests does not close what it has read.
handler = Utf8Handler()
schema.app = lambda environ, start_response: handler(environ | {"REMOTE_ADDR": "127.0.0.1"}, start_response)


@pytest.fixture
def one_connection(acme: Tenant) -> Iterator[None]:
    """Requests leave the connection of the test's transaction open."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def credentials(tenant: Tenant, operation: Any) -> dict[str, str]:
    """Those that the operation takes."""
    ways = operation.definition.raw["security"]
    if {"apiKey": [], "appKey": []} in ways:
        return tenant.headers
    return tenant.client_headers if {"clientId": [], "clientSecret": []} in ways else {}


@pytest.fixture
def known(acme: Tenant) -> dict[str, str]:
    """Parts of paths that lead to something of Acme's."""
    create_records(acme.caller, [{"client": {"age": 30}}], flow_name="intake", uuid="known")
    fill(make_keystore(acme, "weather"), known={"temp": 15})
    make_table(acme, "people", age="integer")
    insert_row(acme.caller, "people", {"age": 54})
    parts = {"keystore_id": "weather", "key": "known", "table": "people", "row": "1"}
    return parts | {"uuid": "known", "uri": register_webhook(acme.workspace, name="orders", rate_limit=0).uri}


@schema.parametrize()
@hypothesis.settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=list(hypothesis.HealthCheck),
    derandomize=True,
    # Shrinking a document of these schemas can take all memory there is; the finding itself says enough.
    phases=(hypothesis.Phase.explicit, hypothesis.Phase.generate),
)
def test_every_answer_is_as_described(case: Any, acme: Tenant, known: dict[str, str], one_connection: None) -> None:
    headers = credentials(acme, case.operation) | {"Host": "localhost"}
    if not leads_elsewhere(case):
        ask(case, headers)
    for name in known.keys() & case.path_parameters.keys():
        case.path_parameters[name] = known[name]
    ask(case, headers | {"X-Flow": "intake"})


def leads_elsewhere(case: Any) -> bool:
    """Whether the path is that of another call: OpenAPI matches paths with fewer parts to fill in first."""
    path = case.formatted_path.rstrip("/")
    more_concrete = (other for other in generic()["paths"] if other.count("{") < case.path.count("{"))
    return any(re.fullmatch(re.sub(r"\\?\{\w+\\?\}", "[^/]+", re.escape(other)), path) for other in more_concrete)


def ask(case: Any, headers: dict[str, str]) -> None:
    """Send one request, judge its answer, and undo what it has done."""
    # An answer that the caller has cut down with ``fields`` has not all that the document says.
    cut = (case.query or {}).get("fields")
    excluded = [response_schema_conformance] if cut else []
    with transaction.atomic():
        case.call_and_validate(headers=headers, excluded_checks=excluded)
        transaction.set_rollback(True)
