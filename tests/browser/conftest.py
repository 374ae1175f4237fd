"""A company that the live server sees."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.browser import chromium_browser, open_window
from tests.support.company import Company, found

__all__ = ["chromium_browser", "open_window"]


@pytest.fixture
def company(db: None) -> Company:
    """Return the rows of a company, for questions that need no browser."""
    return found()


@pytest.fixture
def live_company(chromium_browser: Any, transactional_db: None, live_server: Any) -> Company:
    """Return the rows of a company, committed so that the live server answers with them."""
    return found()
