"""Runs the product's processes side by side (honcho) and starts again the one that dies.

Honcho ends everything when one process ends. A worker that is killed must not take the rest with
it, so each process is restarted by the honcho child that watches it, unless it dies at once again
and again. The watchers end their process when script/server itself is gone, also when it was
killed.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from multiprocessing.synchronize import Event
from typing import Any

import honcho.manager
from honcho.manager import Manager
from honcho.process import Process

# A worker finishes the step at hand before it stops.
STOP_SECONDS = 30
LIVED_SECONDS = 5.0
DEATHS = 5
PAUSE_SECONDS = 1.0


class Watched(Process):
    """A process that is started again when it ends by itself."""

    stopping: Event

    def run(self, events: Any = None, ignore_signals: bool = False) -> None:
        """Run until told to stop; runs in a process of its own (honcho forks it)."""
        self._events = events
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # A handler that does nothing: SIG_IGN would be inherited by the process itself.
            signal.signal(number, lambda *_: None)
        threading.Thread(target=self._end_with_parent, daemon=True).start()
        deaths = 0
        while True:
            started = time.monotonic()
            code = self._run_once()
            deaths = 1 if time.monotonic() - started > LIVED_SECONDS else deaths + 1
            if self.stopping.is_set() or deaths >= DEATHS:
                break
            self._send_message(b"ended (%d); starting again\n" % code)
            if self.stopping.wait(PAUSE_SECONDS):
                break
        self._send_message({"returncode": code}, type="stop")

    def _run_once(self) -> int:
        self._child = self._child_ctor(self.cmd, env=self.env, cwd=self.cwd)
        self._send_message({"pid": self._child.pid}, type="start")
        for line in iter(self._child.stdout.readline, b""):
            self._send_message(line)
        self._child.stdout.close()
        code: int = self._child.wait()
        return code

    def _end_with_parent(self) -> None:
        """Stop the process, and this watcher, when script/server is gone."""
        parent = multiprocessing.parent_process()
        if parent is None:
            return
        parent.join()
        self.stopping.set()
        try:
            os.killpg(self._child.pid, signal.SIGTERM)
            self._child.wait(STOP_SECONDS)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            os._exit(1)
        os._exit(0)


class Supervisor(Manager):
    """Honcho's manager with processes that are watched."""

    def __init__(self) -> None:
        super().__init__()
        honcho.manager.KILL_WAIT = STOP_SECONDS
        self._stopping = multiprocessing.Event()
        self._process_ctor = Watched

    def add(self, name: str, command: str, environment: Mapping[str, str], directory: str) -> None:
        """Add a process; it starts with ``loop``."""
        process = self.add_process(name, f"exec {command}", env=dict(environment), cwd=directory)
        process.stopping = self._stopping

    def terminate(self) -> None:
        """Stop everything; nothing is started again."""
        self._stopping.set()
        super().terminate()
