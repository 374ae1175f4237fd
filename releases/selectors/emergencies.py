"""Emergencies as pages show them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from core import db
from governance.models import AuditEvent
from releases.models import BreakGlass
from releases.selectors.words import Word

SHOWN = 100


@dataclass(frozen=True, slots=True)
class Emergency:
    """One emergency with its word and what it waived."""

    row: BreakGlass
    word: Word
    waived: str = ""


def _rows() -> QuerySet[BreakGlass]:
    return BreakGlass.objects.select_related("release", "request", "asked_by", "reviewed_by")


def find(pk: int) -> BreakGlass | None:
    """The row with what its page names."""
    return _rows().filter(pk=pk).first()


def listing(now: datetime) -> list[Emergency]:
    """The newest emergencies, those to review first."""
    found = [Emergency(row, word(row, now)) for row in _rows().order_by("-pk")[:SHOWN]]
    return sorted(found, key=lambda entry: not awaits_review(entry.row))


def view(row: BreakGlass, now: datetime) -> Emergency:
    """One emergency, with what the history says that it waived."""
    event = AuditEvent.objects.filter(
        event="break_glass.used", related__contains=[row.public_id]
    ).first()
    facts = json.loads(event.body)["facts"] if event else {}
    waived = str(facts.get("waived", ""))
    return Emergency(row, word(row, now), waived)


def overdue() -> list[BreakGlass]:
    """Used, not reviewed and past the date by the database's clock."""
    rows = BreakGlass.objects.filter(reviewed_at=None, review_due_at__lt=db.Now())
    return list(rows.order_by("pk"))


def awaits_review(row: BreakGlass) -> bool:
    """Whether it was used and nobody has reviewed it."""
    return row.used_at is not None and row.reviewed_at is None


def word(row: BreakGlass, now: datetime) -> Word:
    """Where an emergency stands, in one word."""
    if row.reviewed_at is not None:
        return Word("done", "Reviewed")
    if row.review_due_at is not None:
        late = row.review_due_at < now
        return Word("failed", "Review overdue") if late else Word("waiting", "To be reviewed")
    if row.request is None:
        return Word("waiting", "Declared, not asked")
    if row.request.is_live:
        return Word("held", f"Asked, {row.request.state}")
    return Word("none", f"Not used, {row.request.state}")
