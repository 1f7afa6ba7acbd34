"""Who may manage environments: whoever holds the organization's API key, and its owners in the admin."""

from dataclasses import dataclass

from django.conf import settings

from apps.accounts.models import Organization, Role
from apps.core import tokens
from apps.core.errors import Forbidden, MissingScope, WrongCredentials

KEY_LENGTH = 64


@dataclass(frozen=True, slots=True)
class OrganizationCaller:
    """An organization as services know it; ``manages`` says whether the caller may change anything."""

    organization_id: int
    address: str
    name: str
    manages: bool = True
    rate_limit: int = 0

    def require_manager(self) -> None:
        """Raise ``MissingScope`` for a member who may only look."""
        if not self.manages:
            raise MissingScope


def authenticate_organization(api_key: str, *, address: str) -> OrganizationCaller:
    """The organization of an API key.

    Raises ``WrongCredentials`` for a key that is none, a project's for instance, and ``Forbidden`` for the right key
    of an organization that has it switched off.
    """
    if len(api_key) != KEY_LENGTH or not api_key.isascii():
        raise WrongCredentials
    found = Organization.objects.filter(api_key_hash=tokens.digest(api_key)).values("id", "api_key_enabled").first()
    if found is None:
        raise WrongCredentials
    if not found["api_key_enabled"]:
        raise Forbidden("The organization API key is switched off.")
    return OrganizationCaller(found["id"], address, name="API key", rate_limit=settings.RATE_LIMIT)


def member_of(organization: Organization, role: Role, *, address: str = "", name: str = "") -> OrganizationCaller:
    """A member of that role in the admin: owners manage environments, everybody else may look."""
    return OrganizationCaller(organization.pk, address, name=name, manages=role.includes(Role.OWNER))
