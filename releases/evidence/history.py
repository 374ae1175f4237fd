"""The part of the history that a pack carries: a whole stretch of it, so that it can be verified.

Single events cannot be taken out of a chain, so the stretch runs from the first event that belongs
to the pack to the last one, with whatever else happened in between, and on to the checkpoint that
covers it. The form of both files is that of ``governance.verification.verify``.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from governance.models import AuditLink, Checkpoint
from releases.evidence.access import Span
from releases.evidence.times import recorded

STREAM = 2000


@dataclass(slots=True)
class Stretch:
    """First and last position of the pack; grows as records name events."""

    first: int = 0
    last: int = 0

    def include(self, positions: Iterable[int]) -> None:
        """Make room for these positions."""
        for position in positions:
            self.first = min(self.first or position, position)
            self.last = max(self.last, position)

    def include_period(self, span: Span) -> None:
        """Make room for everything that happened in a period."""
        rows = AuditLink.objects.filter(event__at__gte=span.since, event__at__lt=span.until)
        first = rows.order_by("position").values_list("position", flat=True).first()
        last = rows.order_by("-position").values_list("position", flat=True).first()
        self.include(position for position in (first, last) if position is not None)

    def reach_checkpoint(self) -> None:
        """Go on to the first checkpoint that covers the stretch, when there is one."""
        rows = Checkpoint.objects.filter(position__gte=self.last).order_by("number")
        covering = rows.values_list("position", flat=True).first()
        if self.last and covering is not None:
            self.include([covering])


def events(stretch: Stretch) -> Iterator[dict[str, Any]]:
    """The events of a stretch in the order of the chain, each with its text word for word."""
    rows = AuditLink.objects.filter(position__gte=stretch.first, position__lte=stretch.last)
    for row in rows.select_related("event").order_by("position").iterator(chunk_size=STREAM):
        yield {
            "id": row.event_id,
            "position": row.position,
            "previous": bytes(row.previous).hex(),
            "hash": bytes(row.hash).hex(),
            "recorded_at": recorded(row.event.recorded_at),
            "body": row.event.body,
        }


def checkpoints(stretch: Stretch) -> Iterator[dict[str, Any]]:
    """The signed checkpoints inside a stretch, oldest first, and where copies of them were put."""
    rows = Checkpoint.objects.filter(
        position__gte=stretch.first, position__lte=stretch.last
    ).prefetch_related("copies")
    for row in rows.order_by("number").iterator(chunk_size=STREAM):
        yield {
            "body": row.body,
            "signature": base64.b64encode(bytes(row.signature)).decode("ascii"),
            "key": row.key_id,
            "anchored": [
                {"place": copy.place, "at": recorded(copy.at)}
                for copy in row.copies.all()
                if not copy.problem
            ],
        }


def covered_until(stretch: Stretch) -> int:
    """The last position of the stretch that a signed checkpoint covers; 0 for none."""
    rows = Checkpoint.objects.filter(position__gte=stretch.first, position__lte=stretch.last)
    return rows.order_by("-position").values_list("position", flat=True).first() or 0
