"""Two or more threads with their own connections that set out at the same moment."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import connections

WAIT_SECONDS = 20


@dataclass(frozen=True)
class Outcome:
    """What one racer returned or raised."""

    value: Any = None
    error: BaseException | None = None


def race(*racers: Callable[[], Any]) -> list[Outcome]:
    """Run the callables at once, each in its own thread and connection; outcomes in their order.

    Needs committed data, so the test must use ``transactional_db``. Fails when a racer hangs.
    """
    barrier = threading.Barrier(len(racers), timeout=WAIT_SECONDS)
    outcomes: list[Outcome | None] = [None] * len(racers)

    def run(index: int, racer: Callable[[], Any]) -> None:
        try:
            connections["default"].ensure_connection()
            barrier.wait()
            outcomes[index] = Outcome(value=racer())
        except BaseException as error:
            outcomes[index] = Outcome(error=error)
        finally:
            connections.close_all()

    threads = [
        threading.Thread(target=run, args=(index, racer), daemon=True)
        for index, racer in enumerate(racers)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT_SECONDS)
    finished = [outcome for outcome in outcomes if outcome is not None]
    if len(finished) != len(racers):
        raise AssertionError(f"a racer did not finish within {WAIT_SECONDS} s")
    return finished
