"""The page of a data schema."""

import json
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import Role
from apps.schemas.models import Schema
from tests.conftest import Tenant
from tests.members import person, signed_in

SOURCE = json.dumps({"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}, indent=2)
SAMPLE = '{"name": "Ada"}'


@pytest.fixture
def developer(acme: Tenant) -> Client:
    """A developer of Acme."""
    return signed_in(person("dev", acme=Role.DEVELOPER))


def add(client: Client, tenant: Tenant, **changed: Any) -> Any:
    """Send the form of a new schema."""
    form = {"workspace": tenant.workspace.pk, "url": "", "source": SOURCE, "sample": SAMPLE} | changed
    return client.post("/admin/schemas/schema/add/", form)


def test_a_schema_is_kept_as_it_was_written(acme: Tenant, developer: Client) -> None:
    assert add(developer, acme, source=SOURCE.replace("\n", "\r\n")).status_code == 302
    schema = Schema.objects.get(workspace=acme.workspace)
    assert (schema.source, schema.sample, schema.version) == (SOURCE, SAMPLE, 1)


@pytest.mark.parametrize(
    ("changed", "field", "message"),
    [
        (
            {"source": '{"type":\n  oops}'},
            "source",
            "Not valid JSON: Expecting value at line 2, column 3.",
        ),
        ({"sample": '{"name": "Ada",}'}, "sample", "line 1, column"),
        ({"sample": '{"name": 5}'}, "sample", "/name: "),
        ({"source": '{"type": "text"}'}, "source", "/type: "),
        ({"source": ""}, "source", "This field is required."),
    ],
)
def test_a_fault_is_told_at_its_field(
    acme: Tenant, developer: Client, changed: dict[str, str], field: str, message: str
) -> None:
    errors = add(developer, acme, **changed).context["adminform"].form.errors
    assert list(errors) == [field]
    assert message in errors[field][0]
    assert not Schema.objects.exists()


def test_every_change_is_a_version(acme: Tenant, developer: Client) -> None:
    add(developer, acme)
    schema = Schema.objects.get()
    form = {"url": "https://example.com/s", "source": SOURCE, "sample": '{"name": "Grace"}'}
    assert developer.post(f"/admin/schemas/schema/{schema.pk}/change/", form).status_code == 302
    schema.refresh_from_db()
    assert (schema.version, schema.sample, schema.workspace) == (2, '{"name": "Grace"}', acme.workspace)


def test_a_workspace_has_one_schema(acme: Tenant, developer: Client) -> None:
    add(developer, acme)
    assert "workspace" in add(developer, acme).context["adminform"].form.errors


def test_a_foreign_workspace_is_no_choice(acme: Tenant, rival: Tenant, developer: Client) -> None:
    assert "workspace" in add(developer, rival).context["adminform"].form.errors
    assert not Schema.objects.exists()


def test_readers_see_the_schema_and_cannot_change_it(acme: Tenant, developer: Client) -> None:
    add(developer, acme)
    path = f"/admin/schemas/schema/{Schema.objects.get().pk}/change/"
    viewer = signed_in(person("vi", acme=Role.VIEWER))
    assert "Ada" in viewer.get(path).content.decode()
    assert viewer.post(path, {"source": "{}", "sample": "{}"}).status_code == 403
    assert Schema.objects.get().version == 1
