"""``manage.py rotate_keys``: every stored secret under the first of ``ENCRYPTION_KEYS``."""

from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.core.rotation import BATCH, Outcome, encrypted_fields, rotate_field

MOST_NAMED = 100


class Command(BaseCommand):
    """Rotates while the installation runs, and can be interrupted and run again."""

    help = "Encrypt stored secrets anew with the first of ENCRYPTION_KEYS; afterwards the others can be dropped."

    def add_arguments(self, parser: CommandParser) -> None:
        """How many rows are held at once."""
        parser.add_argument("--batch", type=int, default=BATCH, help=f"rows of one transaction ({BATCH})")

    def handle(self, *args: Any, **options: Any) -> None:
        """Rotate all fields, count, and fail when a secret cannot be read."""
        if options["batch"] < 1:
            raise CommandError("--batch must be 1 or more.")
        outcomes = []
        for model, field in encrypted_fields(apps.get_models()):
            outcome = rotate_field(model, field, batch=options["batch"])
            outcomes.append(outcome)
            counts = f"{outcome.rotated} rotated, {outcome.current} under the first key already"
            self.stdout.write(f"{outcome.model}.{outcome.field}: {counts}")
        if lost := [line for outcome in outcomes for line in _lost(outcome)]:
            raise CommandError(_told(lost))


def _lost(outcome: Outcome) -> list[str]:
    return [f"{outcome.model} {pk}: {outcome.field}" for pk in outcome.undecipherable]


def _told(lost: list[str]) -> str:
    more = [f"and {len(lost) - MOST_NAMED} more"] if len(lost) > MOST_NAMED else []
    lines = "\n".join(f"  {line}" for line in lost[:MOST_NAMED] + more)
    return f"None of ENCRYPTION_KEYS decrypts these; they were left as they are:\n{lines}"
