"""``manage.py api_tables``: the tables of docs/api.md that are made of the code."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from flowize.reference.tables import with_tables

PAGE = Path(settings.BASE_DIR) / "docs" / "api.md"


class Command(BaseCommand):
    """Prints the page with fresh tables of errors and scopes, or writes it."""

    help = "Print docs/api.md with fresh tables of errors and scopes, or write it."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whether to change the page."""
        parser.add_argument("--write", action="store_true", help="change the page instead of printing it")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print or write."""
        text = with_tables(PAGE.read_text())
        if options["write"]:
            PAGE.write_text(text)
        else:
            self.stdout.write(text, ending="")
