"""People and the members of organizations."""

from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import Membership, Role, User
from tests.conftest import Tenant
from tests.members import person, signed_in, superuser


@pytest.fixture
def owner(acme: Tenant) -> Client:
    """The owner of Acme."""
    return signed_in(person("ada", acme=Role.OWNER))


def post_members(client: Client, acme: Tenant, *lines: dict[str, Any]) -> Any:
    """Save Acme's page with those lines of members; the first ones are those who are members already."""
    known = list(Membership.objects.filter(organization=acme.organization).order_by("user__username"))
    form: dict[str, Any] = {
        "name": "acme",
        "memberships-TOTAL_FORMS": len(lines),
        "memberships-INITIAL_FORMS": len(known),
    }
    for number, line in enumerate(lines):
        form |= {f"memberships-{number}-{key}": value for key, value in line.items()}
        form[f"memberships-{number}-organization"] = acme.organization.pk
        form[f"memberships-{number}-id"] = known[number].pk if number < len(known) else ""
    return client.post(f"/admin/accounts/organization/{acme.organization.pk}/change/", form)


def roles(acme: Tenant) -> dict[str, str]:
    """Who has which role in Acme."""
    return dict(Membership.objects.filter(organization=acme.organization).values_list("user__username", "role"))


def test_owners_add_members_by_user_name(acme: Tenant, owner: Client) -> None:
    person("bob")
    response = post_members(owner, acme, {"role": "owner"}, {"username": "bob", "role": "viewer"})
    assert response.status_code == 302
    assert roles(acme) == {"ada": "owner", "bob": "viewer"}


@pytest.mark.parametrize(
    ("username", "message"),
    [("nobody", "Nobody has this user name."), ("ada", "This person is a member already."), ("", "This field is")],
)
def test_a_user_name_that_cannot_be_added_is_refused(acme: Tenant, owner: Client, username: str, message: str) -> None:
    response = post_members(owner, acme, {"role": "owner"}, {"username": username, "role": "viewer"})
    assert response.status_code == 200
    assert message in response.content.decode()
    assert roles(acme) == {"ada": "owner"}


def test_nobody_is_added_twice_at_once(acme: Tenant, owner: Client) -> None:
    person("bob")
    line = {"username": "bob", "role": "viewer"}
    response = post_members(owner, acme, {"role": "owner"}, line, line)
    assert "A person can be a member once." in response.content.decode()
    assert roles(acme) == {"ada": "owner"}


@pytest.mark.parametrize("line", [{"role": "viewer"}, {"role": "owner", "DELETE": "on"}])
def test_an_organization_keeps_an_owner(acme: Tenant, owner: Client, line: dict[str, str]) -> None:
    response = post_members(owner, acme, line)
    assert "An organization keeps at least one owner." in response.content.decode()
    assert roles(acme) == {"ada": "owner"}


def test_a_foreign_membership_cannot_be_taken_over(acme: Tenant, rival: Tenant, owner: Client) -> None:
    person("mallory", rival=Role.OWNER)
    foreign = Membership.objects.get(user__username="mallory")
    own = Membership.objects.get(user__username="ada")
    form = {
        "name": "acme",
        "memberships-TOTAL_FORMS": 2,
        "memberships-INITIAL_FORMS": 2,
        "memberships-0-id": own.pk,
        "memberships-0-role": "owner",
        "memberships-1-id": foreign.pk,
        "memberships-1-role": "viewer",
        "memberships-1-DELETE": "on",
    }
    owner.post(f"/admin/accounts/organization/{acme.organization.pk}/change/", form)
    foreign.refresh_from_db()
    assert (foreign.role, foreign.organization) == ("owner", rival.organization)


@pytest.mark.parametrize("role", [Role.DEVELOPER, Role.OPERATOR, Role.VIEWER])
def test_members_are_shown_to_owners_only(acme: Tenant, owner: Client, role: Role) -> None:
    page = signed_in(person("bob", acme=role)).get(f"/admin/accounts/organization/{acme.organization.pk}/change/")
    assert page.status_code == 200
    assert "ada" not in page.content.decode()
    assert "ada" in owner.get(f"/admin/accounts/organization/{acme.organization.pk}/change/").content.decode()


def test_people_are_for_superusers(acme: Tenant, owner: Client) -> None:
    assert owner.get("/admin/accounts/user/").status_code == 403
    assert signed_in(superuser()).get("/admin/accounts/user/").status_code == 200


def test_a_person_who_is_added_may_sign_in_here(acme: Tenant) -> None:
    form = {"username": "carol", "password1": "a long enough phrase", "password2": "a long enough phrase"}
    response = signed_in(superuser()).post("/admin/accounts/user/add/", form | {"usable_password": "true"})
    assert response.status_code == 302
    carol = User.objects.get(username="carol")
    assert (carol.is_staff, carol.is_superuser) == (True, False)
    assert carol.check_password("a long enough phrase")


def test_the_page_of_a_person_opens(acme: Tenant) -> None:
    carol = person("carol")
    assert signed_in(superuser()).get(f"/admin/accounts/user/{carol.pk}/change/").status_code == 200


def test_signing_in_leads_to_the_overview(client: Client, db: None) -> None:
    User.objects.create_user("ann", password="correct horse", is_staff=True)
    answer = client.post("/admin/login/", {"username": "ann", "password": "correct horse"})
    assert (answer.status_code, answer["Location"]) == (302, "/admin/")
