"""The data schema in force, compiled."""

from functools import lru_cache

from apps.core.draft4 import CompiledSchema, compile_schema
from apps.core.errors import Detail
from apps.core.jsonio import JSON, read_json
from apps.core.preconditions import Part
from apps.schemas.models import Schema


def problems(schema: tuple[int, int] | None, document: JSON) -> list[Detail]:
    """What keeps ``document`` from fitting the schema (id, version); nothing when there is none."""
    if schema is None:
        return []
    try:
        return compiled(*schema).problems(document)
    except Schema.DoesNotExist:  # replaced or removed a moment ago: what is in force now counts
        return problems(Schema.objects.filter(pk=schema[0]).values_list("id", "version").first(), document)


@lru_cache(maxsize=256)
def compiled(schema_id: int, version: int) -> CompiledSchema:
    """The compiled schema of one version; a version never changes, so it is kept."""
    return compile_schema(read_json(Schema.objects.get(pk=schema_id, version=version).source))


def current(workspace_id: int) -> tuple[int, int] | None:
    """The id and version of the workspace's schema, or none."""
    return Schema.objects.in_workspace(workspace_id).values_list("id", "version").first()


def version_of(schema: Schema) -> tuple[Part, ...]:
    """What tells this version of the schema from every other."""
    return ("schema", schema.pk, schema.version)
