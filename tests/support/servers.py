"""PostgreSQL and Valkey of this test run, started on first use, shared by all its workers."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60
PARENT = "GATEHOUSE_TEST_PARENT"


@dataclass(frozen=True)
class Servers:
    """Addresses of the run's servers."""

    superuser: str
    port: int
    valkey: str
    keeper: int

    def login(self, role: str, database: str) -> str:
        """Return the address of one login, for example "gatehouse_build"."""
        return f"postgresql://{role}:test@127.0.0.1:{self.port}/{database}"


def run_dir() -> Path:
    """Return the directory of this run; it is made so that PostgreSQL's user can enter it."""
    path = Path(os.environ["GATEHOUSE_TEST_RUN_DIR"])
    path.mkdir(mode=0o755, parents=True, exist_ok=True)
    return path


@contextmanager
def run_lock() -> Iterator[None]:
    """Let one pytest worker at a time work on what the run shares."""
    with (run_dir() / "lock").open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def claim_run() -> None:
    """Say that this process is the run: the servers end with it. Workers inherit the variable."""
    os.environ.setdefault(PARENT, str(os.getpid()))


def running() -> Servers:
    """Return the run's servers, starting them when this is the first who asks."""
    written = run_dir() / "servers.json"
    with run_lock():
        if not written.is_file():
            _start(written)
    return Servers(**json.loads(written.read_text()))


def _start(written: Path) -> None:
    log = run_dir() / "keeper.log"
    with log.open("ab") as output:
        subprocess.run(
            [sys.executable, "-m", "tests.support.keeper", str(run_dir()), os.environ[PARENT]],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            check=True,
        )
    deadline = time.monotonic() + START_SECONDS
    while not written.is_file():
        if time.monotonic() > deadline or (run_dir() / "keeper.failed").is_file():
            raise RuntimeError(f"the test servers did not start: {log.read_text()}")
        time.sleep(0.02)


def finish() -> None:
    """End the servers of this run, if it is ours, and remove what it left."""
    if os.environ.get(PARENT) != str(os.getpid()):
        return
    folder = Path(os.environ["GATEHOUSE_TEST_RUN_DIR"])
    written = folder / "servers.json"
    if written.is_file():
        os.kill(Servers(**json.loads(written.read_text())).keeper, signal.SIGTERM)
        deadline = time.monotonic() + START_SECONDS
        while written.is_file() and time.monotonic() < deadline:
            time.sleep(0.02)
    shutil.rmtree(folder, ignore_errors=True)
