"""Take a row to a state by the moves that its machine allows, as the database demands."""

from __future__ import annotations

from collections import deque
from contextlib import nullcontext
from typing import Any

from core.machine import Machine
from releases import models, states
from tests.support.databases import as_role

MACHINES: dict[type[Any], Machine[Any]] = {
    models.Build: states.BUILD,
    models.Candidate: states.CANDIDATE,
    models.Deployment: states.DEPLOYMENT,
    models.Release: states.RELEASE,
    models.Step: states.STEP,
}


def way(machine: Machine[Any], start: str, end: str) -> list[str]:
    """The shortest way from one state to another, without the first."""
    ways: deque[list[str]] = deque([[start]])
    seen = {start}
    while ways:
        path = ways.popleft()
        if path[-1] == end:
            return path[1:]
        following = {str(state) for state in machine.moves[path[-1]]} - seen
        seen |= following
        ways.extend([*path, state] for state in sorted(following))
    raise ValueError(f"{machine.name}: nothing leads from {start} to {end}")


def reach(row: Any, end: str) -> None:
    """Move a saved row step by step; its other columns are left as they are.

    Builds and candidates move as a build worker moves them, all others in the caller's role.
    """
    is_worker = isinstance(row, models.Build | models.Candidate)
    with as_role("build") if is_worker else nullcontext():
        for state in way(MACHINES[type(row)], str(row.state), str(end)):
            row.state = state
            row.save(update_fields=["state"])
