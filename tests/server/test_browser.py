"""The admin in a real browser: every page it leads to fits its window, has no errors and loads all it asks for."""

import re
from collections.abc import Iterator
from urllib.parse import urljoin, urlsplit

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.server.installation import Installation
from tests.server.interop import program

pytestmark = [pytest.mark.server, pytest.mark.browser, pytest.mark.xdist_group("server")]

PHONE = {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"}
DESK = {"viewport": {"width": 1480, "height": 900}, "color_scheme": "light"}
# Files that are downloaded, and what would end the walk.
NO_PAGE = re.compile(r"\.svg$|/file/$|/export/|/logout/|/jsi18n/")
LINKS = "found => found.map(link => link.getAttribute('href'))"
MEANT_PAGES = {
    "/admin/",
    "/admin/records/record/",
    "/admin/flows/flow/N/change/",
    "/admin/environments/environment/add/",
}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The browser."""
    with sync_playwright() as playwright:
        # Its sandbox does not start where tests run as root.
        browser = playwright.chromium.launch(executable_path=program("chromium"), args=["--no-sandbox"])
        yield browser
        browser.close()


def sign_in(page: Page, shipped: Installation) -> None:
    page.goto(f"{shipped.base_url}/admin/login/")
    page.fill("[name=username]", shipped.acme["username"])
    page.fill("[name=password]", shipped.acme["password"])
    page.click("[type=submit]")
    page.wait_for_url(f"{shipped.base_url}/admin/")


def faults_of(page: Page) -> list[str]:
    """What will be said of the pages from now on, each with its address."""
    faults: list[str] = []
    page.on("console", lambda said: faults.append(f"{page.url}: {said.text}") if said.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(f"{page.url}: {error.message}"))
    page.on("response", lambda got: faults.append(f"{got.url}: {got.status}") if got.status >= 400 else None)
    return faults


def links_on(page: Page) -> list[str]:
    """The paths of the admin that a page leads to."""
    found = [urlsplit(urljoin(page.url, link)) for link in page.eval_on_selector_all("a[href]", LINKS)]
    here = urlsplit(page.url).netloc
    return [link.path for link in found if link.netloc == here and link.path.startswith("/admin/")]


def walk(page: Page, shipped: Installation, faults: list[str]) -> set[str]:
    """Visit one page of each kind, from the overview on; ids are N in the paths that are returned."""
    seen, waiting = set(), ["/admin/"]
    while waiting:
        path = waiting.pop(0)
        kind = re.sub(r"\d+", "N", path)
        if kind in seen or NO_PAGE.search(path):
            continue
        seen.add(kind)
        page.goto(shipped.base_url + path)
        width, window = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
        if width > window:
            faults.append(f"{path} is {width} wide in a window of {window}")
        waiting += links_on(page)
    return seen


@pytest.mark.parametrize("window", [PHONE, DESK], ids=["phone, dark", "desk, light"])
def test_every_page_fits_its_window_and_has_no_errors(chromium: Browser, shipped: Installation, window: object) -> None:
    page = chromium.new_context(**window).new_page()
    sign_in(page, shipped)
    faults = faults_of(page)
    assert walk(page, shipped, faults) >= MEANT_PAGES
    assert faults == []


def test_the_page_of_an_environment_follows_its_jobs(chromium: Browser, shipped: Installation) -> None:
    page = chromium.new_context(**DESK).new_page()
    sign_in(page, shipped)
    faults = faults_of(page)
    page.goto(f"{shipped.base_url}/admin/environments/environment/add/")
    page.fill("[name=name]", "A place with a rather long name, so that it has to be broken somewhere")
    page.click("[name=_save]")
    page.click("#result_list a:has-text('A place with')")
    page.click("button:has-text('Optimize')", timeout=20_000)  # there once the environment is ready
    page.wait_for_selector("#environment-live summary:has-text('Optimize'):has-text('Done')", timeout=20_000)
    page.wait_for_selector("button:has-text('Optimize')", timeout=20_000)
    assert faults == []


def test_a_page_of_a_problem_is_dressed(chromium: Browser, shipped: Installation) -> None:
    page = chromium.new_context(**PHONE).new_page()
    page.goto(f"{shipped.base_url}/nothing")
    assert page.eval_on_selector("main", "main => getComputedStyle(main).maxWidth") == "512px"
