"""A company at work, for pages and search."""

from __future__ import annotations

import pytest

from tests.support.company import Company, found


@pytest.fixture
def company(db: None) -> Company:
    """Return the rows of a small company in the middle of its work."""
    return found()
