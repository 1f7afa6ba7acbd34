"""Registering applications and replacing their secrets and the keys of projects and organizations."""

from dataclasses import dataclass
from typing import Any

from django.db import transaction

from apps.accounts.models import Organization, Project
from apps.applications.authentication import forget_credentials
from apps.applications.issuing import revoke_tokens
from apps.applications.models import Application
from apps.core import tokens


@dataclass(frozen=True, slots=True)
class RegisteredApplication:
    """A new application with its secret in the clear, for this one moment."""

    application: Application
    client_secret: str


def register_application(project: Project, **fields: Any) -> RegisteredApplication:
    """Create an application of ``project``; ``fields`` are those of its form."""
    application = Application(project=project, **fields)
    return RegisteredApplication(application, save_with_new_secret(application))


def save_with_new_secret(application: Application) -> str:
    """Save an application with a fresh client secret, which is returned and never shown again."""
    secret = tokens.new_secret()
    application.client_type = Application.CLIENT_CONFIDENTIAL
    application.authorization_grant_type = Application.GRANT_CLIENT_CREDENTIALS
    application.client_secret = secret
    application.secret_prefix = tokens.prefix(secret)
    application.save()
    forget_credentials()
    return secret


def rotate_client_secret(application: Application) -> str:
    """Replace the client secret and end every token bought with the old one; returns the new secret."""
    with transaction.atomic():
        revoke_tokens(application.pk)
        return save_with_new_secret(application)


def rotate_project_key(project: Project) -> str:
    """Replace the project's API key; the old one stops working within a second."""
    return _rotate_api_key(project)


def rotate_organization_key(organization: Organization) -> str:
    """Replace the organization's API key."""
    return _rotate_api_key(organization)


def _rotate_api_key(owner: Project | Organization) -> str:
    key = tokens.new_secret()
    owner.api_key_hash, owner.api_key_prefix = tokens.digest(key), tokens.prefix(key)
    owner.save(update_fields=["api_key_hash", "api_key_prefix"])
    forget_credentials()
    return key
