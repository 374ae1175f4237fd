"""Do the workers' jobs inside the demo's command, each queue in its own role.

The handlers, the fences and the database's grants are those of the real workers: a build job runs
with the build worker's login and keys and cannot touch what a deploy worker may.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import QuerySet

from config.databases import parse
from demo.past import Past
from jobs import runner
from jobs.models import Work
from releases.services import deployments, repositories

QUEUES = ("build", "deploy")
QUIET = timedelta(minutes=10)
"""With nothing due for so long, all that was set going has come to its end."""
ORG_WORKS = timedelta(seconds=3)
"""How much longer than its poll the story waits for an org, whose own time is sped up."""
ENDLESS_SECONDS = 120
TOO_MANY_TRIES = 4


@dataclass(frozen=True)
class Hand:
    """How the worker of a queue reaches the database, and which private keys it holds."""

    database_url: str
    private_keys: Mapping[str, Mapping[str, str]]


class Stuck(Exception):
    """A job fails again and again, or the work never ends; the text says which and why."""


class Stagehands:
    """The build worker and the deploy worker of the demo's command."""

    def __init__(self, past: Past, hands: Mapping[str, Hand]) -> None:
        self._past = past
        self._keys = {queue: hands[queue].private_keys for queue in QUEUES}
        self._connections = {queue: _connect(hands[queue].database_url) for queue in QUEUES}

    def close(self) -> None:
        """Close the workers' connections."""
        for connection in self._connections.values():
            connection.close()

    def fetch(self, repository_id: int) -> None:
        """Let the build worker fetch a repository whose poll is due."""
        polls = _resting().filter(kind=repositories.KIND, subject_id=repository_id)
        self._attend(polls.filter(wake_at__lte=self._past.now()))

    def settle(self) -> None:
        """Work until nothing is due soon, letting the story's time pass between polls.

        Fetching is left alone: it comes back for ever. Raises Stuck.
        """
        wanted = _resting().exclude(kind=repositories.KIND)
        ends = time.monotonic() + ENDLESS_SECONDS
        while time.monotonic() < ends:
            if self._attend(wanted.filter(wake_at__lte=self._past.now())):
                continue
            nearest = wanted.filter(wake_at__isnull=False).order_by("wake_at").first()
            if nearest is None or nearest.wake_at is None:
                return
            if nearest.wake_at - self._past.now() > QUIET:
                return
            works = ORG_WORKS if nearest.kind == deployments.KIND else timedelta(0)
            self._past.go_to(nearest.wake_at + works)
        raise Stuck("The demo's work does not come to an end.")

    def _attend(self, due: QuerySet[Work]) -> bool:
        """Attend to everything that is due; say whether there was anything."""
        found = list(due.order_by("pk").values_list("queue", "pk"))
        for queue in QUEUES:
            ids = [pk for of, pk in found if of == queue]
            if ids:
                with self._as_worker(queue):
                    runner.advance(queue, ids)
        self._look_for_trouble()
        return bool(found)

    def _look_for_trouble(self) -> None:
        failing = Work.objects.filter(tries__gte=TOO_MANY_TRIES).first()
        if failing is not None:
            raise Stuck(f"{failing.kind} {failing.subject_id}: {failing.last_error}")

    @contextmanager
    def _as_worker(self, queue: str) -> Iterator[None]:
        before, keys = connections[DEFAULT_DB_ALIAS], settings.SEALING_PRIVATE_KEYS
        connections[DEFAULT_DB_ALIAS] = self._connections[queue]
        settings.SEALING_PRIVATE_KEYS = self._keys[queue]
        try:
            yield
        finally:
            connections[DEFAULT_DB_ALIAS] = before
            settings.SEALING_PRIVATE_KEYS = keys


def _resting() -> QuerySet[Work]:
    return Work.objects.filter(lease_until__isnull=True)


def _connect(url: str) -> BaseDatabaseWrapper:
    """Make a connection of another login under the ordinary alias."""
    own = connections[DEFAULT_DB_ALIAS]
    described = {**own.settings_dict, **parse(url)}
    return type(own)(described, DEFAULT_DB_ALIAS)
