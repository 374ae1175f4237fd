"""The demo's repositories, built once for the tests that only read them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from demo.content import repositories

TODAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Give the path of each team's repository as built on a fixed day; do not change them."""
    return repositories.build(tmp_path_factory.mktemp("repositories"), TODAY)
