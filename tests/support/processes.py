"""Real processes of the product on this pytest worker's database and Valkey.

::

    with processes.farm(valkey) as farm:
        farm.ticker()
        worker = farm.worker("deploy")
        ...
        worker.kill()            # SIGKILL of the worker and of its child
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
from django.conf import settings

from tests.support import servers
from tests.support.databases import worker_database

STOP_SECONDS = 20


class Process:
    """One process of the product, with its output in a file."""

    def __init__(self, command: list[str], environment: Mapping[str, str], log: Path) -> None:
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-W", "ignore", "manage.py", *command],
                cwd=servers.ROOT,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Return the process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Tell whether the process still runs."""
        return self._process.poll() is None

    @property
    def was_killed(self) -> bool:
        """Tell whether SIGKILL ended the process."""
        return self._process.poll() == -signal.SIGKILL

    def output(self) -> str:
        """Return everything that the process has written so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def children(self) -> list[psutil.Process]:
        """Return its running children: a worker's child is the job at hand."""
        return list(psutil.Process(self.pid).children()) if self.alive else []

    def kill(self) -> None:
        """SIGKILL the process and its children, as a failing machine does."""
        for child in self.children():
            child.kill()
        self._process.kill()
        self._process.wait()

    def kill_only_parent(self) -> None:
        """SIGKILL the process and leave its child running."""
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        """SIGTERM, wait, and return the exit status; SIGKILL when it takes too long."""
        if self.alive:
            self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            return self._process.returncode


class Farm:
    """Starts processes and stops them all in the end."""

    def __init__(self, valkey: str, folder: Path, extra: Mapping[str, str], module: str) -> None:
        self._valkey = valkey
        self._folder = folder
        self._extra = dict(extra)
        self._module = module
        self._processes: list[Process] = []

    def environment(self, role: str) -> dict[str, str]:
        """Return the environment of a process in a role, as script/server would write it."""
        running = servers.running()
        return {
            **{name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ},
            "DJANGO_SETTINGS_MODULE": self._module,
            "GATEHOUSE_ENV": "test",
            "GATEHOUSE_MODE": "real",
            "GATEHOUSE_ROLE": role,
            "GATEHOUSE_SECRET_KEY": settings.SECRET_KEY,
            "GATEHOUSE_BASE_URL": settings.GATEHOUSE.base_url,
            "GATEHOUSE_HOST": "localhost,127.0.0.1",
            "GATEHOUSE_BLOBS_DIR": str(settings.GATEHOUSE.blobs_dir),
            "GATEHOUSE_MIRRORS_DIR": str(settings.GATEHOUSE.mirrors_dir),
            "REPOSITORY_ROOTS": ",".join(map(str, settings.GATEHOUSE.repository_roots)),
            "DATABASE_URL": running.login(f"gatehouse_{role}", worker_database()),
            "REDIS_URL": self._valkey,
            **self._extra,
        }

    def start(self, role: str, *command: str, **environment: str) -> Process:
        """Start ``manage.py <command>`` in a role; ``environment`` joins the role's."""
        log = self._folder / f"{len(self._processes)}-{role}.log"
        process = Process(list(command), self.environment(role) | environment, log)
        self._processes.append(process)
        return process

    def ticker(self) -> Process:
        """Start a ticker."""
        return self.start("ticker", "ticker")

    def worker(self, queue: str, **environment: str) -> Process:
        """Start a worker of a queue."""
        return self.start(queue, "work", "--queue", queue, **environment)

    def output(self) -> str:
        """Return what all processes have written, for the message of a failing test."""
        return "\n".join(f"== {one.log.name}\n{one.output()}" for one in self._processes)

    def stop(self) -> None:
        """Stop everything, workers before what they need."""
        for process in reversed(self._processes):
            process.stop()


@contextmanager
def farm(
    valkey: str, *, extra: Mapping[str, str] | None = None, module: str = "config.settings"
) -> Iterator[Farm]:
    """Give a Farm whose processes end with the block; ``extra`` joins their environment."""
    with TemporaryDirectory(prefix="gatehouse-farm-") as folder:
        started = Farm(valkey, Path(folder), extra or {}, module)
        try:
            yield started
        finally:
            started.stop()


def wait_until(
    condition: Callable[[], object], *, seconds: float = 20, farm: Farm | None = None
) -> None:
    """Wait until the condition holds; after so many seconds fail with what the processes wrote."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            written = farm.output() if farm else ""
            raise AssertionError(f"still not so after {seconds} s\n{written}")
        time.sleep(0.02)
