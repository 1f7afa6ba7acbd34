from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from oauth2_provider.models import AccessToken

from apps.applications.models import RateWindow, RefreshToken
from apps.applications.tasks import clear_expired_tokens, clear_old_windows
from tests.conftest import Tenant


def test_tokens_that_have_ended_are_cleared_and_no_others(client: Client, acme: Tenant) -> None:
    for _ in range(3):
        client.get("/v1/checkauthentication", headers=acme.client_headers)
    ended, *alive = AccessToken.objects.order_by("pk")
    AccessToken.objects.filter(pk=ended.pk).update(expires=timezone.now() - timedelta(seconds=1))
    clear_expired_tokens()
    assert list(AccessToken.objects.order_by("pk")) == alive
    assert RefreshToken.objects.count() == 3


@pytest.mark.django_db
def test_counters_are_cleared_a_day_after_their_window() -> None:
    for key, hours in {"old": 25, "recent": 23}.items():
        RateWindow.objects.create(key=key, started=timezone.now() - timedelta(hours=hours), hits=1)
    clear_old_windows()
    assert [row.key for row in RateWindow.objects.all()] == ["recent"]
