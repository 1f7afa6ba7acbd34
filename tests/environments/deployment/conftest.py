"""A second workspace of Acme's project, as an environment has one, and the ways to fill both."""

from typing import Any

import pytest

from apps.accounts.models import Role, Workspace
from apps.applications.caller import Caller
from apps.applications.members import member_caller
from apps.environments.definitions.document import apply_definition, read_definition
from tests.conftest import Tenant
from tests.keystores.conftest import fill, make_keystore
from tests.tables.conftest import make_table


@pytest.fixture
def copy(acme: Tenant) -> Caller:
    """The owner of Acme as a caller of the project's other workspace."""
    workspace = Workspace.objects.create(project=acme.project, api_host="api-copy.localhost", time_zone="Europe/Paris")
    return member_caller(workspace, Role.OWNER, "127.0.0.1")


@pytest.fixture
def stocked(acme: Tenant) -> Tenant:
    """Acme with a keystore and a table that hold something."""
    fill(make_keystore(acme), London={"temp": 15}, Madrid={"temp": 24})
    people = make_table(acme, "people", username="text", age={"kind": "integer", "indexable": True})
    acme.extra["people"] = people
    return acme


def deploy(acme: Tenant, copy: Caller, **options: Any) -> list[str]:
    """Bring the other workspace in line with the Designer's."""
    return apply_definition(copy, read_definition(acme.workspace.pk), source_id=acme.workspace.pk, **options)
