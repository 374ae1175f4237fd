"""Compose a release: the union of its candidates' normal forms as one artefact.

Candidates are compared component by component with production's snapshot; repository paths are
never merged (design 10).
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.db.models import QuerySet

from core import blobs, db
from core.errors import DomainError, ExternalFault
from environments.states import SnapshotState
from jobs.registry import Claim, Next
from metadata import compose as composition
from metadata.diff import diff
from metadata.history import commit as commit_tree
from metadata.normal import NormalForm
from metadata.package import read_zip
from releases import gateways
from releases.models import Candidate, ComponentConflict, Release, ReleaseChange, ReleaseItem
from releases.services import packaging, releases
from releases.states import ReleaseState
from releases.workers.packing import last_released

SHOWN = 5


def compose(claim: Claim) -> Next:
    """Wait for production's snapshot, then merge, package and write the result down."""
    release = Release.objects.select_related("base_snapshot", "composed_by").get(
        pk=claim.subject_id
    )
    snapshot = release.base_snapshot
    if release.state != ReleaseState.COMPOSING or snapshot is None:
        return Next.done()
    if not snapshot.settled:
        return Next.after(2)
    if snapshot.state == SnapshotState.FAILED:
        why = f"Production could not be read: {snapshot.message}"
        return _refuse(claim, release.pk, why, [])
    claim.renew(600)
    try:
        return _compose(claim, release, read_zip(blobs.get(snapshot.blob)))
    except DomainError as fault:
        if isinstance(fault, ExternalFault) and fault.retryable:
            raise
        return _refuse(claim, release.pk, fault.message, [])


def _compose(claim: Claim, release: Release, production: NormalForm) -> Next:
    parts = [_part(item.candidate) for item in _items(release)]
    result = composition.compose(production, parts)
    if result.conflicts:
        named = [
            f"{conflict.key.type} {conflict.key.name} ({' and '.join(conflict.teams)})"
            for conflict in result.conflicts
        ]
        more = f" and {len(named) - SHOWN} more" if len(named) > SHOWN else ""
        why = f"Teams bring different content for {', '.join(named[:SHOWN])}{more}."
        return _refuse(claim, release.pk, why, result.conflicts)
    artefact = packaging.keep(result.form)
    sha = commit_tree(
        gateways.history_path(release.pk),
        result.form.files(),
        f"{release.public_id} {release.title}\n\n"
        + "\n".join(f"{part.team} {part.label}" for part in parts),
    )
    rows = _changes(release, production, result, parts)
    with transaction.atomic():
        claim.guard()
        locked = releases.lock(release.pk)
        if locked.state != ReleaseState.COMPOSING:
            return Next.done()
        for row in rows:
            row.artefact = artefact
        ReleaseChange.objects.bulk_create(rows, batch_size=1000, ignore_conflicts=True)
        note = _left_out(result)
        releases.move(
            locked,
            ReleaseState.COMPOSED,
            artefact=artefact,
            integration_commit=sha,
            state_note=note,
        )
        releases.record(
            "release.composed",
            locked,
            artefact=str(artefact),
            components=artefact.component_count,
            commit=sha,
        )
    return Next.done()


def _items(release: Release) -> QuerySet[ReleaseItem]:
    return release.items.filter(removed_at__isnull=True).select_related(
        "candidate__team", "candidate__artefact"
    )


def _part(candidate: Candidate) -> composition.Candidate:
    """A candidate's normal form and what its team last brought to production."""
    if candidate.artefact is None:
        raise ExternalFault(
            "candidate.no_artefact", f"{candidate} has no artefact.", retryable=False
        )
    before = last_released(candidate)
    base = packaging.form_of(before.artefact) if before and before.artefact else None
    return composition.Candidate(
        team=candidate.team.name,
        label=candidate.tag,
        form=packaging.form_of(candidate.artefact),
        base=base.component_digests() if base else None,
    )


def _changes(
    release: Release,
    production: NormalForm,
    result: composition.Composition,
    parts: list[composition.Candidate],
) -> list[ReleaseChange]:
    """One row per component, with what it means against production and whose it is."""
    found = {change.key: change for change in diff(production, result.form)}
    owners: dict[object, list[str]] = {}
    for part in parts:
        for key in part.form:
            owners.setdefault(key, []).append(part.team)
    return [
        ReleaseChange(
            release=release,
            type=key.type,
            name=key.name,
            kind=found[key].kind if key in found else ReleaseChange.Kind.SAME,
            teams=owners.get(key, []),
            summary=found[key].summary if key in found else "",
        )
        for key in result.form
    ]


def _left_out(result: composition.Composition) -> str:
    if not result.left_out:
        return ""
    names = sorted({f"{key.type} {key.name} ({team})" for key, team in result.left_out})
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"Production is newer, left as it is: {', '.join(names[:SHOWN])}{more}."


@transaction.atomic
def _refuse(
    claim: Claim, release_id: int, why: str, conflicts: Sequence[composition.Conflict]
) -> Next:
    claim.guard()
    release = releases.lock(release_id)
    if release.state != ReleaseState.COMPOSING:
        return Next.done()
    now = db.database_now()
    ComponentConflict.objects.bulk_create(
        ComponentConflict(
            release=release,
            type=conflict.key.type,
            name=conflict.key.name,
            teams=list(conflict.teams),
            found_at=now,
        )
        for conflict in conflicts
    )
    releases.move(release, ReleaseState.DRAFT, state_note=why)
    releases.record("release.composition_refused", release, problem=why)
    return Next.done()
