"""Declaring an emergency: a composed release goes the loud and short way (I-31)."""

from __future__ import annotations

from django.db import transaction

from core.errors import InvalidInput, NotNow
from governance.permissions import acting_person, demand
from releases.models import BreakGlass, Release
from releases.services import break_glass, releases, stages
from releases.services.break_glass import REASON_MIN


@transaction.atomic
def declare(*, release_id: int, reason: str, incident: str) -> BreakGlass:
    """Make a composed release an emergency and prepare production for it.

    Codes: ``break_glass.reason``, ``break_glass.incident``, ``break_glass.not_composed`` and
    ``break_glass.review_overdue``.
    """
    demand("release.break_glass")
    reason, incident = reason.strip(), incident.strip()
    if len(reason) < REASON_MIN:
        raise InvalidInput(
            "break_glass.reason",
            f"Say in at least {REASON_MIN} characters what is broken and why it cannot wait.",
            field="reason",
        )
    if not incident:
        raise InvalidInput(
            "break_glass.incident", "Name the incident, such as INC-4711.", field="incident"
        )
    release = releases.lock(release_id)
    break_glass.refuse_overdue()
    if release.state not in stages.SHORT_WAY:
        raise NotNow(
            "break_glass.not_composed",
            f"{release.public_id} is {release.state}; compose it first, then break the glass.",
        )
    release.change_class = Release.ChangeClass.EMERGENCY
    release.not_before = release.not_after = None
    release.save(update_fields=["change_class", "not_before", "not_after"])
    row = BreakGlass.objects.create(
        release=release, reason=reason, incident=incident[:80], asked_by=acting_person()
    )
    break_glass.record("break_glass.declared", row, reason=reason)
    if stages.preparation_of(release) is None:
        stages.prepare(release_id=release.pk)
    return row
