"""The tenants of the admin's tests."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from django.db.models import Model

from apps.accounts.models import Role
from tests.conftest import build_tenant
from tests.core.stage import Stage, rows_of
from tests.members import person, signed_in


@pytest.fixture(scope="module")
def both_rows(django_db_setup: None, django_db_blocker: Any) -> Iterator[tuple[dict[type[Model], Any], ...]]:
    """Those of both tenants, made once; each test undoes what it changes."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield rows_of(build_tenant("acme")), rows_of(build_tenant("rival"))
        transaction.set_rollback(True)


@pytest.fixture
def stage(both_rows: tuple[dict[type[Model], Any], ...], db: None) -> Stage:
    """The whole of it."""
    user = person("acme-owner", acme=Role.OWNER)
    return Stage(*both_rows, user, signed_in(user))
