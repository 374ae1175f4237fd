"""The company at work that the pages are tested with, for attacks on the invariants."""

from __future__ import annotations

from tests.releases.pages.conftest import as_person, company, founded

__all__ = ["as_person", "company", "founded"]
