"""Real Chromium for tests of pages: signing in, watching for faults, accessibility rules.

``person_at(email)`` opens a window signed in as somebody. Every window is watched: an error on the
console, an exception in a script, a breach of the Content-Security-Policy or a failed answer of
our own server makes the test fail when the window closes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.db import connections
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from governance.models import User
from script.lib import chromium

Theme = Literal["light", "dark"]

WIDE = (1440, 900)
PHONE = (390, 844)
LOOKS: tuple[tuple[str, tuple[int, int], Theme], ...] = (
    ("light", WIDE, "light"),
    ("dark", WIDE, "dark"),
    ("phone", PHONE, "light"),
)
AXE_TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")


@dataclass
class Window:
    """A page in the browser and everything that went wrong in it."""

    page: Page
    origin: str
    faults: list[str] = field(default_factory=list)
    expected_statuses: set[int] = field(default_factory=set)

    def open(self, path: str) -> None:
        """Go to an address of the product and wait until it stands still."""
        self.page.goto(f"{self.origin}{path}", wait_until="load")

    def wear(self, size: tuple[int, int], theme: Theme) -> None:
        """Show the page that is open in another size and theme."""
        self.page.set_viewport_size({"width": size[0], "height": size[1]})
        self.page.emulate_media(color_scheme=theme)

    def overflow(self) -> int:
        """Return by how many pixels the page is wider than its window."""
        return int(
            self.page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
        )

    def violations(self, rules: Sequence[str] = AXE_TAGS) -> list[str]:
        """Return what axe finds against WCAG 2.2 AA (or given rules), one readable line each."""
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(Axe().axe_script)
        options = {"runOnly": list(rules), "resultTypes": ["violations"]}
        found = self.page.evaluate(
            "options => axe.run(options).then(results => results.violations)", options
        )
        return [
            f"{rule['id']} ({rule['impact']}): {node['target'][0]} {node['html'][:160]}"
            for rule in found
            for node in rule["nodes"]
        ]

    def faults_now(self, theme: Theme = "light") -> list[str]:
        """Return what is wrong with the page as it stands: axe's findings and what is too wide."""
        # In the dark only the colours differ.
        found = self.violations() if theme == "light" else self.violations(["color-contrast"])
        overflow = self.overflow()
        if overflow > 0:
            found.append(f"wider than the window by {overflow} px")
        return found

    def faults_in_every_look(self) -> list[str]:
        """Return what is wrong in light, dark and on a phone; the page is loaded once for all."""
        faults = []
        for look, size, theme in LOOKS:
            self.wear(size, theme)
            faults += [f"({look}): {found}" for found in self.faults_now(theme)]
        return faults


@pytest.fixture(scope="module")
def chromium_browser() -> Iterator[Browser]:
    """Start one Chromium for a module of tests.

    Playwright's loop runs in this thread as long as the browser, and Django would take the tests'
    own queries for asynchronous ones; so both last no longer than the module. While the loop runs,
    Django keeps another set of connections for this thread, and the set from before is out of
    reach: it is closed first, or it would outlive the database that the next clone drops.
    """
    connections.close_all()
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = playwright.chromium.launch(
            executable_path=chromium.ensure(), args=list(chromium.ARGUMENTS)
        )
        yield browser
        browser.close()


OpenWindow = Callable[..., Window]


@pytest.fixture
def open_window(chromium_browser: Browser, live_server: Any) -> Iterator[OpenWindow]:
    """Open watched windows: ``open_window(user, size=PHONE, theme="dark", script=False)``.

    Without a user nobody is signed in. All windows close with the test; their faults fail it.
    """
    opened: list[tuple[BrowserContext, Window]] = []

    def opener(
        user: User | None = None,
        *,
        size: tuple[int, int] = WIDE,
        theme: Theme = "light",
        script: bool = True,
    ) -> Window:
        context = chromium_browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme=theme,
            java_script_enabled=script,
            reduced_motion="reduce",
            timezone_id="Europe/Berlin",
            locale="en-GB",
        )
        if user is not None:
            sign_in(context, user, live_server.url)
        window = Window(context.new_page(), live_server.url)
        watch(window)
        opened.append((context, window))
        return window

    yield opener
    faults = [fault for _, window in opened for fault in window.faults]
    for context, _ in opened:
        context.close()
    if faults:
        pytest.fail("the browser noticed:\n" + "\n".join(faults), pytrace=False)


def sign_in(context: BrowserContext, user: User, origin: str) -> None:
    """Give the window a session of this person, as signing in would."""
    client = Client()
    client.force_login(user)
    cookie = client.cookies[settings.SESSION_COOKIE_NAME]
    context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": origin}])


def watch(window: Window) -> None:
    """Note every fault that the browser reports."""
    page = window.page
    page.on("console", lambda message: _on_console(window, message))
    page.on("pageerror", lambda error: window.faults.append(f"{page.url}: {error}"))
    page.on(
        "response",
        lambda answer: (
            window.faults.append(f"{answer.status} {answer.url}")
            if answer.status >= 400 and answer.status not in window.expected_statuses
            else None
        ),
    )


def _on_console(window: Window, message: ConsoleMessage) -> None:
    # A refused page that the test expects is also told on the console.
    if "Failed to load resource" in message.text and window.expected_statuses:
        return
    if message.type in {"error", "warning"}:
        window.faults.append(f"{window.page.url}: {message.text}")
