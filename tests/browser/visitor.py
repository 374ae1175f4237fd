"""What a person does in the browser: sign in, follow, press, wait for a word."""

from __future__ import annotations

import re

from playwright.sync_api import Browser, BrowserContext, Page, expect

from demo.content.people import PASSWORD

PATIENCE = 120_000
"""How long a state may take to come, in milliseconds: orgs and workers take their time."""


class Visitor:
    """Somebody of the demo company with a window of their own."""

    def __init__(self, browser: Browser, origin: str, email: str) -> None:
        self._context: BrowserContext = browser.new_context(
            viewport={"width": 1440, "height": 900}, reduced_motion="reduce", locale="en-GB"
        )
        self.page: Page = self._context.new_page()
        self._origin = origin
        self.open("/sign-in/")
        self.page.get_by_label("E-mail address").fill(email)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()
        expect(self.page.get_by_role("navigation").first).to_be_visible()

    def close(self) -> None:
        """Leave."""
        self._context.close()

    def open(self, path: str) -> None:
        """Go to an address of the product."""
        self.page.goto(f"{self._origin}{path}")

    def press(self, name: str) -> None:
        """Press a button, or follow a link that looks like one, in the page's main part."""
        main = self.page.locator("main")
        button = main.get_by_role("button", name=name, exact=True)
        (button if button.count() else main.get_by_role("link", name=name, exact=True)).click()

    def wait_for_state(self, word: str) -> None:
        """Wait until the head of the object on this page says the word, without reloading."""
        head = self.page.locator("main header.object .title .state")
        expect(head).to_have_text(word, timeout=PATIENCE)

    def reference(self) -> str:
        """Read the public id of the object on this page."""
        return self.page.locator("main header.object .id").inner_text().strip()

    def sees(self, text: str | re.Pattern[str]) -> None:
        """Expect a text in the page's main part."""
        expect(self.page.locator("main")).to_contain_text(text)
