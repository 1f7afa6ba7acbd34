"""Acme's webhook."""

import pytest

from apps.webhooks.services import RegisteredWebhook
from tests.conftest import Tenant
from tests.webhooks.cast import webhook_of


@pytest.fixture
def hook(acme: Tenant) -> RegisteredWebhook:
    """The one without a flow."""
    return webhook_of(acme)
