"""Bringing every stored secret under the newest of ``ENCRYPTION_KEYS``."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import models, transaction
from django.db.models.functions import Cast

from apps.core import crypto

BATCH = 200


@dataclass(slots=True)
class Outcome:
    """What became of the secrets of one field: how many were rotated, were new already, and which nobody can read."""

    model: str
    field: str
    rotated: int
    current: int
    undecipherable: list[object]


def encrypted_fields(every: Iterable[type[models.Model]]) -> list[tuple[type[models.Model], models.Field]]:
    """The fields with secrets, each with the model whose table has it."""
    return [
        (model, field)
        for model in every
        if model._meta.managed and not model._meta.proxy
        for field in model._meta.local_fields
        if isinstance(field, crypto.EncryptedTextField)
    ]


def rotate_field(model: type[models.Model], field: models.Field, *, batch: int = BATCH) -> Outcome:
    """Encrypt the field's secrets anew, row by row in the order of their keys, a transaction for each batch.

    Whatever is under the newest key is left alone, so a run that was interrupted is simply run again. Rows are locked
    while their secret is read and written, so that nobody's change is lost.
    """
    outcome = Outcome(model._meta.label, field.name, 0, 0, [])
    after: object = None
    while (last := _rotate_batch(model, field, after, batch, outcome)) is not None:
        after = last
    return outcome


def _rotate_batch(
    model: type[models.Model], field: models.Field, after: object, batch: int, outcome: Outcome
) -> object | None:
    """The key of the last row looked at, or nothing when there was none left."""
    rows = model._base_manager.exclude(**{field.name: ""}).exclude(**{field.name: None}).order_by("pk")
    if after is not None:
        rows = rows.filter(pk__gt=after)
    last = None
    with transaction.atomic():
        stored = Cast(field.name, models.TextField())  # the token itself: the field would decrypt it
        for last, token in rows.select_for_update().values_list("pk", stored)[:batch]:
            _rotate(model, field, last, token, outcome)
    return last


def _rotate(model: type[models.Model], field: models.Field, pk: object, token: str, outcome: Outcome) -> None:
    if crypto.is_newest(token):
        outcome.current += 1
        return
    try:
        fresh = models.Value(crypto.rotate(token), output_field=models.TextField())
    except crypto.Undecipherable:
        outcome.undecipherable.append(pk)
        return
    model._base_manager.filter(pk=pk).update(**{field.name: fresh})
    outcome.rotated += 1
