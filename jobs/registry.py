"""Which handler attends to which kind of work, by name.

Apps register in their ``tasks.py``; nothing is imported by name out of Redis. A handler gets a
``Claim`` and does one short thing::

    def advance(claim: Claim) -> Next:
        ...                          # remote calls outside of any transaction
        with transaction.atomic():
            claim.guard()            # first in every writing transaction
            ...
        return Next.after(5)
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from django.utils.module_loading import autodiscover_modules

from jobs.claims import Claim, Next
from jobs.errors import UnknownKind

__all__ = ["QUEUES", "Claim", "Handler", "Kind", "Next", "kind", "kinds", "register"]

logger = logging.getLogger(__name__)

QUEUES: Final = ("build", "deploy")

Handler = Callable[[Claim], Next]
Recorder = Callable[[str, Mapping[str, object]], None]


@dataclass(frozen=True)
class Kind:
    """A kind of work: its queue decides which workers, and so which keys and rights, it meets."""

    name: str
    queue: str
    handler: Handler


_kinds: dict[str, Kind] = {}
_recorders: list[Recorder] = []


def register(kind: str, queue: str, handler: Handler) -> None:
    """Say who attends to a kind; a kind is registered once."""
    if queue not in QUEUES:
        raise ValueError(f"{kind}: no such queue: {queue}")
    if kind in _kinds:
        raise ValueError(f"{kind} is registered twice")
    _kinds[kind] = Kind(kind, queue, handler)


def kind(name: str) -> Kind:
    """Return a registered kind; raises UnknownKind."""
    try:
        return _kinds[name]
    except KeyError:
        raise UnknownKind(f"no app has registered the work {name!r}") from None


def kinds() -> list[Kind]:
    """Return every registered kind, by name."""
    return [_kinds[name] for name in sorted(_kinds)]


def autodiscover() -> None:
    """Import ``tasks`` of every installed app; the second call does nothing."""
    autodiscover_modules("tasks")


def on_security_event(recorder: Recorder) -> None:
    """Register who writes our events into the history: ``recorder(event, facts)``.

    Events are ``security.job_refused`` (something foreign in Redis, or a row in another queue than
    its kind's; facts: reason, queue, job) and ``job.crashed`` (a handler raised; facts: kind,
    subject_id, error, tries). The recorder runs in a transaction of its own, as the worker.
    """
    if recorder not in _recorders:
        _recorders.append(recorder)


def record(event: str, facts: Mapping[str, object]) -> None:
    """Pass an event of this package to everyone who registered for it, and to the log."""
    logger.warning("%s %s", event, dict(facts))
    for recorder in _recorders:
        recorder(event, facts)
