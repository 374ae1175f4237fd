"""Find or fetch the browser that the page tests and the screenshots drive.

In this order: a Chromium or Chrome on PATH, Playwright's own build if it was downloaded before,
Playwright's download, and as root Debian's package. ``GATEHOUSE_CHROMIUM`` names another one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")

# No sandbox: containers and root lack the kernel rights for it, and it meets only our own pages.
ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class NoBrowser(RuntimeError):
    """No browser is here and none can be had; the text says what to do."""


def find() -> str | None:
    """Return the path of a browser on this machine, or None."""
    named = os.environ.get("GATEHOUSE_CHROMIUM")
    if named:
        return named if Path(named).is_file() else None
    for name in NAMES:
        path = shutil.which(name)
        if path:
            return path
    return _downloaded()


def ensure() -> str:
    """Return the path of a browser, fetching one if need be; raise ``NoBrowser`` otherwise."""
    found = find()
    if found:
        return found
    for command in _ways():
        print("Fetching a browser for the tests:", *command, flush=True)
        done = subprocess.run(command, check=False, timeout=900)
        found = find()
        if done.returncode == 0 and found:
            return found
    raise NoBrowser(
        "No Chromium was found and none could be fetched. Install the package chromium, or set "
        "GATEHOUSE_CHROMIUM to a Chrome or Chromium; ./script/test --no-browser runs the rest."
    )


def _ways() -> list[list[str]]:
    ways = [[sys.executable, "-m", "playwright", "install", "--only-shell", "chromium"]]
    if os.geteuid() == 0 and shutil.which("apt-get"):
        ways.append(["apt-get", "update"])
        ways.append(["apt-get", "install", "-y", "--no-install-recommends", "chromium"])
    return ways


def _downloaded() -> str | None:
    """Return Playwright's own build; it keeps them in one folder per revision."""
    home = os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or Path.home() / ".cache" / "ms-playwright"
    builds = sorted(Path(home).glob("chromium*/chrome-*/*"), reverse=True)
    for path in builds:
        if path.name in {"chrome", "headless_shell", "chrome-headless-shell"} and os.access(
            path, os.X_OK
        ):
            return str(path)
    return None


if __name__ == "__main__":
    try:
        print("Browser for the tests:", ensure())
    except NoBrowser as refusal:
        sys.exit(f"Gatehouse: {refusal}")
