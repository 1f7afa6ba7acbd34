"""From credentials to a Caller, without HTTP."""

import time
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from oauth2_provider.models import AccessToken

from apps.accounts.models import Workspace
from apps.applications import services
from apps.applications.authentication import (
    BearerToken,
    ClientCredentials,
    Keys,
    ProjectKey,
    authenticate,
)
from apps.applications.caller import Caller
from apps.applications.issuing import issue_tokens
from apps.applications.models import Application
from apps.applications.scopes import SCOPES
from apps.core.errors import AddressNotAllowed, Forbidden, InvalidToken, MissingScope, WrongCredentials
from tests.conftest import Tenant

ALL = frozenset(SCOPES)


def of_keys(tenant: Tenant, **more: Any) -> Caller:
    return authenticate(Keys(tenant.api_key, tenant.keys.app_key), **({"host": "", "address": "127.0.0.1"} | more))


def of_client(tenant: Tenant, **more: Any) -> Caller:
    credentials = ClientCredentials(tenant.oauth.client_id, tenant.client_secret)
    return authenticate(credentials, **({"host": "", "address": "127.0.0.1"} | more))


def of_token(token: str, **more: Any) -> Caller:
    return authenticate(BearerToken(token), **({"host": "", "address": "127.0.0.1"} | more))


def test_a_caller_knows_its_tenant(acme: Tenant) -> None:
    acme.keys.default_flow, acme.keys.rate_limit = "intake", 7
    acme.keys.save()
    assert of_keys(acme) == Caller(
        organization_id=acme.organization.pk,
        project_id=acme.project.pk,
        project_name="acme project",
        workspace_id=acme.workspace.pk,
        time_zone="Europe/Amsterdam",
        address="127.0.0.1",
        scopes=ALL,
        application_id=acme.keys.pk,
        default_flow="intake",
        rate_limit=7,
    )


def test_each_style_leads_to_its_application(acme: Tenant, rival: Tenant) -> None:
    assert of_client(acme).application_id == acme.oauth.pk
    assert of_token(issue_tokens(of_client(acme)).access_token).application_id == acme.oauth.pk
    assert of_keys(rival).application_id == rival.keys.pk


def test_the_project_key_alone_stands_for_no_application(acme: Tenant) -> None:
    acme.narrow.rate_limit = 30
    acme.narrow.save()
    caller = authenticate(ProjectKey(acme.api_key), host="", address="127.0.0.1")
    assert (caller.application_id, caller.default_flow, caller.project_id) == (None, "", acme.project.pk)
    assert caller.scopes == ALL
    assert caller.rate_limit == 0
    assert caller.rate_key == f"project:{acme.project.pk}"


def test_the_project_key_has_what_its_applications_permit_from_that_address(acme: Tenant) -> None:
    acme.keys.addresses = "10.0.0.1"
    acme.keys.save()
    acme.narrow.rate_limit = 30
    acme.narrow.save()
    caller = authenticate(ProjectKey(acme.api_key), host="", address="127.0.0.1")
    assert (caller.scopes, caller.rate_limit) == ({"record.read"}, 30)
    caller = authenticate(ProjectKey(acme.api_key), host="", address="10.0.0.1")
    assert (caller.scopes, caller.rate_limit) == (ALL, 0)
    with pytest.raises(AddressNotAllowed):
        authenticate(ProjectKey(acme.api_key), host="", address="10.0.0.2")


def test_the_project_key_in_the_url_needs_an_application_that_allows_it(acme: Tenant) -> None:
    assert authenticate(ProjectKey(acme.api_key, in_url=True), host="", address="127.0.0.1").scopes == ALL
    acme.keys.url_keys = False
    acme.keys.save()
    services.forget_credentials()
    with pytest.raises(Forbidden, match="No application of this project allows keys in the URL"):
        authenticate(ProjectKey(acme.api_key, in_url=True), host="", address="127.0.0.1")


def test_the_project_key_of_a_project_with_tokens_only(acme: Tenant) -> None:
    Application.objects.update(oauth2=True)
    with pytest.raises(WrongCredentials):
        authenticate(ProjectKey(acme.api_key), host="", address="127.0.0.1")


def test_the_host_picks_the_workspace(acme: Tenant, rival: Tenant) -> None:
    deployed = Workspace.objects.create(project=acme.project, api_host="api-acme.example", time_zone="Asia/Tokyo")
    Workspace.objects.create(project=rival.project, api_host="api-rival.example")
    token = issue_tokens(of_client(acme)).access_token
    for caller in (
        of_keys(acme, host="api-acme.example"),
        of_client(acme, host="api-acme.example"),
        of_token(token, host="api-acme.example"),
        authenticate(ProjectKey(acme.api_key), host="api-acme.example", address="127.0.0.1"),
    ):
        assert (caller.workspace_id, caller.time_zone) == (deployed.pk, "Asia/Tokyo")
    for host in ("", "api-rival.example", "elsewhere.example"):
        assert of_keys(acme, host=host).workspace_id == acme.workspace.pk


@pytest.mark.parametrize(
    ("addresses", "address", "allowed"),
    [
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", "::ffff:127.0.0.1", True),
        ("127.0.0.1", "127.0.0.2", False),
        ("10.0.0.0/8, 2001:db8::/32", "10.200.3.4", True),
        ("10.0.0.0/8, 2001:db8::/32", "2001:db8:1::5", True),
        ("10.0.0.0/8, 2001:db8::/32", "2001:db9::1", False),
        ("0.0.0.0/0", "198.51.100.1", True),
        ("0.0.0.0/0", "2001:db8::1", False),
        ("0.0.0.0/0\n::/0", "", False),
        ("0.0.0.0/0\n::/0", "nonsense", False),
        ("", "127.0.0.1", False),
    ],
)
def test_addresses(acme: Tenant, addresses: str, address: str, allowed: bool) -> None:
    Application.objects.update(addresses=addresses)
    if allowed:
        assert of_keys(acme, address=address).address == address
        assert of_client(acme, address=address).application_id == acme.oauth.pk
        return
    for authenticated in (of_keys, of_client):
        with pytest.raises(AddressNotAllowed):
            authenticated(acme, address=address)


def test_the_address_is_checked_on_every_call_with_a_token(acme: Tenant) -> None:
    token = issue_tokens(of_client(acme)).access_token
    assert of_token(token).application_id == acme.oauth.pk
    with pytest.raises(AddressNotAllowed):
        of_token(token, address="127.0.0.2")


def test_an_expired_token(acme: Tenant) -> None:
    token = issue_tokens(of_client(acme)).access_token
    AccessToken.objects.update(expires=timezone.now() - timedelta(seconds=1))
    with pytest.raises(InvalidToken):
        of_token(token)


def test_a_token_lives_as_long_as_the_setting_says(acme: Tenant, settings: Any) -> None:
    settings.TOKEN_SECONDS = 90
    issued = issue_tokens(of_client(acme))
    row = AccessToken.objects.get()
    assert row.expires == issued.expires
    assert abs((row.expires - row.created).total_seconds() - 90) < 1


def test_a_token_of_narrowed_scopes(acme: Tenant) -> None:
    token = issue_tokens(of_client(acme, scopes=["record.read", "schema"])).access_token
    assert of_token(token).scopes == {"record.read", "schema", "schema.read"}


def test_a_scope_taken_from_the_application_is_taken_from_its_tokens(acme: Tenant) -> None:
    token = issue_tokens(of_client(acme)).access_token
    Application.objects.filter(pk=acme.oauth.pk).update(scopes=["record.read", "tables"])
    assert of_token(token).scopes == {"record.read", "tables", "tables.read"}


def test_a_scope_given_to_the_application_later_is_not_given_to_its_tokens(acme: Tenant) -> None:
    Application.objects.filter(pk=acme.oauth.pk).update(scopes=["record.read"])
    token = issue_tokens(of_client(acme)).access_token
    Application.objects.filter(pk=acme.oauth.pk).update(scopes=list(SCOPES))
    assert of_token(token).scopes == {"record.read"}


@pytest.mark.parametrize(
    ("granted", "asked", "held"),
    [
        (["record"], None, {"record", "record.read", "record.delete"}),
        (["record"], ["record"], {"record", "record.read", "record.delete"}),
        (["record"], ["record.read"], {"record.read"}),
        (["record"], ["record.delete", "record.read"], {"record.read", "record.delete"}),
        (["record.read"], ["record.read", "record.read"], {"record.read"}),
        (["schema.read"], None, {"schema.read"}),
        ([], None, set()),
    ],
)
def test_scopes_imply_and_narrow(acme: Tenant, granted: list[str], asked: list[str] | None, held: set[str]) -> None:
    Application.objects.filter(pk=acme.keys.pk).update(scopes=granted)
    assert of_keys(acme, scopes=asked).scopes == held


@pytest.mark.parametrize("asked", [["record"], ["record.read", "schema.read"], [""], [], ["*"], ["nothing"]])
def test_scopes_that_were_not_granted(acme: Tenant, asked: list[str]) -> None:
    Application.objects.filter(pk=acme.keys.pk).update(scopes=["record.read"])
    with pytest.raises(MissingScope):
        of_keys(acme, scopes=asked)


def test_a_revoked_token_ends_within_the_time_credentials_are_remembered(acme: Tenant, settings: Any) -> None:
    settings.CREDENTIAL_CACHE_SECONDS = 0.3
    token = issue_tokens(of_client(acme)).access_token
    assert of_token(token).application_id == acme.oauth.pk
    AccessToken.objects.all().delete()
    assert of_token(token).application_id == acme.oauth.pk
    time.sleep(0.31)
    with pytest.raises(InvalidToken):
        of_token(token)


def test_an_address_taken_off_the_list_ends_as_quickly(acme: Tenant, settings: Any) -> None:
    settings.CREDENTIAL_CACHE_SECONDS = 0.3
    of_keys(acme)
    Application.objects.update(addresses="10.0.0.1")
    time.sleep(0.31)
    with pytest.raises(AddressNotAllowed):
        of_keys(acme)


def test_a_failure_is_not_remembered(acme: Tenant) -> None:
    Application.objects.update(active=False)
    with pytest.raises(WrongCredentials):
        of_keys(acme)
    Application.objects.update(active=True)
    assert of_keys(acme).application_id == acme.keys.pk


def test_the_credentials_of_one_style_are_not_remembered_for_another(acme: Tenant) -> None:
    of_client(acme)
    of_keys(acme)
    with pytest.raises(WrongCredentials):
        authenticate(Keys(acme.oauth.client_id, acme.client_secret), host="", address="127.0.0.1")
    with pytest.raises(WrongCredentials):
        authenticate(ClientCredentials(acme.api_key, acme.keys.app_key), host="", address="127.0.0.1")


def test_a_replaced_project_key(acme: Tenant) -> None:
    of_keys(acme)
    fresh = services.rotate_project_key(acme.project)
    with pytest.raises(WrongCredentials):
        of_keys(acme)
    assert authenticate(Keys(fresh, acme.keys.app_key), host="", address="127.0.0.1").scopes == ALL


def test_a_replaced_client_secret_ends_what_was_bought_with_the_old_one(acme: Tenant) -> None:
    token = issue_tokens(of_client(acme)).access_token
    of_token(token)
    fresh = services.rotate_client_secret(acme.oauth)
    with pytest.raises(WrongCredentials):
        of_client(acme)
    with pytest.raises(InvalidToken):
        of_token(token)
    credentials = ClientCredentials(acme.oauth.client_id, fresh)
    assert authenticate(credentials, host="", address="127.0.0.1").application_id == acme.oauth.pk


def test_fresh_proof_is_not_answered_from_memory(acme: Tenant) -> None:
    of_client(acme)
    Application.objects.update(active=False)
    assert of_client(acme).application_id == acme.oauth.pk
    with pytest.raises(WrongCredentials):
        of_client(acme, fresh=True)
