"""What a website or a hosted page shows at a path, as everything that an answer needs."""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from apps.contents.models import HostedPage, WebsiteFile
from apps.contents.paths import LONGEST_PATH, normal
from apps.core.tenancy import WorkspaceQuerySet

INDEX, NOT_FOUND = "index.html", "404.html"
LONGEST_REST = LONGEST_PATH + 1  # a folder's slash
# A name with a digest in it is that of one content for ever: app.3f9a1c2b.js.
_FINGERPRINT = re.compile(r"[.-](?=[0-9a-zA-Z_]*[0-9])[0-9a-zA-Z_]{8,64}\.[a-z0-9]+\Z")
_ALWAYS_ASK = "public, no-cache"
_FOR_A_WHILE = "public, max-age=300"
_FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Resource:
    """A file or page as it is sent: ``body`` for pages, ``content_id`` for files, whose bytes are read when needed.

    ``etag`` is strong and quoted; ``status`` is 404 for a website's own page about what it does not have.
    """

    status: int
    content_type: str
    size: int
    etag: str
    modified: datetime
    cache_control: str
    content_id: int | None = None
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Folder:
    """The path is that of a folder without its slash: the same path with one shows something."""


Found: TypeAlias = Resource | Folder | None


def find_file(workspace_id: int, slug: str, rest: str) -> Found:
    """What the website ``slug`` of a workspace shows at ``rest``, the path inside it, without a leading slash.

    A folder shows its ``index.html``. Where there is nothing it is the site's ``404.html``, or nothing without one.
    """
    return _chosen(WebsiteFile.objects.in_workspace(workspace_id).filter(website__slug=slug), rest)


def find_preview(key: str, rest: str) -> Found:
    """The same for the Designer copy with that key."""
    return _chosen(WebsiteFile.objects.filter(website__key=key, website__workspace__api_host=""), rest)


def find_page(workspace_id: int, name: str) -> HostedPage | None:
    """The hosted page of that name."""
    return _pages().in_workspace(workspace_id).filter(name=name).first()


def find_designer_page(key: str) -> HostedPage | None:
    """The Designer copy with that key."""
    return _pages().filter(key=key, workspace__api_host="").first()


def as_resource(page: HostedPage) -> Resource:
    """A hosted page as it is sent."""
    body = page.html.encode()
    return Resource(
        status=200,
        content_type="text/html; charset=utf-8",
        size=len(body),
        etag=f'"{hashlib.sha256(body).hexdigest()[:32]}"',
        modified=page.date_updated,
        cache_control=_ALWAYS_ASK,
        body=body,
    )


def _pages() -> WorkspaceQuerySet:
    return HostedPage.objects.select_related("workspace__project")


def _chosen(files: object, rest: str) -> Found:
    rest = normal(rest)
    at_path = f"{rest}{INDEX}" if rest == "" or rest.endswith("/") else rest
    in_folder = f"{rest}/{INDEX}"
    wanted = {at_path, in_folder, NOT_FOUND} if _can_be_one(rest) else {NOT_FOUND}
    rows = {row.path: row for row in files.filter(path__in=wanted)}  # type: ignore[attr-defined]
    if file := rows.get(at_path):
        return _resource(file, 200)
    if in_folder in rows:
        return Folder()
    return _resource(rows[NOT_FOUND], 404) if NOT_FOUND in rows else None


def _can_be_one(rest: str) -> bool:
    return len(rest) <= LONGEST_REST and "\0" not in rest


def _resource(file: WebsiteFile, status: int) -> Resource:
    return Resource(
        status=status,
        content_type=file.content_type,
        size=file.size,
        etag=f'"{file.sha256[:32]}"',
        modified=file.date_updated,
        cache_control=_cache_control(file) if status == 200 else _ALWAYS_ASK,
        content_id=file.content_id,
    )


def _cache_control(file: WebsiteFile) -> str:
    if file.content_type.startswith("text/html"):
        return _ALWAYS_ASK
    return _FOR_EVER if _FINGERPRINT.search(file.path) else _FOR_A_WHILE
