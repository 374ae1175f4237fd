"""Compose releases and take them through integration and rehearsal to the gate."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import transaction

from core import db
from core.errors import Conflict, InvalidInput, NotNow
from core.names import plain
from environments.models import Environment
from environments.services import snapshots
from governance import approvals, audit
from governance.permissions import acting_person, demand
from jobs.wake import wake
from releases.models import Candidate, Deployment, Release, ReleaseItem
from releases.rules import versions
from releases.selectors.released import last_released
from releases.services import deployments, locking, packaging
from releases.states import (
    RELEASE,
    CandidateState,
    DeploymentState,
    Purpose,
    ReleaseState,
)

SUBJECT_KIND = locking.SUBJECT_KIND
BREAK_GLASS_KIND = locking.BREAK_GLASS_KIND
KINDS = locking.KINDS
COMPOSE_KIND = "releases.compose"
SHORT_CLASSES = frozenset({Release.ChangeClass.EMERGENCY, Release.ChangeClass.ROLLBACK})
"""Change classes that need no integration and no rehearsal of their own."""
EDITABLE = frozenset(
    {
        ReleaseState.DRAFT,
        ReleaseState.COMPOSED,
        ReleaseState.INTEGRATED,
        ReleaseState.REHEARSED,
        ReleaseState.SUBMITTED,
        ReleaseState.APPROVED,
        ReleaseState.SCHEDULED,
        ReleaseState.FAILED,
        ReleaseState.ROLLED_BACK,
    }
)


def lock(release_id: int) -> Release:
    """The release's row and the live requests about it, locked until the transaction ends."""
    return locking.release(release_id)


def move(release: Release, state: ReleaseState, **columns: Any) -> None:
    """Move a locked release to ``state`` and write the named columns with it."""
    RELEASE.check(ReleaseState(release.state), state)
    release.state = state
    for name, value in columns.items():
        setattr(release, name, value)
    release.save(update_fields=["state", *columns])


def note(release: Release, text: str) -> None:
    """Keep the sentence that the release's page shows under its state."""
    release.state_note = text
    release.save(update_fields=["state_note"])


def record(event: str, release: Release, related: Iterable[str] = (), **facts: Any) -> None:
    """Write an event about a release."""
    audit.record(event, release, related=related, facts=facts)


@transaction.atomic
def create(
    *,
    title: str,
    bump: str,
    notes: str = "",
    impact: str = "",
    scope: str = Release.Scope.WHOLE,
) -> Release:
    """Open a release in draft; its version follows the newest one."""
    demand("release.compose")
    title = _title(title)
    db.advisory_lock("release.version")
    known = Release.objects.values_list("version", flat=True)
    newest = max(known, key=versions.parse, default=None)
    release = Release.objects.create(
        title=title,
        bump=bump,
        version=versions.following(newest, bump),
        notes=notes,
        impact=impact,
        scope=Release.Scope(scope),
        composed_by=acting_person(),
    )
    record("release.created", release, version=release.version)
    return release


def _title(text: str) -> str:
    title = plain(text)
    if not title:
        raise InvalidInput("release.title", "Give the release a title.", field="title")
    return title


@transaction.atomic
def edit(*, release_id: int, **changes: Any) -> Release:
    """Change title, notes, impact or the window; a new window voids decisions already taken."""
    demand("release.compose")
    release = lock(release_id)
    if "title" in changes:
        changes["title"] = _title(changes["title"])
    changed = [name for name, value in changes.items() if getattr(release, name) != value]
    if not changed:
        return release
    if release.state not in EDITABLE:
        raise NotNow(
            "release.not_editable",
            f"{release.public_id} is {release.state}; wait until that ends, then change it.",
        )
    if "scope" in changed and release.state != ReleaseState.DRAFT:
        raise NotNow(
            "release.scope_composed",
            f"What {release.public_id} carries was settled when it was composed. Return it to "
            "draft, then choose.",
        )
    opens = changes.get("not_before", release.not_before)
    closes = changes.get("not_after", release.not_after)
    if opens and closes and closes <= opens:
        raise InvalidInput(
            "release.window_order", "The window ends before it begins.", field="not_after"
        )
    bound = {"not_before", "not_after", "change_class"} & set(changed)
    if bound and release.state in ASKED:
        void(release, "the window changed", to=ReleaseState.REHEARSED)
    for name in changed:
        setattr(release, name, changes[name])
    release.edited_by = acting_person()
    release.save(update_fields=[*changed, "edited_by"])
    record("release.edited", release, changed=", ".join(changed).replace("_", " "))
    return release


ASKED = (ReleaseState.SUBMITTED, ReleaseState.APPROVED, ReleaseState.SCHEDULED)
"""States in which people were asked, so that a change voids what they decided."""


def void(release: Release, reason: str, *, to: ReleaseState) -> None:
    """Void the decisions on a locked release, set its deployment aside and move it back.

    What was never rehearsed (an emergency, a rollback) goes back to "composed" instead; a draft
    is a normal change again.
    """
    asked = release.state in ASKED
    if to == ReleaseState.REHEARSED and release.change_class in SHORT_CLASSES:
        to = ReleaseState.COMPOSED
    move(release, to, state_note=f"Decisions are void: {reason}." if asked else reason)
    for kind in KINDS:
        approvals.supersede(kind, release.pk, reason)
    if to == ReleaseState.DRAFT and release.change_class in SHORT_CLASSES:
        release.change_class, release.restores = Release.ChangeClass.NORMAL, None
        release.save(update_fields=["change_class", "restores"])
    waiting = Deployment.objects.filter(release=release, purpose=Purpose.RELEASE)
    deployments.supersede(waiting, reason)
    if asked:
        record("release.decisions_voided", release, reason=reason)


def _changeable(release_id: int) -> Release:
    """Lock a release whose contents may change now, taking it back to draft first."""
    demand("release.compose")
    release = lock(release_id)
    if release.state not in EDITABLE:
        raise NotNow(
            "release.busy",
            f"{release.public_id} is {release.state}. Wait until that ends, or cancel it, "
            "before you change what it holds.",
        )
    if release.state != ReleaseState.DRAFT:
        void(release, "the contents changed", to=ReleaseState.DRAFT)
    return release


@transaction.atomic
def add_candidate(*, release_id: int, candidate_id: int) -> ReleaseItem:
    """Put an offered candidate into a release, in place of an older one of the same team."""
    release = _changeable(release_id)
    candidate = Candidate.objects.select_for_update(no_key=True).get(pk=candidate_id)
    if candidate.state != CandidateState.OFFERED:
        raise NotNow(
            "candidate.not_offered",
            f"{candidate} is not offered. Its team lead offers it after user testing.",
        )
    other = ReleaseItem.objects.filter(candidate=candidate, removed_at__isnull=True).first()
    if other is not None:
        raise Conflict("candidate.taken", f"{candidate} is already in {other.release.public_id}.")
    for item in release.items.filter(candidate__team=candidate.team, removed_at__isnull=True):
        _remove(release, item)
    item = ReleaseItem.objects.create(
        release=release,
        candidate=candidate,
        added_by=acting_person(),
        added_at=db.database_now(),
    )
    related = [candidate.public_id]
    record("release.candidate_added", release, related, candidate=str(candidate))
    return item


@transaction.atomic
def remove_candidate(*, release_id: int, candidate_id: int, recompose: bool = False) -> Release:
    """Take a candidate out of a release; the rest has to be composed again, by us if asked so."""
    release = _changeable(release_id)
    item = release.items.filter(candidate_id=candidate_id, removed_at__isnull=True).first()
    if item is None:
        raise NotNow("release.no_such_candidate", "That candidate is not in this release.")
    _remove(release, item)
    was_composed = release.artefact is not None or release.conflicts.exists()
    if recompose and was_composed and release.items.filter(removed_at__isnull=True).exists():
        begin_composition(release)
    return release


def _remove(release: Release, item: ReleaseItem) -> None:
    item.removed_at = db.database_now()
    item.removed_by = acting_person()
    item.save(update_fields=["removed_at", "removed_by"])
    record(
        "release.candidate_removed",
        release,
        [item.candidate.public_id],
        candidate=str(item.candidate),
    )


@transaction.atomic
def compose(*, release_id: int) -> Release:
    """Have a build worker merge the candidates into one artefact, against production's snapshot."""
    demand("release.compose")
    return begin_composition(lock(release_id))


def begin_composition(release: Release) -> Release:
    """Compose a locked release; the caller has demanded the right to."""
    candidates = [
        item.candidate
        for item in release.items.filter(removed_at__isnull=True).select_related(
            "candidate__artefact", "candidate__team"
        )
    ]
    if not candidates:
        raise NotNow("release.empty", f"{release.public_id} has no candidate yet; add one first.")
    production = stage("PRD")
    manifest: dict[str, set[str]] = {}
    for candidate in candidates:
        if candidate.artefact is None:
            raise NotNow("candidate.no_artefact", f"{candidate} has no artefact.")
        before = last_released(candidate)
        for artefact in (candidate.artefact, before.artefact if before else None):
            for type_name, members in (artefact.manifest if artefact else {}).items():
                manifest.setdefault(type_name, set()).update(members)
    snapshot = snapshots.request(
        environment=production,
        manifest={name: sorted(members) for name, members in sorted(manifest.items())},
        purpose=f"composition of {release.public_id}",
        wakes=(COMPOSE_KIND, release.pk),
        api_version=packaging.API_VERSION,
    )
    release.conflicts.filter(settled_at__isnull=True).update(settled_at=db.database_now())
    move(release, ReleaseState.COMPOSING, base_snapshot=snapshot, state_note="")
    record("release.composing", release, [snapshot.public_id])
    wake(COMPOSE_KIND, release.pk)
    return release


def stage(name: str) -> Environment:
    """The live environment of a stage of the production track.

    Raises ``release.no_stage`` when the track has none yet.
    """
    environment = (
        Environment.objects.filter(track__kind="production", stage=name, retired_at__isnull=True)
        .select_related("track", "policy")
        .first()
    )
    if environment is None:
        raise NotNow(
            "release.no_stage",
            f"The production track has no {name} environment yet. An admin adds it first.",
        )
    return environment


@transaction.atomic
def reopen(*, release_id: int, reason: str) -> Release:
    """Return a release to draft, voiding what was decided on it."""
    demand("release.compose")
    release = lock(release_id)
    if release.state == ReleaseState.DRAFT or release.state not in EDITABLE:
        raise NotNow("release.busy", f"{release.public_id} is {release.state}.")
    void(release, reason.strip() or "it was reopened", to=ReleaseState.DRAFT)
    record("release.reopened", release, reason=reason.strip() or "no reason given")
    return release


@transaction.atomic
def close(*, release_id: int) -> Release:
    """Close a release that is deployed, or give up one that will not be."""
    demand("release.compose")
    release = lock(release_id)
    move(release, ReleaseState.CLOSED)
    record("release.closed", release)
    return release


def live(release: Release, purpose: Purpose) -> Deployment | None:
    """The release's newest deployment of a purpose that has not ended."""
    states = [
        DeploymentState.HELD,
        DeploymentState.QUEUED,
        DeploymentState.RUNNING,
        DeploymentState.UNKNOWN,
    ]
    rows = release.deployments.filter(purpose=purpose, state__in=states)
    return rows.order_by("-pk").first()
