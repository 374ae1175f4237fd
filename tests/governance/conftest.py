"""Fixtures of governance's tests."""

from __future__ import annotations

from typing import Any

import pytest

from governance.approvals import subjects
from tests.governance import world as worlds
from tests.support.browser import chromium_browser, open_window

__all__ = ["chromium_browser", "open_window"]


@pytest.fixture
def subject(monkeypatch: pytest.MonkeyPatch) -> worlds.Subject:
    """Register a kind of subject for this test alone."""
    monkeypatch.setattr(subjects, "_kinds", dict(subjects._kinds))
    spy = worlds.Subject()
    subjects.register(worlds.KIND, outcome=spy.outcome, describe=spy.describe)
    return spy


@pytest.fixture
def world(db: None, subject: worlds.Subject) -> worlds.World:
    """A founded installation, inside the test's transaction."""
    return worlds.make()


@pytest.fixture
def committed_world(transactional_db: None, subject: worlds.Subject) -> worlds.World:
    """A founded installation that other connections see."""
    return worlds.make()


@pytest.fixture
def live_world(
    chromium_browser: Any, transactional_db: None, live_server: Any, subject: worlds.Subject
) -> worlds.World:
    """A founded installation that a browser sees."""
    return worlds.make()
