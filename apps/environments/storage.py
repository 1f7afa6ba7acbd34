"""How many bytes workspaces hold, part by part, as the database itself counts them.

Values are counted as they are stored, compressed ones compressed, with what each row takes beside its values; tables of
people, which are files of their own, with their indexes.
"""

from collections.abc import Sequence

from django.db import connection

ROW = 60  # a row's header, its place in the page and in the indexes that every table has

_PARTS: dict[str, str] = {
    "records": """
        SELECT sum(%(row)s * 3 + pg_column_size(d.data) + pg_column_size(d.vars) + pg_column_size(d.state))
        FROM records_record r JOIN records_recorddata d ON d.record_id = r.id WHERE r.workspace_id = ANY(%(ids)s)""",
    "traces": """
        SELECT sum(%(row)s + pg_column_size(s.text) + coalesce(pg_column_size(s.error), 0)
                   + coalesce(pg_column_size(s.output), 0))
        FROM records_record r JOIN records_recordstep s ON s.record_id = r.id WHERE r.workspace_id = ANY(%(ids)s)""",
    "fields": """
        SELECT sum(%(row)s + 2 * coalesce(pg_column_size(f.value), 0))
        FROM records_record r JOIN records_recordfield f ON f.record_id = r.id WHERE r.workspace_id = ANY(%(ids)s)""",
    "keystores": """
        SELECT sum(%(row)s + 2 * pg_column_size(i.key) + pg_column_size(i.data))
        FROM keystores_keystore k JOIN keystores_keystoreitem i ON i.keystore_id = k.id
        WHERE k.workspace_id = ANY(%(ids)s)""",
    "tables": """
        SELECT sum(pg_total_relation_size(to_regclass('user_tables.t' || t.id)))
        FROM tables_table t WHERE t.workspace_id = ANY(%(ids)s)""",
    "webhook events": """
        SELECT sum(%(row)s * 2 + pg_column_size(e.payload)) FROM webhooks_webhook w
        JOIN webhooks_webhookevent e ON e.webhook_id = w.id WHERE w.workspace_id = ANY(%(ids)s)""",
    "batches": """
        SELECT sum(%(row)s + octet_length(p.content)) FROM triggers_batch b
        JOIN triggers_batchpiece p ON p.batch_id = b.id WHERE b.workspace_id = ANY(%(ids)s)""",
    "websites": """
        SELECT sum(%(row)s * 2 + f.size) FROM contents_website w
        JOIN contents_websitefile f ON f.website_id = w.id WHERE w.workspace_id = ANY(%(ids)s)""",
    "file manager": """
        SELECT sum(%(row)s * 2 + f.size) FROM contents_storedfile f WHERE f.workspace_id = ANY(%(ids)s)""",
    "flows": """
        SELECT sum(%(row)s + pg_column_size(v.source)) FROM flows_flow f
        JOIN flows_flowversion v ON v.flow_id = f.id WHERE f.workspace_id = ANY(%(ids)s)""",
}


def bytes_of(workspace_ids: Sequence[int]) -> dict[str, int]:
    """The bytes of each part, in all these workspaces together."""
    if not workspace_ids:
        return {}
    return {part: _first(statement, list(workspace_ids)) for part, statement in _PARTS.items()}


def _first(statement: str, ids: list[int]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, {"ids": ids, "row": ROW})
        return int(cursor.fetchone()[0] or 0)
