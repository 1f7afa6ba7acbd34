"""The pages of data fields."""

from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import Role
from apps.schemas.fields import create_field
from apps.schemas.models import DataField
from tests.conftest import Tenant
from tests.members import person, signed_in

PATH = "/admin/schemas/datafield/"


@pytest.fixture
def developer(acme: Tenant) -> Client:
    """A developer of Acme."""
    return signed_in(person("dev", acme=Role.DEVELOPER))


def save(client: Client, tenant: Tenant, where: str = "add/", **changed: Any) -> Any:
    form = {"workspace": tenant.workspace.pk, "name": "email", "path": "client.0.email"} | changed
    return client.post(PATH + where, form)


def test_a_field_is_defined_renamed_and_given_another_path(acme: Tenant, developer: Client) -> None:
    assert save(developer, acme, list_column="on").status_code == 302
    field = DataField.objects.get()
    assert (field.name, field.path, field.list_column, field.is_filled) == ("email", "client.0.email", True, False)
    where = f"{field.pk}/change/"
    assert "being read" in developer.get(PATH + where).content.decode()
    assert save(developer, acme, where, name="mail").status_code == 302
    assert DataField.objects.values_list("pk", "name", "list_column").get() == (field.pk, "mail", False)
    assert save(developer, acme, where, path="client.1.email").status_code == 302
    assert DataField.objects.get().path == "client.1.email"
    assert DataField.objects.get().pk != field.pk


def test_another_field_may_become_the_list_column(acme: Tenant, developer: Client) -> None:
    create_field(acme.caller, name="first", path="a", list_column=True)
    assert save(developer, acme, list_column="on").status_code == 302
    assert DataField.objects.get(list_column=True).name == "email"


@pytest.mark.parametrize(
    ("changed", "place"),
    [
        ({"name": ""}, "name"),
        ({"path": ""}, "path"),
        ({"path": "a..b"}, "path"),
        ({"name": "a\x7fb"}, "name"),
        ({"name": "n" * 65}, "name"),
    ],
)
def test_a_fault_is_told_at_its_field(acme: Tenant, developer: Client, changed: dict[str, str], place: str) -> None:
    assert list(save(developer, acme, **changed).context["adminform"].form.errors) == [place]
    assert not DataField.objects.exists()


def test_a_name_is_taken_once(acme: Tenant, developer: Client) -> None:
    save(developer, acme)
    assert save(developer, acme).context["adminform"].form.errors
    assert DataField.objects.count() == 1


def test_the_twenty_first_field_is_refused(acme: Tenant, developer: Client) -> None:
    for number in range(20):
        create_field(acme.caller, name=f"f{number}", path="a")
    response = developer.post(PATH + "add/", {"workspace": acme.workspace.pk, "name": "more", "path": "a"}, follow=True)
    assert "A workspace has at most 20 data fields." in response.content.decode()
    assert DataField.objects.count() == 20


def test_operators_only_read(acme: Tenant) -> None:
    client = signed_in(person("op", acme=Role.OPERATOR))
    assert save(client, acme).status_code == 403
    field = create_field(acme.caller, name="email", path="a")
    assert client.get(f"{PATH}{field.pk}/change/").status_code == 200
    assert client.post(f"{PATH}{field.pk}/delete/", {"post": "yes"}).status_code == 403
