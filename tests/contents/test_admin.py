"""The pages of websites, hosted pages, files and static data."""

import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from apps.accounts.models import Role
from apps.contents import services, storage
from apps.contents.models import HostedPage, StaticData, StoredFile, Website, WebsiteFile
from tests.conftest import Tenant
from tests.contents.conftest import FILES, archive, make_website, special
from tests.members import person, signed_in

ROOT = "/admin/contents"


@pytest.fixture
def developer(acme: Tenant) -> Client:
    return signed_in(person("dev", acme=Role.DEVELOPER))


@pytest.fixture
def viewer(acme: Tenant) -> Client:
    return signed_in(person("vi", acme=Role.VIEWER))


def uploaded(stream: io.BytesIO, name: str = "site.zip") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, stream.getvalue())


def errors(response: Any) -> dict[str, list[str]]:
    form = response.context["adminform"].form if "adminform" in response.context else response.context["form"]
    return dict(form.errors)


# --- Websites -------------------------------------------------------------------------------------------------------


def test_a_website_is_made_and_filled(acme: Tenant, developer: Client) -> None:
    form = {"workspace": acme.workspace.pk, "slug": "shop", "name": "The shop"}
    added = developer.post(f"{ROOT}/website/add/", form)
    website = Website.objects.get()
    assert added["Location"] == f"{ROOT}/website/{website.pk}/upload/"
    assert (website.workspace, website.slug, len(website.key)) == (acme.workspace, "shop", 32)

    sent = developer.post(added["Location"], {"archive": uploaded(archive(FILES)), "folder": ""})

    assert sent["Location"] == f"{ROOT}/website/{website.pk}/change/"
    page = developer.get(sent["Location"]).content.decode()
    assert f"{len(FILES)} files were stored." in page
    assert f"{len(FILES)} files, {sum(map(len, FILES.values()))} bytes" in page
    assert f"/site/{website.key}/" in page
    assert developer.get(f"/site/{website.key}/").content == FILES["index.html"]


def test_a_slug_is_unique_in_its_workspace_and_stays(acme: Tenant, developer: Client, website: Website) -> None:
    form = {"workspace": acme.workspace.pk, "slug": "shop", "name": "Another"}
    assert errors(developer.post(f"{ROOT}/website/add/", form)) == {
        "__all__": ["Website with this Workspace and Slug already exists."]
    }
    assert "slug" in errors(developer.post(f"{ROOT}/website/add/", form | {"slug": "no slug"}))

    developer.post(f"{ROOT}/website/{website.pk}/change/", {"slug": "other", "name": "Renamed"})
    website.refresh_from_db()
    assert (website.slug, website.name) == ("shop", "Renamed")


def test_single_files_go_into_a_folder(developer: Client, website: Website) -> None:
    files = [uploaded(io.BytesIO(b"1"), "a.txt"), uploaded(io.BytesIO(b""), "b.txt")]
    developer.post(f"{ROOT}/website/{website.pk}/upload/", {"uploads": files, "folder": "/docs/new/"})
    assert set(website.files.values_list("path", flat=True)) - FILES.keys() == {"docs/new/a.txt", "docs/new/b.txt"}


def test_an_archive_takes_the_place_of_all_files_when_told(developer: Client, website: Website) -> None:
    sent = {"archive": uploaded(archive({"only.html": b"1"})), "replace": "on", "folder": ""}
    developer.post(f"{ROOT}/website/{website.pk}/upload/", sent)
    assert list(website.files.values_list("path", flat=True)) == ["only.html"]


def test_a_refused_upload_says_what_is_wrong_and_changes_nothing(developer: Client, website: Website) -> None:
    path = f"{ROOT}/website/{website.pk}/upload/"
    for sent, words in [
        ({"archive": uploaded(archive({"<b>/../x": b""}))}, ["The archive cannot be taken.", "Nothing was stored."]),
        ({"archive": uploaded(special("link"))}, ["This is a link or a device, not a file."]),
        ({"archive": uploaded(io.BytesIO(b"x"))}, ["The file is no ZIP archive, or is damaged."]),
        ({"uploads": [uploaded(io.BytesIO(b""), "a.txt")], "folder": "../up"}, ["A path has no empty part"]),
        ({}, ["Choose either an archive or files."]),
        ({"uploads": [uploaded(io.BytesIO(b""), "a.txt")], "replace": "on"}, ["Only an archive takes the place"]),
    ]:
        response = developer.post(path, {"folder": ""} | sent)
        page = response.content.decode()
        assert response.status_code == 200
        assert all(word in page for word in words), page
        assert "<b>/../x" not in page
    assert set(website.files.values_list("path", flat=True)) == FILES.keys()


def test_viewers_look_and_touch_nothing(viewer: Client, website: Website) -> None:
    path = f"{ROOT}/website/{website.pk}"
    assert viewer.get(f"{path}/change/").status_code == 200
    assert f"{path}/upload/" not in viewer.get(f"{path}/change/").content.decode()
    for method in (viewer.get, viewer.post):
        assert method(f"{path}/upload/").status_code == 403
    file = website.files.get(path="index.html")
    viewer.post(f"{ROOT}/websitefile/{file.pk}/change/", {"text": "changed", "basis": file.sha256})
    viewer.post(f"{ROOT}/websitefile/{file.pk}/delete/", {"post": "yes"})
    assert storage.read(website.files.get(path="index.html").content_id) == FILES["index.html"]
    assert b"".join(viewer.get(f"{ROOT}/websitefile/{file.pk}/download/")) == FILES["index.html"]


def test_strangers_find_no_uploads_and_no_downloads(rival: Tenant, website: Website) -> None:
    stranger = signed_in(person("stranger", rival=Role.OWNER))
    file = website.files.get(path="index.html")
    services.store_files(website.workspace, [("a.txt", io.BytesIO(b"x"))])
    stored = StoredFile.objects.get()
    for path in (
        f"website/{website.pk}/upload/",
        f"websitefile/{file.pk}/download/",
        f"storedfile/{stored.pk}/download/",
    ):
        assert stranger.get(f"{ROOT}/{path}").status_code == 404
        assert Client().get(f"{ROOT}/{path}").status_code == 302


# --- Files of websites ------------------------------------------------------------------------------------------------


def test_files_are_listed_with_the_ways_to_them(developer: Client, website: Website) -> None:
    page = developer.get(f"{ROOT}/websitefile/?website__id__exact={website.pk}").content.decode()
    assert all(path in page for path in FILES)
    assert f"/site/{website.key}/docs/intro.html" in page
    assert developer.get(f"{ROOT}/websitefile/add/").status_code == 403


def test_a_text_is_edited_in_place(developer: Client, website: Website) -> None:
    file = website.files.get(path="index.html")
    path = f"{ROOT}/websitefile/{file.pk}/change/"
    assert "&lt;h1&gt;Home&lt;/h1&gt;" in developer.get(path).content.decode()

    assert developer.post(path, {"text": "<h1>\r\nNew</h1>\r\n", "basis": file.sha256}).status_code == 302

    assert storage.read(website.files.get(path="index.html").content_id) == b"<h1>\nNew</h1>\n"
    late = developer.post(path, {"text": "late", "basis": file.sha256})
    assert errors(late) == {"text": ["Somebody has changed it since you opened this page: reload it first."]}


def test_saving_without_a_change_changes_nothing(developer: Client, acme: Tenant) -> None:
    website = make_website(acme, "lines", {"a.txt": b"one\r\ntwo"})
    file = website.files.get()
    path = f"{ROOT}/websitefile/{file.pk}/change/"
    developer.post(path, {"text": "one\r\ntwo", "basis": file.sha256})
    file.refresh_from_db()
    assert storage.read(file.content_id) == b"one\r\ntwo"


def test_what_is_no_text_is_replaced_by_a_file(developer: Client, acme: Tenant) -> None:
    website = make_website(acme, "pictures", {"a.png": b"\x89PNG\0", "odd.txt": b"\xff", "nul.txt": b"a\0b"})
    for file in website.files.all():
        path = f"{ROOT}/websitefile/{file.pk}/change/"
        assert 'name="text"' not in developer.get(path).content.decode()
        developer.post(path, {"basis": file.sha256})
        developer.post(path, {"basis": file.sha256, "replacement": uploaded(io.BytesIO(b"new"), "other.name")})
    assert {storage.read(file.content_id) for file in website.files.all()} == {b"new"}
    assert set(website.files.values_list("path", flat=True)) == {"a.png", "odd.txt", "nul.txt"}


def test_chosen_files_are_removed(developer: Client, website: Website) -> None:
    chosen = [website.files.get(path=path).pk for path in ("index.html", "notes.txt")]
    sent = {"action": "delete_selected", "_selected_action": chosen, "post": "yes"}
    developer.post(f"{ROOT}/websitefile/", sent)
    assert set(website.files.values_list("path", flat=True)) == FILES.keys() - {"index.html", "notes.txt"}


def test_a_website_goes_with_its_files(developer: Client, website: Website) -> None:
    developer.post(f"{ROOT}/website/{website.pk}/delete/", {"post": "yes"})
    assert (Website.objects.count(), WebsiteFile.objects.count()) == (0, 0)


# --- File manager -----------------------------------------------------------------------------------------------------


def test_files_are_stored_downloaded_moved_and_removed(acme: Tenant, developer: Client) -> None:
    sent = {"workspace": acme.workspace.pk, "uploads": [uploaded(io.BytesIO(b"<script>"), "ä b.html")], "folder": "in"}
    assert developer.post(f"{ROOT}/storedfile/add/", sent).status_code == 302
    file = StoredFile.objects.get()
    assert (file.path, file.size, file.workspace) == ("in/ä b.html", 8, acme.workspace)

    got = developer.get(f"{ROOT}/storedfile/{file.pk}/download/")
    assert b"".join(got) == b"<script>"
    assert got["Content-Disposition"] == "attachment; filename*=utf-8''%C3%A4%20b.html"
    assert got["Content-Security-Policy"].startswith("sandbox ")
    assert "no-store" in got["Cache-Control"]
    assert "Access-Control-Allow-Origin" not in got

    path = f"{ROOT}/storedfile/{file.pk}/change/"
    changed = developer.post(path, {"path": "out/c.txt", "text": "text", "basis": file.sha256})
    assert changed.status_code == 302
    file.refresh_from_db()
    assert (file.path, file.content_type) == ("out/c.txt", "text/plain; charset=utf-8")
    assert storage.read(file.content_id) == b"text"
    developer.post(f"{ROOT}/storedfile/{file.pk}/delete/", {"post": "yes"})
    assert StoredFile.objects.count() == 0


def test_a_path_that_is_taken_or_leads_elsewhere_is_refused(acme: Tenant, developer: Client) -> None:
    services.store_files(acme.workspace, [("a.txt", io.BytesIO(b"a")), ("b.txt", io.BytesIO(b"b"))])
    file = StoredFile.objects.get(path="a.txt")
    path = f"{ROOT}/storedfile/{file.pk}/change/"
    same = {"text": "a", "basis": file.sha256}
    for wanted in ("../x", "b.txt", "B.TXT", ""):
        assert developer.post(path, same | {"path": wanted}).status_code == 200
    file.refresh_from_db()
    assert file.path == "a.txt"


def test_nobody_stores_files_for_others(acme: Tenant, rival: Tenant) -> None:
    both = signed_in(person("both", acme=Role.DEVELOPER, rival=Role.VIEWER))
    sent = {"workspace": rival.workspace.pk, "uploads": [uploaded(io.BytesIO(b"x"), "a.txt")], "folder": ""}
    assert "workspace" in errors(both.post(f"{ROOT}/storedfile/add/", sent))
    assert "rival" not in both.get(f"{ROOT}/storedfile/add/").content.decode()
    assert signed_in(person("vi", acme=Role.VIEWER)).post(f"{ROOT}/storedfile/add/", sent).status_code == 403
    assert StoredFile.objects.count() == 0


# --- Hosted pages -----------------------------------------------------------------------------------------------------


def test_a_page_is_written_with_a_flow_of_its_workspace(acme: Tenant, rival: Tenant, developer: Client) -> None:
    form = {"workspace": acme.workspace.pk, "name": "Sign up", "html": "<p>\r\n", "flow": "intake", "answer": ""}
    form |= {"trap": "", "addresses": "0.0.0.0/0", "rate_limit": 10}
    assert developer.post(f"{ROOT}/hostedpage/add/", form).status_code == 302
    page = HostedPage.objects.get()
    assert (page.html, page.flow, page.rate_limit) == ("<p>\n", "intake", 10)
    assert f"/page/{page.key}" in developer.get(f"{ROOT}/hostedpage/{page.pk}/change/").content.decode()

    for wrong, field in [
        ({"flow": "missing"}, "flow"),
        ({"addresses": "nowhere"}, "addresses"),
        ({"html": ""}, "html"),
    ]:
        response = developer.post(f"{ROOT}/hostedpage/add/", form | {"name": "Other"} | wrong)
        assert field in errors(response)
    assert HostedPage.objects.count() == 1


def test_a_flow_that_has_gone_is_still_shown(acme: Tenant, developer: Client) -> None:
    page = HostedPage.objects.create(workspace=acme.workspace, name="Old", html="x", flow="gone")
    assert "gone (there is none of this name)" in developer.get(f"{ROOT}/hostedpage/{page.pk}/change/").content.decode()


# --- Static data ------------------------------------------------------------------------------------------------------


def test_static_data_is_an_object_read_by_the_one_reader(acme: Tenant, developer: Client) -> None:
    form = {"workspace": acme.workspace.pk, "content": '{"rates": {"standard": 21}}', "basis": ""}
    assert developer.post(f"{ROOT}/staticdata/add/", form).status_code == 302
    row = StaticData.objects.get()
    assert row.data == {"rates": {"standard": 21}}

    path = f"{ROOT}/staticdata/{row.pk}/change/"
    basis = developer.get(path).context["adminform"].form["basis"].value()
    for content in ("", "{", "[]", "1", '{"a": 1, "a": 2}', '{"a": NaN}', '{"a": "\\u0000"}'):
        assert "content" in errors(developer.post(path, {"content": content, "basis": basis}))
    assert developer.post(path, {"content": '{"b": 1.0}', "basis": basis}).status_code == 302
    late = developer.post(path, {"content": "{}", "basis": basis})
    assert errors(late) == {"content": ["Somebody has changed it since you opened this page: reload it first."]}
    row.refresh_from_db()
    assert row.data == {"b": 1.0}


def test_a_workspace_has_static_data_once(acme: Tenant, developer: Client) -> None:
    StaticData.objects.create(workspace=acme.workspace)
    form = {"workspace": acme.workspace.pk, "content": "{}", "basis": ""}
    assert "workspace" in errors(developer.post(f"{ROOT}/staticdata/add/", form))


def test_viewers_read_static_data(acme: Tenant, viewer: Client) -> None:
    row = StaticData.objects.create(workspace=acme.workspace, data={"<b>": "x"})
    page = viewer.get(f"{ROOT}/staticdata/{row.pk}/change/").content.decode()
    assert "&lt;b&gt;" in page
    assert "textarea" not in page
