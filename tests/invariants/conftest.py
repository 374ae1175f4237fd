"""The company at work that the pages are tested with, for attacks on the invariants."""

from __future__ import annotations

import pytest

from tests.governance.conftest import committed_world, founded_world, subject, world
from tests.releases.pages.conftest import as_person, company, founded
from tests.support import company as companies
from tests.support.company import Company

__all__ = [
    "as_person",
    "committed",
    "committed_world",
    "company",
    "founded",
    "founded_world",
    "subject",
    "world",
]


@pytest.fixture
def committed(transactional_db: None) -> Company:
    """The company, as other connections see it."""
    return companies.found()
