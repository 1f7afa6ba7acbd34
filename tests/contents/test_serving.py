"""What a website shows over HTTP, and what it never shows."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpResponseBase
from django.test import Client, RequestFactory
from django.utils import timezone
from django.utils.http import http_date

from apps.accounts.models import Workspace
from apps.contents import services
from apps.contents.api.responses import respond
from apps.contents.models import Website, WebsiteFile
from apps.contents.serving import Folder, find_file, find_preview
from tests.conftest import Tenant
from tests.contents.conftest import archive, make_website

Get = Callable[..., HttpResponseBase]


@pytest.fixture
def get(acme: Tenant, website: Website) -> Get:
    """Ask as an environment's host does."""

    def ask(path: str, method: str = "GET", **headers: str) -> Any:
        request = RequestFactory().generic(method, f"/shop/{path}", headers=headers)
        return respond(request, find_file(acme.workspace.pk, "shop", path))

    return ask


def body(response: Any) -> bytes:
    return b"".join(response.streaming_content) if response.streaming else response.content


@pytest.mark.parametrize(
    ("path", "content", "content_type", "cache"),
    [
        ("", b"<h1>Home</h1>", "text/html; charset=utf-8", "public, no-cache"),
        ("index.html", b"<h1>Home</h1>", "text/html; charset=utf-8", "public, no-cache"),
        ("docs/", b"<h1>Docs</h1>", "text/html; charset=utf-8", "public, no-cache"),
        ("docs/intro.html", b"<h1>Intro</h1>", "text/html; charset=utf-8", "public, no-cache"),
        ("app.css", b"h1 { color: teal }", "text/css; charset=utf-8", "public, max-age=300"),
        ("app.3f9a1c2b.js", b"alert(1)", "text/javascript; charset=utf-8", "public, max-age=31536000, immutable"),
        ("old.txt", "näh".encode("latin-1"), "text/plain", "public, max-age=300"),
    ],
)
def test_files_and_folders(get: Get, path: str, content: bytes, content_type: str, cache: str) -> None:
    response = get(path)

    assert response.status_code == 200
    assert body(response) == content
    headers = dict(response.headers)
    assert headers.pop("ETag").startswith('"')
    assert headers.pop("Last-Modified").endswith(" GMT")
    assert headers == {
        "Content-Type": content_type,
        "Content-Length": str(len(content)),
        "Cache-Control": cache,
        "Accept-Ranges": "bytes",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "SAMEORIGIN",
        "Content-Security-Policy": "frame-ancestors 'self'",
    }


@pytest.mark.parametrize("name", ["download-the-annual-report.pdf", "app-settings.js", "background.png"])
def test_long_names_are_no_fingerprints(acme: Tenant, name: str) -> None:
    make_website(acme, "other", {name: b"x"})
    found = find_file(acme.workspace.pk, "other", name)
    assert found.cache_control == "public, max-age=300"


def test_a_folder_without_its_slash_leads_to_it(get: Get) -> None:
    response = get("docs")
    assert (response.status_code, response["Location"]) == (301, "/shop/docs/")


def test_the_way_to_a_folder_stays_on_the_host() -> None:
    request = RequestFactory().get("/", query_params={"a": "1"})
    request.path = request.path_info = "//evil.example"
    response = respond(request, Folder())
    assert response["Location"] == "/%2Fevil.example/?a=1"


@pytest.mark.parametrize(
    "path",
    [
        *("missing", "docs/missing", "../index.html", "docs/../index.html", "/index.html", "//", "index.html/"),
        *("INDEX.html", "\0", "index.html\0", "x" * 5_000, "..%2findex.html", "docs\\intro.html", "%", "'", "%s"),
    ],
)
def test_what_is_not_there_is_not_found(get: Get, path: str) -> None:
    response = get(path)
    assert (response.status_code, body(response)) == (404, b"Not found.\n")
    assert response["Content-Type"] == "text/plain; charset=utf-8"


def test_a_site_may_say_in_its_own_words_that_something_is_missing(get: Get, website: Website) -> None:
    services.upload_archive(website, archive({"404.html": b"<h1>Lost</h1>"}))

    response = get("missing", **{"If-None-Match": "*", "Range": "bytes=0-1"})

    assert (response.status_code, body(response)) == (404, b"<h1>Lost</h1>")
    assert response["Cache-Control"] == "public, no-cache"
    assert get("404.html").status_code == 200


def test_other_workspaces_and_other_sites_are_not_there(acme: Tenant, rival: Tenant, website: Website) -> None:
    assert find_file(rival.workspace.pk, "shop", "index.html") is None
    assert find_file(acme.workspace.pk, "other", "index.html") is None
    assert find_file(acme.workspace.pk, "SHOP", "index.html") is None


def test_a_website_of_the_same_slug_in_another_workspace_is_another_one(acme: Tenant, website: Website) -> None:
    there = Workspace.objects.create(project=acme.project, api_host="api-1.test")
    copy = Website.objects.create(workspace=there, slug="shop", name="Shop", key=website.key)
    services.upload_archive(copy, archive({"index.html": b"deployed"}))

    assert find_file(there.pk, "shop", "").size == 8
    assert find_file(acme.workspace.pk, "shop", "").size == 13
    assert find_preview(website.key, "").size == 13


def test_conditions(get: Get, website: Website) -> None:
    first = get("app.css")
    for headers in (
        {"If-None-Match": first["ETag"]},
        {"If-None-Match": "*"},
        {"If-Modified-Since": first["Last-Modified"]},
    ):
        response = get("app.css", **headers)
        assert (response.status_code, body(response)) == (304, b"")
        assert (response["ETag"], response["Cache-Control"]) == (first["ETag"], "public, max-age=300")
        assert response["X-Content-Type-Options"] == "nosniff"
    assert get("app.css", **{"If-None-Match": '"other"'}).status_code == 200
    assert get("app.css", **{"If-Modified-Since": http_date(0)}).status_code == 200
    assert get("app.css", **{"If-Modified-Since": "nonsense"}).status_code == 200
    assert get("app.css", **{"If-Match": '"other"'}).status_code == 412

    services.upload_archive(website, archive({"app.css": b"changed"}))
    assert get("app.css", **{"If-None-Match": first["ETag"]}).status_code == 200


@pytest.mark.parametrize(
    ("asked", "content", "told"),
    [
        ("bytes=0-1", b"h1", "bytes 0-1/18"),
        ("bytes=3-", b"{ color: teal }", "bytes 3-17/18"),
        ("bytes=-6", b"teal }", "bytes 12-17/18"),
        ("bytes=-100", b"h1 { color: teal }", "bytes 0-17/18"),
        ("bytes=0-100", b"h1 { color: teal }", "bytes 0-17/18"),
        ("bytes=17-17", b"}", "bytes 17-17/18"),
    ],
)
def test_parts(get: Get, asked: str, content: bytes, told: str) -> None:
    response = get("app.css", Range=asked)
    assert (response.status_code, body(response), response["Content-Range"]) == (206, content, told)
    assert response["Content-Length"] == str(len(content))


@pytest.mark.parametrize("asked", ["bytes=18-", "bytes=18-20", "bytes=-0", "bytes=999999999999999999-"])
def test_parts_that_there_are_not(get: Get, asked: str) -> None:
    response = get("app.css", Range=asked)
    assert (response.status_code, response["Content-Range"], body(response)) == (416, "bytes */18", b"")


@pytest.mark.parametrize("asked", ["bytes=5-2", "bytes=-", "bytes=0-1,3-4", "lines=0-1", "bytes=a-b", "bytes=0-1x", ""])
def test_ranges_that_cannot_be_read_are_not_looked_at(get: Get, asked: str) -> None:
    response = get("app.css", Range=asked)
    assert (response.status_code, len(body(response))) == (200, 18)


def test_a_part_is_only_for_who_has_the_rest_of_the_same(get: Get) -> None:
    whole = get("app.css")
    for condition, status in [
        (whole["ETag"], 206),
        (whole["Last-Modified"], 206),
        ('"x"', 200),
        (http_date(0), 200),
        ("", 200),
    ]:
        assert get("app.css", **{"Range": "bytes=0-1", "If-Range": condition}).status_code == status


def test_head_tells_the_same_without_a_body(get: Get) -> None:
    whole, head = get("app.css"), get("app.css", method="HEAD")
    assert (head.status_code, body(head)) == (200, b"")
    assert dict(head.headers) == dict(whole.headers)
    assert get("missing", method="HEAD").status_code == 404
    assert get("app.css", method="HEAD", Range="bytes=0-1").status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_nothing_can_be_sent_to_a_website(get: Get, method: str) -> None:
    response = get("app.css", method=method)
    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD")


def test_large_files_go_out_in_pieces(acme: Tenant, get: Get, website: Website, django_assert_num_queries: Any) -> None:
    content = bytes(range(256)) * 16_384
    services.upload_archive(website, archive({"film.mp4": content}))

    with django_assert_num_queries(1):
        response = get("film.mp4")
    assert response.streaming
    assert response["Content-Length"] == str(len(content))
    assert body(response) == content
    part = get("film.mp4", Range=f"bytes={len(content) - 300}-")
    assert body(part) == content[-300:]


def test_a_file_costs_two_statements_and_an_answer_without_it_one(get: Get, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(2):
        etag = get("app.css")["ETag"]
    for options in ({"If-None-Match": etag}, {"method": "HEAD"}):
        with django_assert_num_queries(1):
            get("app.css", **options)


# --- In the Designer ------------------------------------------------------------------------------------------------


def test_the_designer_shows_it_apart_from_the_admin(website: Website, client: Client) -> None:
    response = client.get(f"/site/{website.key}/")

    assert (response.status_code, response.content) == (200, b"<h1>Home</h1>")
    policy = response["Content-Security-Policy"]
    assert policy == (
        "sandbox allow-forms allow-scripts allow-popups allow-modals allow-downloads; frame-ancestors 'self'"
    )
    assert "allow-same-origin" not in policy
    assert response["X-Robots-Tag"] == "noindex"
    assert response["Access-Control-Allow-Origin"] == "*"
    assert not response.cookies
    assert client.get(f"/site/{website.key}/docs")["Location"] == f"/site/{website.key}/docs/"
    assert client.get(f"/site/{website.key}/docs/intro.html").content == b"<h1>Intro</h1>"
    assert client.post(f"/site/{website.key}/").status_code == 405


ELSEWHERE = ["../../admin/", "%2e%2e/%2e%2e/etc/passwd", "..%2f..%2fetc", "%00", "docs/%2e%2e/index.html"]


@pytest.mark.parametrize("rest", ELSEWHERE)
def test_nothing_else_of_the_host_comes_out(website: Website, client: Client, rest: str) -> None:
    assert client.get(f"/site/{website.key}/{rest}").status_code == 404


def test_another_key_shows_nothing(website: Website, client: Client) -> None:
    assert client.get(f"/site/{'0' * 32}/").status_code == 404
    assert client.get(f"/site/{website.key.upper()}x/").status_code == 404
    Website.objects.all().delete()
    assert client.get(f"/site/{website.key}/").status_code == 404


def test_a_file_that_is_dated_ahead_is_still_answered(get: Get) -> None:
    WebsiteFile.objects.update(date_updated=timezone.now() + timedelta(days=400))
    assert get("app.css").status_code == 200
