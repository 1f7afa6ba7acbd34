"""``manage.py flow_schema``: the JSON Schema of flow documents."""

import json
from typing import Any

from django.core.management.base import BaseCommand

from apps.flows.engine.document import DOCUMENT_SCHEMA


class Command(BaseCommand):
    """Prints the JSON Schema that flow documents are checked against; ``docs/flow-1.schema.json`` is its output."""

    help = "Print the JSON Schema of flow documents (format flow/1)."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        """Print it, indented."""
        self.stdout.write(json.dumps(DOCUMENT_SCHEMA, indent=2, ensure_ascii=False))
