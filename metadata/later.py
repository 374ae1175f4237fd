"""Work that goes on while the caller does something else, such as waiting for git."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Result = TypeVar("Result")


class Later(Generic[Result]):
    """A function that runs in a thread; ``result`` waits for it and raises what it raised."""

    def __init__(self, function: Callable[[], Result]) -> None:
        self._made: list[Result] = []
        self._fault: BaseException | None = None
        self._thread = threading.Thread(target=self._run, args=(function,), daemon=True)
        self._thread.start()

    def _run(self, function: Callable[[], Result]) -> None:
        try:
            self._made.append(function())
        except BaseException as fault:  # noqa: BLE001 - handed to the caller's thread
            self._fault = fault

    def result(self) -> Result:
        """What the function returned."""
        self._thread.join()
        if self._fault is not None:
            raise self._fault
        return self._made[0]
