"""Uploads: all of one or nothing, within the room there is."""

import io
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from apps.contents import services, storage
from apps.contents.models import FileContent, StoredFile, Website, WebsiteFile
from apps.contents.services import Usage, usage
from apps.core.errors import BadRequest, BodyTooLarge, Conflict, NotFound
from tests.conftest import Tenant
from tests.contents.conftest import FILES, archive, make_website, special


def files_of(website: Website) -> dict[str, bytes]:
    return {row.path: storage.read(row.content_id) for row in website.files.all()}


def streams(files: dict[str, bytes]) -> list[tuple[str, io.BytesIO]]:
    return [(path, io.BytesIO(content)) for path, content in files.items()]


def test_an_archive_is_put_in_whole(website: Website) -> None:
    assert files_of(website) == FILES
    index = website.files.get(path="index.html")
    assert (index.content_type, index.size) == ("text/html; charset=utf-8", 13)
    assert website.files.get(path="old.txt").content_type == "text/plain"


def test_a_second_archive_adds_and_replaces_or_takes_the_place_of_all(website: Website) -> None:
    assert services.upload_archive(website, archive({"index.html": b"new", "more.txt": b"x"})) == 2
    assert files_of(website) == FILES | {"index.html": b"new", "more.txt": b"x"}

    assert services.upload_archive(website, archive({"only.html": b"1"}), replace=True) == 1
    assert files_of(website) == {"only.html": b"1"}


def test_an_upload_is_seen_by_the_date_of_the_website(website: Website) -> None:
    Website.objects.filter(pk=website.pk).update(date_updated=timezone.now() - timedelta(days=1))
    services.upload_files(website, streams({"a.txt": b"a"}))
    website.refresh_from_db()
    assert timezone.now() - website.date_updated < timedelta(minutes=1)


@pytest.mark.parametrize("replace", [False, True])
def test_a_refused_archive_changes_nothing(website: Website, replace: bool) -> None:
    damaged = bytearray(archive({"a.html": b"1" * 100, "z.html": b"2" * 100}).getvalue())
    damaged[damaged.index(b"z.html") + 10] ^= 0xFF
    for stream in (io.BytesIO(damaged), special("link"), archive({"../a": b""}), io.BytesIO(b"garbage")):
        with pytest.raises(BadRequest):
            services.upload_archive(website, stream, replace=replace)
    assert files_of(website) == FILES


def test_single_files_go_where_they_are_told(website: Website) -> None:
    assert services.upload_files(website, streams({"a/u\u0308.txt": b"1", "b.txt": b"2"})) == 2
    assert files_of(website) == FILES | {"a/ü.txt": b"1", "b.txt": b"2"}


@pytest.mark.parametrize(
    "files",
    [{}, {"ok.txt": b"", "../a": b""}, {"a": b"", "A": b""}, {"a": b"", "": b""}],
)
def test_refused_files_change_nothing(website: Website, files: dict[str, bytes]) -> None:
    with pytest.raises(BadRequest):
        services.upload_files(website, streams(files))
    assert files_of(website) == FILES


def test_another_case_of_a_path_is_a_conflict(website: Website) -> None:
    with pytest.raises(Conflict, match=r"There is a file index\.html already, whose path differs only by case"):
        services.upload_files(website, streams({"Index.html": b""}))
    assert services.upload_archive(website, archive({"Index.html": b""}), replace=True) == 1


def test_files_are_limited_in_size_and_number(website: Website, settings: Any) -> None:
    settings.CONTENT_FILE_BYTES = 13
    with pytest.raises(BodyTooLarge) as caught:
        services.upload_files(website, streams({"a.txt": b"x" * 14}))
    assert caught.value.details[0].path == "a.txt"
    with pytest.raises(BadRequest):
        services.upload_archive(website, archive({"a.txt": b"x" * 14}))
    settings.CONTENT_UPLOAD_BYTES = 100
    with pytest.raises(BodyTooLarge):
        services.upload_archive(website, archive({"a.txt": b""}))
    assert files_of(website) == FILES


def test_a_workspace_holds_so_much_and_no_more(acme: Tenant, website: Website, settings: Any) -> None:
    total = sum(map(len, FILES.values()))
    assert usage(acme.workspace.pk) == Usage(len(FILES), total)
    settings.CONTENT_BYTES = total + 10
    services.store_files(acme.workspace, streams({"a.bin": b"x" * 10}))
    assert usage(acme.workspace.pk) == Usage(len(FILES) + 1, total + 10)

    with pytest.raises(Conflict, match=f"would hold {total + 11} bytes; {total + 10} are allowed"):
        services.upload_files(website, streams({"b.txt": b"x"}))
    with pytest.raises(Conflict):
        services.store_files(acme.workspace, streams({"a.bin": b"x" * 11}))
    settings.CONTENT_FILES = len(FILES) + 1
    with pytest.raises(Conflict, match=f"would hold {len(FILES) + 2} files; {len(FILES) + 1} are allowed"):
        services.store_files(acme.workspace, streams({"c.bin": b""}))
    assert usage(acme.workspace.pk) == Usage(len(FILES) + 1, total + 10)
    services.upload_archive(website, archive({"all.txt": b"x" * total}), replace=True)  # in place of what was there


def test_workspaces_do_not_count_each_other(acme: Tenant, rival: Tenant, website: Website) -> None:
    assert usage(rival.workspace.pk) == Usage(0, 0)


@pytest.mark.django_db(transaction=True)
def test_two_uploads_at_once_cannot_both_take_the_last_room(acme: Tenant, settings: Any) -> None:
    settings.CONTENT_BYTES = 1_000
    websites = [make_website(acme, slug, files={}) for slug in ("one", "two", "three", "four")]
    outcomes: list[str] = []

    def upload(website: Website) -> None:
        try:
            services.upload_archive(website, archive({"a.bin": website.slug.encode() * 100}))
            outcomes.append("in")
        except Conflict:
            outcomes.append("full")
        finally:
            connection.close()

    threads = [threading.Thread(target=upload, args=[website]) for website in websites]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(outcomes) == 4
    assert usage(acme.workspace.pk).bytes <= 1_000
    assert outcomes.count("in") == WebsiteFile.objects.count() >= 2


def test_a_website_that_was_removed_takes_nothing(acme: Tenant, website: Website) -> None:
    Website.objects.get(pk=website.pk).delete()
    with pytest.raises(NotFound):
        services.upload_archive(website, archive({"a": b""}))
    assert WebsiteFile.objects.count() == 0


def test_files_of_a_website_are_removed_by_their_paths(website: Website) -> None:
    other = make_website_of(website, "other")
    assert services.remove_website_files(website, ["index.html", "app.css", "missing"]) == 2
    assert files_of(website).keys() == FILES.keys() - {"index.html", "app.css"}
    assert files_of(other) == FILES


def make_website_of(website: Website, slug: str) -> Website:
    other = Website.objects.create(workspace=website.workspace, slug=slug, name=slug)
    services.upload_archive(other, archive(FILES))
    return other


def test_a_file_of_the_file_manager_moves_and_takes_the_type_of_its_new_name(acme: Tenant) -> None:
    services.store_files(acme.workspace, streams({"a.bin": b"<p>", "b.txt": b""}))
    file = StoredFile.objects.get(path="a.bin")

    services.move_file(file, "pages/a.html")
    file.refresh_from_db()
    assert (file.path, file.content_type) == ("pages/a.html", "text/html; charset=utf-8")
    for taken in ("b.txt", "B.TXT"):
        with pytest.raises(Conflict):
            services.move_file(file, taken)
    with pytest.raises(BadRequest):
        services.move_file(file, "../a")
    file.refresh_from_db()
    assert file.path == "pages/a.html"


# --- Bytes --------------------------------------------------------------------------------------------------------


def test_the_same_bytes_are_kept_once_for_an_organization_and_apart_from_others(acme: Tenant, rival: Tenant) -> None:
    make_website(acme, "one", {"a": b"same", "b": b"same"})
    make_website(acme, "two", {"c": b"same"})
    make_website(rival, "one", {"a": b"same"})

    assert FileContent.objects.count() == 2
    assert set(WebsiteFile.objects.values_list("content__organization__name", flat=True)) == {"acme", "rival"}


def test_parts_are_read_as_such(acme: Tenant) -> None:
    content = bytes(range(256)) * 8192
    kept = storage.keep(acme.organization.pk, content)

    assert storage.read(kept.content_id) == content
    assert storage.read(kept.content_id, 255, 3) == b"\xff\x00\x01"
    assert storage.read(kept.content_id, len(content) - 1, 10) == b"\xff"
    pieces = list(storage.slices(kept.content_id, 1, len(content) - 1))
    assert [len(piece) for piece in pieces] == [1024 * 1024, 1024 * 1024 - 1]
    assert b"".join(pieces) == content[1:]
    assert list(storage.slices(0, 0, 10)) == []


def test_bytes_that_nobody_has_are_removed_a_day_later(acme: Tenant, website: Website) -> None:
    services.store_files(acme.workspace, streams({"a.bin": b"stored", "b.bin": b"dropped"}))
    StoredFile.objects.filter(path="b.bin").delete()
    services.remove_website_files(website, ["app.css"])
    assert storage.remove_unused() == 0

    FileContent.objects.update(used_at=timezone.now() - timedelta(hours=25))
    assert storage.remove_unused() == 2
    assert files_of(website) == {path: content for path, content in FILES.items() if path != "app.css"}
    assert storage.read(StoredFile.objects.get().content_id) == b"stored"


def test_bytes_that_are_used_again_just_now_stay(acme: Tenant) -> None:
    storage.keep(acme.organization.pk, b"x")
    FileContent.objects.update(used_at=timezone.now() - timedelta(hours=25))
    storage.keep(acme.organization.pk, b"x")
    assert storage.remove_unused() == 0


def test_a_copy_refers_to_the_same_bytes_whatever_becomes_of_the_original(acme: Tenant, website: Website) -> None:
    """As deployments copy: one statement."""
    copy = Website.objects.create(workspace=acme.workspace, slug="copy", name="Copy")
    columns = "path, content_type, size, sha256, content_id, date_updated"
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO contents_websitefile (website_id, {columns}) "
            f"SELECT %s, {columns} FROM contents_websitefile WHERE website_id = %s",
            [copy.pk, website.pk],
        )
    website.delete()
    FileContent.objects.update(used_at=timezone.now() - timedelta(hours=25))

    assert storage.remove_unused() == 0
    assert files_of(copy) == FILES
