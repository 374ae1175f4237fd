"""Every page of the product in Chromium: WCAG 2.2 AA by axe, a phone's width, no faults."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from tests.browser.pages import NO_PAGE, PAGES
from tests.support.browser import PHONE, OpenWindow, Window
from tests.support.company import Company

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]


def named_views(
    entries: list[URLPattern | URLResolver], app: str = ""
) -> Iterator[tuple[str, URLPattern]]:
    for entry in entries:
        if isinstance(entry, URLResolver):
            yield from named_views(entry.url_patterns, entry.app_name or app)
        elif entry.name:
            yield f"{app}:{entry.name}", entry


def answers_get(view: Callable[..., object] | None) -> bool:
    """Look behind the decorators of a view for the methods that it takes."""
    while view is not None:
        cells = zip(view.__code__.co_freevars, view.__closure__ or (), strict=True)
        methods = {name: cell.cell_contents for name, cell in cells}.get("request_method_list")
        if methods is not None:
            return "GET" in methods
        view = getattr(view, "__wrapped__", None)
    return True


def test_every_page_is_in_the_list() -> None:
    listed = {case.name for case in PAGES} | set(NO_PAGE)
    found = {
        name
        for name, pattern in named_views(get_resolver().url_patterns)
        if not name.startswith("api:") and answers_get(pattern.callback)
    }
    assert found == listed


AREAS = sorted({case.name.partition(":")[0] for case in PAGES})


@pytest.mark.parametrize("area", AREAS)
def test_every_page_keeps_the_rules_in_every_look(
    live_company: Company, open_window: OpenWindow, area: str
) -> None:
    """A page is loaded once: looks are a matter of style, which follows the window."""
    windows: dict[str, Window] = {}
    faults = []
    for case in (case for case in PAGES if case.name.startswith(f"{area}:")):
        if case.who not in windows:
            windows[case.who] = open_window(live_company.people[case.who])
        window = windows[case.who]
        path = case.path(live_company)
        window.open(path)
        faults += [f"{path} as {case.who} {found}" for found in window.faults_in_every_look()]
    assert faults == []


def test_signing_in_keeps_the_rules_in_every_look(
    live_company: Company, open_window: OpenWindow
) -> None:
    anonymous = open_window()
    anonymous.open("/sign-in/")
    assert anonymous.faults_in_every_look() == []


def test_a_page_that_is_not_there_looks_like_the_rest(
    live_company: Company, open_window: OpenWindow
) -> None:
    window = open_window(live_company.people["ana"], size=PHONE)
    window.expected_statuses = {404}
    for path in ("/no/such/page/", "/releases/R-999999/", "/environments/E-999999/"):
        window.open(path)
        assert window.page.locator("h1").inner_text() == "Nothing here"
        assert window.faults_now() == []


def test_a_long_address_in_a_heading_breaks_on_a_phone(
    live_company: Company, open_window: OpenWindow
) -> None:
    window = open_window(live_company.people["ana"], size=PHONE)
    window.open("/people/")
    address = f"{'firstname.lastname.' * 5}@subsidiary.northwind.example"
    window.page.locator("h1").evaluate("(heading, text) => { heading.textContent = text }", address)
    assert window.overflow() <= 0
