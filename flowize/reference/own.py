"""The OpenAPI document for one caller: their own schema and sample stand where records are spoken of."""

from functools import lru_cache
from typing import Any

from apps.records.api.openapi import DOCUMENT, RECORD_EXAMPLE
from apps.schemas.models import Schema
from flowize.reference.dialect import modern
from flowize.reference.document import DocumentGenerator, Written, with_all_formats, written

PLACE = f"#/components/schemas/{DOCUMENT.name}"


@lru_cache(maxsize=32)
def of_schema(schema_id: int, version: int) -> Written:
    """The document that shows that version of a schema; raises ``Schema.DoesNotExist`` when there is another by now."""
    row = Schema.objects.get(pk=schema_id, version=version)
    document = DocumentGenerator().get_schema(public=True)
    document["components"]["schemas"][DOCUMENT.name] = modern(row.document, PLACE)
    return written(with_all_formats(_with_sample(document, row.sample_document)))


def _with_sample(node: Any, sample: Any) -> Any:
    if node == RECORD_EXAMPLE:
        return sample
    if isinstance(node, dict):
        return {key: _with_sample(value, sample) for key, value in node.items()}
    return [_with_sample(item, sample) for item in node] if isinstance(node, list) else node
