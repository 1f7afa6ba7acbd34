"""People of the cast, signed in to the admin."""

from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.test import Client, RequestFactory

from apps.accounts.models import Membership, Organization, Role, User


def person(username: str, **memberships: Role) -> User:
    """Somebody who may sign in; ``memberships`` are roles by the names of organizations."""
    user = User.objects.create_user(username, is_staff=True)
    for name, role in memberships.items():
        Membership.objects.create(user=user, organization=Organization.objects.get(name=name), role=role)
    return user


def superuser() -> User:
    """Somebody who runs the installation."""
    return User.objects.create_superuser("root")


def signed_in(user: User) -> Client:
    """A browser of theirs."""
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def request_of(user: User | AnonymousUser) -> Any:
    """A bare request of theirs, for asking an admin directly."""
    request = RequestFactory().get("/admin/")
    request.user = user
    return request
