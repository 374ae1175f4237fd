"""A company at work, for pages and search."""

from tests.releases.pages.conftest import company, founded

__all__ = ["company", "founded"]
