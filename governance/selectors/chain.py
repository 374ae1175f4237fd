"""How the history stands: its length, its last checkpoint, its last verification."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from core import clock
from governance.models import AuditEvent, AuditLink, Checkpoint, CheckpointCopy, Verification

LATE = 3
"""A checkpoint or verification that is this many periods old is missed."""
VERIFY_EVERY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Standing:
    """What the pages say about the chain."""

    position: int
    checkpoint: Checkpoint | None
    copies: list[CheckpointCopy]
    verification: Verification | None
    unfinished: Verification | None = None
    """The newest try, where it could not be finished."""

    @property
    def state(self) -> str:
        """Return the word that colours the mark: done, failed or held."""
        if self.verification is not None and not self.verification.passed:
            return "failed"
        unknown = self.is_late or self.verification is None or self.unfinished is not None
        return "held" if unknown else "done"

    @property
    def is_late(self) -> bool:
        """Tell whether checkpoints or verifications have stopped arriving."""
        period = timedelta(seconds=settings.GATEHOUSE.checkpoints.seconds)
        return _older(self.arrived_at, LATE * period) or _older(
            self.verification.finished_at if self.verification else None, LATE * VERIFY_EVERY
        )

    @property
    def arrived_at(self) -> datetime | None:
        """When a checkpoint last reached a place outside."""
        return max((copy.at for copy in self.copies if not copy.problem), default=None)

    @property
    def uncovered(self) -> int:
        """How many events are newer than the last checkpoint."""
        return self.position - (self.checkpoint.position if self.checkpoint else 0)


@dataclass(frozen=True, slots=True)
class Seal:
    """An event's place in the chain."""

    link: AuditLink
    checkpoint: Checkpoint | None
    verified_at: datetime | None

    @property
    def hash(self) -> str:
        """The row's hash in hex."""
        return bytes(self.link.hash).hex()


def standing() -> Standing:
    """Return how the history stands now."""
    position = AuditLink.objects.order_by("-position").values_list("position", flat=True).first()
    newest = Verification.objects.first()
    unfinished = newest if newest and newest.unfinished else None
    return Standing(
        position=position or 0,
        checkpoint=Checkpoint.objects.first(),
        copies=latest_copies(),
        verification=Verification.objects.filter(unfinished=False).first()
        if unfinished
        else newest,
        unfinished=unfinished,
    )


def latest_copies() -> list[CheckpointCopy]:
    """Return the newest try at each place."""
    newest = CheckpointCopy.objects.order_by("place", "-id").distinct("place")
    return list(newest.select_related("checkpoint"))


def seal_of(event: AuditEvent) -> Seal | None:
    """Return where an event stands; None only inside the transaction that wrote it."""
    link = AuditLink.objects.filter(event_id=event.pk).first()
    if link is None:
        return None
    covering = Checkpoint.objects.filter(position__gte=link.position).order_by("number").first()
    verified = Verification.objects.filter(problem="", events__gte=link.position).first()
    return Seal(link, covering, verified.finished_at if verified else None)


def checkpoints(limit: int = 20) -> list[Checkpoint]:
    """Return the newest checkpoints."""
    return list(Checkpoint.objects.all()[:limit])


def verifications(limit: int = 10) -> list[Verification]:
    """Return the newest verifications."""
    return list(Verification.objects.all()[:limit])


def _older(moment: datetime | None, age: timedelta) -> bool:
    return moment is None or clock.now() - moment > age
