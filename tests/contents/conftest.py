"""A website, and archives for it."""

import io
import stat
import zipfile
from typing import Any

import pytest

from apps.contents import services
from apps.contents.models import Website
from tests.conftest import Tenant

FILES = {
    "index.html": b"<h1>Home</h1>",
    "docs/index.html": b"<h1>Docs</h1>",
    "docs/intro.html": b"<h1>Intro</h1>",
    "app.css": b"h1 { color: teal }",
    "app.3f9a1c2b.js": b"alert(1)",
    "notes.txt": "näh".encode(),
    "old.txt": "näh".encode("latin-1"),
}


def archive(files: dict[str, bytes], **options: Any) -> io.BytesIO:
    """A ZIP archive with these files."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, **options) as made:
        for path, content in files.items():
            made.writestr(path, content)
    return stream


def special(path: str, kind: int = stat.S_IFLNK, content: bytes = b"/etc/passwd") -> io.BytesIO:
    """An archive whose one entry is a link or a device."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as made:
        info = zipfile.ZipInfo(path)
        info.external_attr = (kind | 0o644) << 16
        made.writestr(info, content)
    return stream


def make_website(tenant: Tenant, slug: str = "shop", files: dict[str, bytes] | None = None) -> Website:
    """A website with files."""
    website = Website.objects.create(workspace=tenant.workspace, slug=slug, name=slug.title())
    chosen = FILES if files is None else files
    if chosen:
        services.upload_archive(website, archive(chosen))
    return website


@pytest.fixture
def website(acme: Tenant) -> Website:
    return make_website(acme)
