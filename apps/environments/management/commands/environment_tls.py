"""``manage.py environment_tls``: certificates of environments for the web server in front."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from apps.environments.tls import FORMS, write


class Command(BaseCommand):
    """Writes the certificates that are in force, their keys and a config into a folder; run it every few minutes."""

    help = "Write the certificates of environments, their keys and a config of nginx or Caddy into a folder."

    def add_arguments(self, parser: CommandParser) -> None:
        """Where to, for which server, and where Flowize listens."""
        parser.add_argument("folder", type=Path)
        parser.add_argument("--for", dest="form", choices=sorted(FORMS), default="nginx")
        parser.add_argument("--upstream", default="http://127.0.0.1:8000", help="where Flowize's own server listens")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write them."""
        for path in write(options["folder"].absolute(), options["form"], options["upstream"]):
            self.stdout.write(str(path))
