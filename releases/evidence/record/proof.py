"""Group 11 of a change record: where in the history the change stands."""

from __future__ import annotations

from typing import Any

from core.digests import sha256_text
from governance.models import Checkpoint
from releases.evidence.record.loading import Change

EXPORT = "gatehouse-evidence/2"


def integrity(change: Change) -> dict[str, Any]:
    """Group 11: every event of the change by number and by the digest of its text."""
    positions = [event.link.position for event in change.events]
    return {
        "first_position": min(positions, default=None),
        "last_position": max(positions, default=None),
        "covering_checkpoint": _covering(max(positions)) if positions else None,
        "events": [
            {
                "event": event.public_id,
                "what": event.event,
                "position": event.link.position,
                "hash": bytes(event.link.hash).hex(),
                "body_digest": sha256_text(event.body.encode("utf-8")),
            }
            for event in change.events
        ],
        "export": EXPORT,
        "how_to_check": "python verify.py compares each digest with the chained history",
    }


def _covering(position: int) -> dict[str, Any] | str:
    """The first signed checkpoint at or after a position."""
    row = Checkpoint.objects.filter(position__gte=position).order_by("number").first()
    if row is None:
        return "none yet: the events are newer than the last checkpoint"
    return {"number": row.number, "position": row.position, "digest": row.digest, "key": row.key_id}
