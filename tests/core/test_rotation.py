"""Secrets move to the newest key: all of them, whoever interrupts it."""

import threading
from collections.abc import Iterator
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, models, transaction
from django.test.utils import isolate_apps

from apps.core.crypto import EncryptedTextField, Undecipherable
from apps.core.rotation import encrypted_fields, rotate_field
from flowize.management.commands import rotate_keys

OLD, NEW = "old " * 8, "new " * 8


@pytest.fixture
def safe(transactional_db: None, settings) -> Iterator[type[models.Model]]:
    """A table with two secrets a row, the keys once old, then rotated."""
    with isolate_apps("apps.core"):

        class Safe(models.Model):  # noqa: DJ008
            secret = EncryptedTextField(blank=True)
            other = EncryptedTextField(null=True)
            plain = models.TextField(default="plain")

            class Meta:
                app_label = "core"

        with connection.schema_editor() as editor:
            editor.create_model(Safe)
        settings.ENCRYPTION_KEYS = [OLD]
        yield Safe
        with connection.schema_editor() as editor:
            editor.delete_model(Safe)


def tokens(model: type[models.Model], column: str = "secret") -> list[str | None]:
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT "{column}" FROM {model._meta.db_table} ORDER BY id')
        return [token for (token,) in cursor.fetchall()]


def fill(model: type[models.Model], *secrets: str) -> None:
    model.objects.bulk_create([model(secret=secret) for secret in secrets])


def test_every_secret_is_rotated_and_the_old_key_is_needed_no_longer(safe, settings) -> None:
    fill(safe, *(f"secret {number}" for number in range(7)))
    settings.ENCRYPTION_KEYS = [NEW, OLD]

    outcome = rotate_field(safe, safe._meta.get_field("secret"), batch=3)

    assert (outcome.rotated, outcome.current, outcome.undecipherable) == (7, 0, [])
    assert (outcome.model, outcome.field) == ("core.Safe", "secret")
    settings.ENCRYPTION_KEYS = [NEW]
    assert [row.secret for row in safe.objects.order_by("pk")] == [f"secret {number}" for number in range(7)]


def test_a_second_run_changes_nothing(safe, settings) -> None:
    fill(safe, "a", "b")
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    rotate_field(safe, safe._meta.get_field("secret"))
    before = tokens(safe)

    outcome = rotate_field(safe, safe._meta.get_field("secret"))

    assert (outcome.rotated, outcome.current) == (0, 2)
    assert tokens(safe) == before


def test_empty_secrets_stay_empty_and_other_columns_untouched(safe, settings) -> None:
    fill(safe, "", "a")
    settings.ENCRYPTION_KEYS = [NEW, OLD]

    for field in ("secret", "other"):
        rotate_field(safe, safe._meta.get_field(field))

    assert tokens(safe)[0] == ""
    assert tokens(safe, "other") == [None, None]
    assert tokens(safe, "plain") == ["plain", "plain"]


def test_what_no_key_decrypts_is_named_and_kept_and_the_rest_rotated(safe, settings) -> None:
    fill(safe, "a", "b", "c")
    lost = safe.objects.order_by("pk")[1].pk
    safe.objects.filter(pk=lost).update(secret=models.Value("gAAAA damaged", output_field=models.TextField()))
    settings.ENCRYPTION_KEYS = [NEW, OLD]

    outcome = rotate_field(safe, safe._meta.get_field("secret"), batch=1)

    assert (outcome.rotated, outcome.undecipherable) == (2, [lost])
    assert tokens(safe)[1] == "gAAAA damaged"


def test_a_run_that_dies_leaves_whole_batches_and_the_next_one_does_the_rest(safe, settings, monkeypatch) -> None:
    fill(safe, *"abcdef")
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    calls = iter(range(100))
    rotate = rotate_field.__globals__["crypto"].rotate

    def dying(token: str) -> str:
        if next(calls) == 3:
            raise KeyboardInterrupt
        return rotate(token)

    with monkeypatch.context() as patched:
        patched.setattr("apps.core.crypto.rotate", dying)
        with pytest.raises(KeyboardInterrupt):
            rotate_field(safe, safe._meta.get_field("secret"), batch=2)
    outcome = rotate_field(safe, safe._meta.get_field("secret"), batch=2)

    assert (outcome.rotated, outcome.current) == (4, 2)
    assert [row.secret for row in safe.objects.order_by("pk")] == list("abcdef")


def test_a_secret_that_is_changed_meanwhile_is_not_overwritten(safe, settings) -> None:
    fill(safe, "before")
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    changed = threading.Event()

    def change() -> None:
        try:
            with transaction.atomic():
                safe.objects.update(secret="after")
                changed.set()
                connection.cursor().execute("SELECT pg_sleep(0.3)")
        finally:
            connection.close()

    other = threading.Thread(target=change)
    other.start()
    assert changed.wait(10)
    rotate_field(safe, safe._meta.get_field("secret"))
    other.join()

    assert safe.objects.get().secret == "after"


def test_fields_are_found_where_they_are_stored(safe) -> None:
    class Proxy(safe):
        class Meta:
            proxy = True
            app_label = "core"

    class Elsewhere(models.Model):  # noqa: DJ008
        secret = EncryptedTextField()

        class Meta:
            managed = False
            app_label = "core"

    found = encrypted_fields([safe, Proxy, Elsewhere])

    assert [(model, field.name) for model, field in found] == [(safe, "secret"), (safe, "other")]


def test_the_command_counts_and_fails_when_a_secret_is_lost(safe, settings, monkeypatch) -> None:
    fill(safe, "a", "b")
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    monkeypatch.setattr(rotate_keys.apps, "get_models", lambda: [safe])

    out = StringIO()
    call_command("rotate_keys", stdout=out)
    assert out.getvalue().splitlines() == [
        "core.Safe.secret: 2 rotated, 0 under the first key already",
        "core.Safe.other: 0 rotated, 0 under the first key already",
    ]

    settings.ENCRYPTION_KEYS = ["third " * 6]
    with pytest.raises(CommandError) as caught:
        call_command("rotate_keys", stdout=StringIO())
    first, second = safe.objects.order_by("pk").values_list("pk", flat=True)
    assert str(caught.value) == (
        "None of ENCRYPTION_KEYS decrypts these; they were left as they are:\n"
        f"  core.Safe {first}: secret\n  core.Safe {second}: secret"
    )
    with pytest.raises(Undecipherable):
        safe.objects.get(pk=first)


def test_the_command_takes_no_senseless_batch() -> None:
    with pytest.raises(CommandError, match="--batch must be 1 or more"):
        call_command("rotate_keys", batch=0)


@pytest.mark.django_db
def test_the_command_runs_over_all_models() -> None:
    call_command("rotate_keys", stdout=StringIO())
