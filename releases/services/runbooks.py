"""The manual steps of a release: written by its manager, ticked by whoever does them.

The steps' words are part of what people approve: writing or removing one voids decisions. A tick
says that somebody did the step, in the rehearsal or for production, and voids nothing.
"""

from __future__ import annotations

from django.db import transaction

from core import db
from core.errors import InvalidInput, NotAllowed, NotFound, NotNow
from governance.models import User
from governance.permissions import acting_person, can, demand
from releases.models import Release, RunbookItem
from releases.services import releases
from releases.states import ReleaseState

CHANGED = "the runbook changed"
OVER = (ReleaseState.DEPLOYED, ReleaseState.CLOSED)


@transaction.atomic
def add(*, release_id: int, text: str, phase: str, owner_id: int, critical: bool) -> RunbookItem:
    """Write one more step. Codes: ``runbook.text``, ``runbook.phase``, ``release.not_editable``."""
    demand("release.runbook")
    release = _changeable(release_id)
    if not text.strip():
        raise InvalidInput("runbook.text", "Say what is to be done.", field="text")
    if phase not in RunbookItem.Phase.values:
        raise InvalidInput("runbook.phase", "A step comes before or after.", field="phase")
    row = RunbookItem.objects.create(
        release=release,
        text=text.strip()[:300],
        phase=phase,
        owner=User.objects.get(pk=owner_id),
        critical=critical,
        added_by=acting_person(),
    )
    releases.record("release.runbook_changed", release, change=f"added “{row.text}”")
    _void(release)
    return row


@transaction.atomic
def remove(*, release_id: int, item_id: int) -> RunbookItem:
    """Take a step out; the row stays."""
    demand("release.runbook")
    release = _changeable(release_id)
    row = _locked(release_id, item_id)
    row.removed_at = db.database_now()
    row.save(update_fields=["removed_at"])
    releases.record("release.runbook_changed", release, change=f"removed “{row.text}”")
    _void(release)
    return row


@transaction.atomic
def tick(*, release_id: int, item_id: int, rehearsal: bool) -> RunbookItem:
    """Say that a step was done; its owner or a release manager.

    Codes: ``runbook.not_yours``, ``runbook.ticked``, ``runbook.unknown``.
    """
    person = acting_person()
    row = _locked(release_id, item_id)
    if row.owner_id != person.pk and not can(person, "release.runbook"):
        raise NotAllowed(
            "runbook.not_yours", f"{row.owner.full_name} or a release manager ticks this step."
        )
    place = "rehearsed" if rehearsal else "done"
    if getattr(row, f"{place}_at") is not None:
        raise NotNow("runbook.ticked", "This step is ticked already.")
    setattr(row, f"{place}_at", db.database_now())
    setattr(row, f"{place}_by", person)
    row.save(update_fields=[f"{place}_at", f"{place}_by"])
    where = "in the rehearsal" if rehearsal else "for production"
    releases.record("release.runbook_ticked", row.release, step=row.text, where=where)
    return row


def _locked(release_id: int, item_id: int) -> RunbookItem:
    """The step, if it is one of this release's (I-5)."""
    rows = RunbookItem.objects.select_related("release", "owner")
    found = db.lock_rows(rows.filter(pk=item_id, release=release_id, removed_at=None))
    if not found:
        raise NotFound("runbook.unknown", "This release has no such step.")
    return found[0]


def _changeable(release_id: int) -> Release:
    release = releases.lock(release_id)
    if release.state not in releases.EDITABLE or release.state in OVER:
        raise NotNow(
            "release.not_editable",
            f"{release.public_id} is {release.state}; its runbook cannot be changed now.",
        )
    return release


def _void(release: Release) -> None:
    if release.state in (ReleaseState.SUBMITTED, ReleaseState.APPROVED, ReleaseState.SCHEDULED):
        releases.void(release, CHANGED, to=ReleaseState.REHEARSED)
