"""The simulator's operator: makes the orgs and hurries them while the story is played."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HURRIED = 1000.0
TIMEOUT_SECONDS = 30


class OperatorFailed(Exception):
    """The simulator refused or did not answer; the text says what it said."""


class Operator:
    """Speaks to the simulator's admin port."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")

    def make_orgs(self, seed: Path) -> int:
        """Make the orgs of a seed that are not there yet; say how many were made."""
        there = {org["name"] for org in self._ask("GET", "/orgs")}
        wanted = [org for org in json.loads(seed.read_text())["orgs"] if org["name"] not in there]
        for org in wanted:
            self._ask("POST", "/orgs", org)
        return len(wanted)

    @contextmanager
    def hurried(self) -> Iterator[None]:
        """Let what orgs do take next to no time, and the ordinary time afterwards."""
        speed = self._ask("GET", "/clock")["speed"]
        self._ask("POST", "/clock", {"speed": HURRIED})
        try:
            yield
        finally:
            self._ask("POST", "/clock", {"speed": speed})

    def _ask(self, method: str, path: str, body: object = None) -> Any:
        request = urllib.request.Request(  # noqa: S310 - the operator's own loopback address
            f"{self._url}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310
                return json.load(answer)
        except urllib.error.HTTPError as error:
            said = error.read().decode("utf-8", "replace")
            raise OperatorFailed(f"The simulator refused {method} {path}: {said}") from error
        except OSError as error:
            raise OperatorFailed(
                f"The simulator does not answer at {self._url}: {error}"
            ) from error
