"""Who runs what when: long tests first, and a module in one worker so that it is set up once.

Within a module, tests that begin with an empty database run before those that share rows.

Order is random (pytest-randomly) by module, and within a module by class and test. On top of it,
what takes long begins first, the longest first: otherwise it may come last, with the other workers
idle. How long a test takes is told by the time that it is given (``timeout``, ``processes``).
"""

from __future__ import annotations

import pytest
from xdist.scheduler import LoadScopeScheduling

from tests.support import bases

# Tests that each set up what they need: workers share them test by test.
ALONE = (
    "tests/architecture/test_access.py",
    "tests/browser/test_pages.py",
    "tests/governance/test_browser.py",
    "tests/invariants/test_i11_one_gate_every_path.py",
    "tests/journeys/",
)
ORDINARY_SECONDS = 120
PROCESS_SECONDS = 200


def seconds(item: pytest.Item) -> float:
    """Return how long a test may take."""
    given = item.get_closest_marker("timeout")
    if given is not None:
        return float(given.args[0])
    if item.get_closest_marker("processes") is not None:
        return PROCESS_SECONDS
    return ORDINARY_SECONDS


def _rows(item: pytest.Item) -> list[bool]:
    return [name in getattr(item, "fixturenames", ()) for name in bases.FIXTURES]


def arrange(items: list[pytest.Item]) -> None:
    """Put modules that hold long tests first, each module's tests together, else as they come."""
    modules: dict[str, list[pytest.Item]] = {}
    for item in items:
        modules.setdefault(item.nodeid.partition("::")[0], []).append(item)
    longest = {name: max(map(seconds, module)) for name, module in modules.items()}
    in_order = sorted(modules, key=lambda name: -longest[name])
    items[:] = [item for name in in_order for item in sorted(modules[name], key=_rows)]


def unit(nodeid: str) -> str:
    """Return the name of what one worker runs at a stretch: a module, or a test of ``ALONE``."""
    return nodeid if nodeid.startswith(ALONE) else nodeid.partition("::")[0]


class ByUnit(LoadScopeScheduling):
    """Hands out units in the order of the collection."""

    def __init__(self, config: pytest.Config, log: object = None) -> None:
        config.option.loadscopereorder = False
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        return unit(nodeid)
