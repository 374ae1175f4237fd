"""The harness of all tests: real servers, real roles, no network.

Fixtures: ``db`` and ``transactional_db`` as pytest-django has them (the latter is followed by a new
clone of the database), ``valkey`` (address of an emptied Valkey), ``live_server``. Tools:
``tests.support.databases.as_role`` and ``role_connection``, ``tests.support.race.race``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
from django.test import TransactionTestCase

from tests.support import network, order, reading, servers

# A busy machine is slow at making examples; nothing here is judged by the clock.
hypothesis.settings.register_profile(
    "gatehouse", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("gatehouse")

pytest_plugins = ["tests.support.fixtures", "tests.support.simulator"]


def pytest_configure(config: pytest.Config) -> None:
    """Make this process the owner of the run's servers, unless it is a worker of such a run."""
    servers.claim_run()
    network.guard()
    reading.install()


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the servers with the run."""
    servers.finish()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long; after pytest-randomly and pytest-django."""
    order.arrange(items)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> order.ByUnit:
    """Share the tests among the workers unit by unit."""
    return order.ByUnit(config, log)


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: Any) -> Iterator[None]:
    """Replace pytest-django's database set-up by a clone of the migrated template."""
    from tests.support import databases

    with django_db_blocker.unblock():
        databases.prepare()
    yield
    with django_db_blocker.unblock():
        databases.drop()


def _clone_again(self: TransactionTestCase) -> None:
    from tests.support import databases

    databases.clone()


# Django would TRUNCATE, which append-only tables refuse; TestCase keeps its own rollback.
TransactionTestCase._fixture_teardown = _clone_again  # type: ignore[attr-defined]
