"""Copying websites, files and static data between workspaces; bytes of files are shared, so only rows are copied."""

from django.db import connection

from apps.contents.models import StaticData, StoredFile, Website, WebsiteFile
from apps.core.copy_action import CopyAction

_FILES = """
INSERT INTO contents_websitefile AS f (website_id, path, content_type, size, sha256, content_id, date_updated)
SELECT %(target)s, path, content_type, size, sha256, content_id, now()
FROM contents_websitefile WHERE website_id = %(source)s
ON CONFLICT {conflict}
"""
_UPDATE = """(website_id, lower(path)) DO UPDATE SET path = excluded.path, content_type = excluded.content_type,
size = excluded.size, sha256 = excluded.sha256, content_id = excluded.content_id, date_updated = now()
WHERE (f.path, f.content_type, f.sha256) IS DISTINCT FROM (excluded.path, excluded.content_type, excluded.sha256)"""
_STORED = """
INSERT INTO contents_storedfile (workspace_id, path, content_type, size, sha256, content_id, date_updated)
SELECT %(target)s, path, content_type, size, sha256, content_id, now()
FROM contents_storedfile WHERE workspace_id = %(source)s
"""


def copy_website(source: Website, target_id: int, action: CopyAction) -> int:
    """A website with its files to another workspace of the organization; how many files were written.

    A website of the same slug is the same website: its files are told apart by their paths. Runs in the caller's
    transaction.
    """
    values = {"name": source.name, "key": source.key}
    website, made = Website.objects.get_or_create(workspace_id=target_id, slug=source.slug, defaults=values)
    if not made and action is not CopyAction.INSERT and website.name != source.name:
        website.name = source.name
        website.save(update_fields=["name", "date_updated"])
    if action is CopyAction.REPLACE:
        WebsiteFile.objects.filter(website=website).delete()
    conflict = _UPDATE if action is CopyAction.UPSERT else "DO NOTHING"
    return _run(_FILES.format(conflict=conflict), source.pk, website.pk)


def replace_files(source_id: int, target_id: int) -> int:
    """The whole file manager of a workspace in place of another's; how many files it has now."""
    StoredFile.objects.in_workspace(target_id).delete()
    return _run(_STORED, source_id, target_id)


def copy_static_data(source_id: int, target_id: int) -> None:
    """The static data of a workspace in place of another's."""
    found = StaticData.objects.in_workspace(source_id).first()
    StaticData.objects.update_or_create(workspace_id=target_id, defaults={"data": found.data if found else {}})


def _run(statement: str, source: int, target: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, {"source": source, "target": target})
        return cursor.rowcount
