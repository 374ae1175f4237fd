"""Photograph a running Gatehouse: every page that matters, light, dark and on a phone.

Signs in as one person through the sign-in page, walks to the pages by their links as people do,
and writes PNG files named ``<page>-<light|dark|phone>.png``.
"""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, sync_playwright

from script.lib import chromium

Look = Literal["light", "dark", "phone"]
SIZES: dict[Look, tuple[int, int]] = {
    "light": (1440, 900),
    "dark": (1440, 900),
    "phone": (390, 844),
}


@dataclass(frozen=True)
class Shot:
    """A page by an address, or by the first link there that one of the selectors finds."""

    name: str
    path: str
    follow: tuple[str, ...] = ()


SHOTS = (
    Shot("home", "/"),
    Shot("releases", "/releases/"),
    Shot(
        "release",
        "/releases/",
        (
            "main tr:has-text('Waiting for approval') a.ref[href*='/releases/R-']",
            "main a.ref[href*='/releases/R-']",
        ),
    ),
    Shot("approval", "/", ("#waiting a.btn:has-text('Approve')",)),
    Shot("deployments", "/deployments/"),
    Shot("deployment", "/deployments/", ("main a.ref[href*='/deployments/D-']",)),
    Shot("environments", "/environments/"),
    Shot("environment", "/environments/", ("main a[href*='/environments/E-']",)),
    Shot("teams", "/teams/"),
    Shot("team", "/teams/", ("main tr:has-text('develops') a[href^='/teams/']",)),
    Shot("history", "/history/"),
    Shot("search", "/search/?q=sales"),
)


def main() -> None:
    """Take all pictures, or those named on the command line."""
    options = _options()
    out = Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium.ensure(), args=list(chromium.ARGUMENTS)
        )
        for look in SIZES:
            _photograph(browser, look, out, options)
        browser.close()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8000", help="address of the product")
    parser.add_argument("--email", required=True, help="who signs in")
    parser.add_argument("--out", default="docs/images", help="folder of the pictures")
    parser.add_argument("pages", nargs="*", help="names of pages; all without any")
    return parser.parse_args()


def _photograph(browser: Browser, look: Look, out: Path, options: argparse.Namespace) -> None:
    width, height = SIZES[look]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if look == "dark" else "light",
        reduced_motion="reduce",
        timezone_id="Europe/Berlin",
    )
    page = context.new_page()
    _sign_in(page, options.url, options.email)
    for shot in SHOTS:
        if options.pages and shot.name not in options.pages:
            continue
        if _walk(page, options.url, shot):
            path = out / f"{shot.name}-{look}.png"
            _fit(page, look)
            page.screenshot(path=path)
            print(path)
        else:
            print(f"{shot.name}: no link {shot.follow[-1]} to follow")
    context.close()


def _sign_in(page: Page, url: str, email: str) -> None:
    """Sign in with the password in ``GATEHOUSE_PASSWORD``, so that it stands in no command line."""
    page.goto(f"{url}/")
    page.fill("input[type=email], input[name=username], input[name=email]", email)
    page.fill("input[type=password]", os.environ["GATEHOUSE_PASSWORD"])
    page.click("main button[type=submit]")
    page.wait_for_selector("#inbox")


def _walk(page: Page, url: str, shot: Shot) -> bool:
    page.goto(f"{url}{shot.path}", wait_until="load")
    if shot.follow:
        links = [page.locator(selector).first for selector in shot.follow]
        link = next((link for link in links if link.count()), None)
        if link is None:
            return False
        page.goto(f"{url}{link.get_attribute('href')}", wait_until="load")
    page.wait_for_timeout(500)
    return True


def _fit(page: Page, look: Look) -> None:
    """Make the window as high as the page, so that what sticks to its foot stands at the foot."""
    width, height = SIZES[look]
    page.set_viewport_size({"width": width, "height": height})
    tall = page.evaluate("document.documentElement.scrollHeight")
    page.set_viewport_size({"width": width, "height": max(height, int(tall))})


if __name__ == "__main__":
    main()
