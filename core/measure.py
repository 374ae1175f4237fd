"""What the benches measure: wall time, CPU of this process and of PostgreSQL, the disk's flush."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from statistics import median
from typing import Self

import psutil
from django.db import connection

PAGE = 8192


def timed(act: Callable[[], object]) -> float:
    """Return how many seconds an act takes."""
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def cpu_time(process: psutil.Process) -> float:
    """Return the CPU seconds that a process has used."""
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:  # it ended while the others were counted
        return 0.0
    return float(times.user + times.system)


class Watch:
    """CPU seconds that this process and PostgreSQL use meanwhile, what ended there included."""

    def __enter__(self) -> Self:
        """Start to count."""
        connection.ensure_connection()
        backend = psutil.Process(connection.connection.info.backend_pid)
        self._server = psutil.Process(backend.ppid())
        self.seconds = -self._spent()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop counting."""
        self.seconds += self._spent()

    def _spent(self) -> float:
        own = psutil.Process()
        ended = sum(
            float(times.children_user + times.children_system)
            for times in (own.cpu_times(), self._server.cpu_times())
        )
        return ended + cpu_time(own) + sum(map(cpu_time, self._server.children()))


def flush_time(times: int = 200) -> float:
    """Return the median seconds that the disk of the scratch database takes for a flush.

    As ``pg_test_fsync`` asks: one page of a file that is there already, written again and again.
    """
    with tempfile.NamedTemporaryFile() as file:
        number = file.fileno()
        os.write(number, bytes(16 * PAGE))
        os.fsync(number)
        taken = []
        for _ in range(times):
            started = time.perf_counter()
            os.pwrite(number, bytes(PAGE), 0)
            os.fdatasync(number)
            taken.append(time.perf_counter() - started)
    return median(taken)


def judged(met: bool, target: str) -> str:
    """Say whether a target is met, for the end of a line."""
    return f"target {target}: {'met' if met else 'not met'}"
