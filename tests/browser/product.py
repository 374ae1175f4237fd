"""The whole product as `script/server` runs it: own directory, own servers, the demo company.

Nothing is replaced: real PostgreSQL, Valkey, simulator, web, ticker and workers, each in its own
process and role. `product` is one run for a module of tests.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from script.lib.embedded import free_port

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 300
STOP_SECONDS = 60
READY = "Gatehouse is ready: "


@dataclass(frozen=True)
class Product:
    """A running installation."""

    var: Path
    url: str
    simulator_admin: str

    @property
    def repositories(self) -> Path:
        """Where the demo's teams keep their repositories."""
        return self.var / "repositories"

    def operator(self, method: str, path: str, body: object = None) -> Any:
        """Ask the simulator's operator."""
        request = urllib.request.Request(  # noqa: S310 - our own loopback address
            f"{self.simulator_admin}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return json.load(answer)

    def components(self, org: str) -> set[str]:
        """Name what a simulated org holds, as Type:Name."""
        return {
            f"{entry['type']}:{entry['name']}"
            for entry in self.operator("GET", f"/orgs/{org}/metadata")
        }


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """Start the product with the demo company, wait until it answers, stop it in the end."""
    var = tmp_path_factory.mktemp("product") / "var"
    log = var.parent / "server.log"
    port = free_port()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "script.lib.server", "--port", str(port)],
            cwd=ROOT,
            env=_environment(var),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        _wait(process, log)
        running = json.loads((var / "simulator" / "running.json").read_text())
        yield Product(var, f"http://localhost:{port}", f"http://127.0.0.1:{running['admin_port']}")
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(STOP_SECONDS)


def _environment(var: Path) -> dict[str, str]:
    """Give the server an ordinary environment: none of the tests' own settings."""
    ours = {
        name: value
        for name, value in os.environ.items()
        if name in {"PATH", "HOME", "TMPDIR", "LANG"}
    }
    return {**ours, "GATEHOUSE_VAR": str(var), "GIT_POLL_SECONDS": "1"}


def _wait(process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while READY not in log.read_text(errors="replace"):
        if process.poll() is not None or time.monotonic() > deadline:
            pytest.fail(f"the product did not start:\n{log.read_text(errors='replace')[-4000:]}")
        time.sleep(0.2)
