from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from apps.applications.models import Application
from apps.applications.services import (
    register_application,
    rotate_client_secret,
    rotate_organization_key,
    rotate_project_key,
)
from apps.core import tokens
from tests.conftest import Tenant


def test_a_registered_application(acme: Tenant) -> None:
    registered = register_application(acme.project, name="crm", scopes=["record"])
    application = Application.objects.get(pk=registered.application.pk)
    assert len(registered.client_secret) == 64
    assert application.secret_prefix == registered.client_secret[:8]
    assert application.client_secret == f"random-secret-sha256$-${tokens.digest(registered.client_secret)}"
    assert (len(application.client_id), len(application.app_key)) == (40, 32)
    assert (application.client_type, application.authorization_grant_type) == ("confidential", "client-credentials")
    assert (application.oauth2, application.url_keys, application.active) == (True, False, True)
    assert (application.addresses, application.rate_limit, application.default_flow) == ("", 1000, "")


def test_the_rate_limit_of_new_applications_is_a_setting(acme: Tenant, settings: Any) -> None:
    settings.RATE_LIMIT = 50
    assert register_application(acme.project, name="crm").application.rate_limit == 50


def test_names_are_unique_in_the_installation(acme: Tenant, rival: Tenant) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        register_application(rival.project, name="acme-keys")


def test_saving_again_keeps_the_secret(acme: Tenant) -> None:
    before = Application.objects.get(pk=acme.oauth.pk).client_secret
    application = Application.objects.get(pk=acme.oauth.pk)
    application.description = "changed"
    application.save()
    assert Application.objects.get(pk=acme.oauth.pk).client_secret == before


def test_replaced_secrets_and_keys_are_new_each_time(acme: Tenant) -> None:
    secrets = [rotate_client_secret(acme.oauth) for _ in range(2)]
    keys = [rotate_project_key(acme.project) for _ in range(2)]
    keys += [rotate_organization_key(acme.organization) for _ in range(2)]
    assert len(set(secrets + keys)) == 6
    acme.project.refresh_from_db()
    acme.organization.refresh_from_db()
    assert (acme.project.api_key_hash, acme.project.api_key_prefix) == (tokens.digest(keys[1]), keys[1][:8])
    assert (acme.organization.api_key_hash, acme.organization.api_key_prefix) == (tokens.digest(keys[3]), keys[3][:8])


def test_an_organizations_key_is_off_until_switched_on(acme: Tenant) -> None:
    rotate_organization_key(acme.organization)
    acme.organization.refresh_from_db()
    assert acme.organization.api_key_enabled is False


def test_a_faulty_address_list_names_its_lines(acme: Tenant) -> None:
    acme.keys.addresses = "10.0.0.1\nnonsense, 10.0.0.0/8\n10.0.0.1/8"
    with pytest.raises(ValidationError) as caught:
        acme.keys.full_clean(exclude=["client_secret", "redirect_uris"])
    assert caught.value.message_dict["addresses"] == [
        "Line 2: 'nonsense' is neither an address nor a CIDR network.",
        "Line 3: '10.0.0.1/8' has bits set beyond its prefix; the network is 10.0.0.0/8.",
    ]
