"""Wraps the function that DIES_AT names, such as ``after releases.engine.finish.step_done``.

The first call of it in this process ends with SIGKILL of the job and of the worker that runs it, as
when a machine loses its power: nothing is rolled back by hand, nothing is told.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from functools import wraps
from importlib import import_module
from typing import Any

from django.apps import AppConfig, apps

WRITE = "deploy"


class DyingConfig(AppConfig):
    """Puts the end of this process in its place."""

    name = "tests.journeys.dying"
    label = "dying"

    def ready(self) -> None:
        """Wrap the function that the environment names."""
        when, _, place = os.environ["DIES_AT"].partition(" ")
        path, _, name = place.rpartition(".")
        holder = _held(path)
        setattr(holder, name, _dying(getattr(holder, name), after=when == "after"))


def _held(path: str) -> Any:
    """The module, or the class in a module, of that name."""
    module, _, last = path.rpartition(".")
    return getattr(import_module(module), last) if last[0].isupper() else import_module(path)


def _dying(work: Callable[..., Any], *, after: bool) -> Callable[..., Any]:
    model = apps.get_model("releases", "Step")

    @wraps(work)
    def wrapped(*given: Any, **named: Any) -> Any:
        about = [value for value in given if isinstance(value, model)]
        if any(step.kind != WRITE for step in about):
            return work(*given, **named)
        if after:
            work(*given, **named)
        for pid in (os.getppid(), os.getpid()):
            os.kill(pid, signal.SIGKILL)
        raise AssertionError("this process is dead")

    return wrapped
