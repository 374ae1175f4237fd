"""Fixtures of governance's tests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from governance.approvals import subjects
from tests.governance import world as worlds
from tests.support import bases
from tests.support.browser import chromium_browser, open_window

__all__ = ["chromium_browser", "open_window"]


@pytest.fixture
def subject(monkeypatch: pytest.MonkeyPatch) -> worlds.Subject:
    """Register a kind of subject for this test alone."""
    monkeypatch.setattr(subjects, "_kinds", dict(subjects._kinds))
    spy = worlds.Subject()
    subjects.register(worlds.KIND, outcome=spy.outcome, describe=spy.describe)
    return spy


@pytest.fixture(scope="module")
def founded_world(django_db_setup: Any, django_db_blocker: Any) -> Iterator[worlds.World]:
    """A founded installation for a module; every test then runs in a savepoint above it."""
    with bases.kept(worlds.make, django_db_blocker) as world:
        yield world


@pytest.fixture
def world(founded_world: worlds.World, db: None, subject: worlds.Subject) -> worlds.World:
    """A founded installation, inside the test's transaction."""
    return founded_world.copy()


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
