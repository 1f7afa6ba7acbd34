"""How long serving processes wait for the database."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import OperationalError, connection, connections, transaction
from django.db.backends.signals import connection_created
from psycopg.errors import LockNotAvailable, QueryCanceled

from apps.accounts.models import Organization
from apps.core.patience import bound_locks, bound_statements

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _unbounded() -> Iterator[None]:
    """Whatever another test has loaded may have bounded the connections of this process already."""
    connection_created.disconnect(dispatch_uid="patience")
    connections.close_all()
    yield
    connection_created.disconnect(dispatch_uid="patience")
    connections.close_all()


def setting(name: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting(%s)", [name])
        return cursor.fetchone()[0]


def test_new_connections_of_a_web_server_wait_for_locks_no_longer_than_that(settings: Any) -> None:
    settings.LOCK_SECONDS = 0.25
    assert setting("lock_timeout") == "0"
    bound_locks()
    connection.close()
    assert (setting("lock_timeout"), setting("statement_timeout")) == ("250ms", "0")


def test_the_thread_that_runs_flows_bounds_both(settings: Any) -> None:
    settings.LOCK_SECONDS, settings.STATEMENT_SECONDS = 2.0, 0.05
    bound_statements()
    assert (setting("lock_timeout"), setting("statement_timeout")) == ("2s", "50ms")
    with pytest.raises(OperationalError) as caught, connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(5)")
    assert isinstance(caught.value.__cause__, QueryCanceled)


def test_a_lock_of_somebody_else_is_given_up(settings: Any) -> None:
    settings.LOCK_SECONDS = 0.05
    bound_locks()
    connection.close()
    organization = Organization.objects.create(name="locked")
    holding, release = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                Organization.objects.select_for_update().get(pk=organization.pk)
                holding.set()
                release.wait(10)
        finally:
            connections.close_all()

    holder = threading.Thread(target=hold)
    holder.start()
    holding.wait(10)
    with pytest.raises(OperationalError) as caught:
        Organization.objects.filter(pk=organization.pk).update(name="free")
    release.set()
    holder.join()
    assert isinstance(caught.value.__cause__, LockNotAvailable)


def test_behind_a_pooler_the_session_is_nobodys(settings: Any) -> None:
    options = connection.settings_dict["OPTIONS"]
    threshold = options["prepare_threshold"]
    options["prepare_threshold"] = None
    try:
        bound_statements()
    finally:
        options["prepare_threshold"] = threshold
    assert setting("lock_timeout") == "0"
