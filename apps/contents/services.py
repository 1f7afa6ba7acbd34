"""Putting files of websites and of the file manager in, and taking them out; all of an upload or nothing of it.

They are kept by people in the admin, which has asked for their rights.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Count, Sum
from django.utils import timezone

from apps.accounts.models import Workspace
from apps.contents.archives import Archive, Limits
from apps.contents.media_types import media_type
from apps.contents.models import File, StoredFile, Website, WebsiteFile
from apps.contents.paths import fault_of_path, normal
from apps.contents.storage import Kept, keep, read
from apps.core.errors import BadRequest, BodyTooLarge, Conflict, Detail, NotFound

_BATCH = 1_000
_REPLACED = ["content_type", "size", "sha256", "content_id", "date_updated"]


@dataclass(frozen=True, slots=True)
class Usage:
    """What a workspace's websites and file manager hold."""

    files: int
    bytes: int


@dataclass(frozen=True, slots=True)
class _Arrived:
    path: str
    content_type: str
    kept: Kept


def usage(workspace_id: int) -> Usage:
    """Files and bytes of a workspace; the same bytes twice count twice."""
    files = total = 0
    for rows in (WebsiteFile.objects, StoredFile.objects):
        found = rows.in_workspace(workspace_id).aggregate(files=Count("pk"), bytes=Sum("size"))
        files += found["files"]
        total += found["bytes"] or 0
    return Usage(files, int(total))


def upload_archive(website: Website, stream: IO[bytes], *, replace: bool = False) -> int:
    """Put the files of a ZIP archive into a website, with ``replace`` instead of all it has; returns how many.

    Raises ``BodyTooLarge``, ``BadRequest`` with a detail for each path that cannot be taken, ``Conflict`` when the
    workspace would hold too much; then the website is as it was.
    """
    if stream.seek(0, 2) > settings.CONTENT_UPLOAD_BYTES:
        raise BodyTooLarge(f"The archive is larger than {settings.CONTENT_UPLOAD_BYTES} bytes.")
    limits = Limits(settings.CONTENT_FILE_BYTES, settings.CONTENT_BYTES, settings.CONTENT_FILES)
    return _put_into(website, Archive(stream, limits).contents(), replace=replace)


def upload_files(website: Website, files: Iterable[tuple[str, IO[bytes]]]) -> int:
    """Put single files, each under its path, into a website; returns how many. Raises as ``upload_archive``."""
    return _put_into(website, _read_all(files))


def store_files(workspace: Workspace, files: Iterable[tuple[str, IO[bytes]]]) -> int:
    """Put files into the file manager, in place of those with the same paths; returns how many."""
    arrived = _keep_all(workspace, _read_all(files))
    rows = [StoredFile(workspace=workspace, **_columns(each)) for each in arrived]
    with transaction.atomic():
        _hold(workspace)
        _write(StoredFile, StoredFile.objects.in_workspace(workspace.pk), rows, "workspace")
        _require_room(workspace)
    return len(rows)


def remove_website_files(website: Website, paths: Sequence[str]) -> int:
    """Take files out of a website; returns how many there were."""
    with transaction.atomic():
        removed, _ = WebsiteFile.objects.filter(website=website, path__in=paths).delete()
        Website.objects.filter(pk=website.pk).update(date_updated=timezone.now())
    return removed


def move_file(file: StoredFile, path: str) -> None:
    """Give a file of the file manager another path; raises ``Conflict`` when that is taken."""
    file.path = _checked(path)
    file.content_type = media_type(path, read(file.content_id))
    try:
        with transaction.atomic():
            file.save(update_fields=["path", "content_type", "date_updated"])
    except IntegrityError:
        raise Conflict(f"There is a file {path} already, or one whose path differs only by case.") from None


def _put_into(website: Website, contents: Iterator[tuple[str, bytes]], *, replace: bool = False) -> int:
    arrived = _keep_all(website.workspace, contents)
    rows = [WebsiteFile(website=website, **_columns(each)) for each in arrived]
    with transaction.atomic():
        _hold(website.workspace)
        if not Website.objects.filter(pk=website.pk).update(date_updated=timezone.now()):
            raise NotFound("The website was removed meanwhile.")
        if replace:
            WebsiteFile.objects.filter(website=website).delete()
        _write(WebsiteFile, WebsiteFile.objects.filter(website=website), rows, "website")
        _require_room(website.workspace)
    return len(rows)


def _read_all(files: Iterable[tuple[str, IO[bytes]]]) -> Iterator[tuple[str, bytes]]:
    """Each file with its path, once all paths and sizes are known to be right."""
    checked = [(_checked(path), stream) for path, stream in files]
    if not checked:
        raise BadRequest("There are no files.")
    if len({path.casefold() for path, _ in checked}) < len(checked):
        raise BadRequest("Two of the files have the same path.")
    for path, stream in checked:
        if stream.seek(0, 2) > settings.CONTENT_FILE_BYTES:
            reason = f"The file is larger than {settings.CONTENT_FILE_BYTES} bytes."
            raise BodyTooLarge(reason, details=[Detail(path, reason)])
    for path, stream in checked:
        stream.seek(0)
        yield path, stream.read()


def _checked(path: str) -> str:
    path = normal(path)
    if fault := fault_of_path(path):
        raise BadRequest(fault, details=[Detail(path[:100], fault)])
    return path


def _keep_all(workspace: Workspace, contents: Iterator[tuple[str, bytes]]) -> list[_Arrived]:
    """The bytes go in one after the other, outside the transaction that shows them: of those that are refused after
    all nothing is ever seen, and they are removed within a day."""
    organization = workspace.project.organization_id
    return [_Arrived(path, media_type(path, content), keep(organization, content)) for path, content in contents]


def _columns(arrived: _Arrived) -> dict[str, Any]:
    kept = arrived.kept
    return {
        "path": arrived.path,
        "content_type": arrived.content_type,
        "size": kept.size,
        "sha256": kept.sha256,
        "content_id": kept.content_id,
    }


def _hold(workspace: Workspace) -> None:
    """Uploads to one workspace come one after the other, so that none is counted without the others."""
    Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)


def _write(model: type[File], there: Any, rows: Sequence[File], owner: str) -> None:
    _refuse_other_cases(there, {row.path for row in rows})
    model._default_manager.bulk_create(
        rows, batch_size=_BATCH, update_conflicts=True, unique_fields=[owner, "path"], update_fields=_REPLACED
    )


def _refuse_other_cases(there: Any, paths: set[str]) -> None:
    folded = {path.casefold() for path in paths}
    for path in there.values_list("path", flat=True):
        if path not in paths and path.casefold() in folded:
            raise Conflict(f"There is a file {path} already, whose path differs only by case.")


def _require_room(workspace: Workspace) -> None:
    now = usage(workspace.pk)
    if now.files > settings.CONTENT_FILES:
        raise Conflict(f"The workspace would hold {now.files} files; {settings.CONTENT_FILES} are allowed.")
    if now.bytes > settings.CONTENT_BYTES:
        raise Conflict(f"The workspace would hold {now.bytes} bytes; {settings.CONTENT_BYTES} are allowed.")
