"""Compose a release: its candidates merged over production into one artefact.

Candidates are compared component by component with production's snapshot; repository paths are
never merged (design 10). What teams change in ways that exclude each other is written down for
people, whose decisions the next composition obeys.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from django.db import transaction
from django.db.models import QuerySet

from core import blobs, db
from core.errors import DomainError, ExternalFault
from environments.states import SnapshotState
from jobs.registry import Claim, Next
from metadata import compose as composition
from metadata import dangers, delta, references
from metadata.components import ComponentKey, folded
from metadata.diff import diff
from metadata.history import commit as commit_tree
from metadata.normal import NormalForm
from metadata.package import read_zip
from releases import gateways
from releases.models import (
    Artefact,
    Candidate,
    Dependency,
    KnownTest,
    Release,
    ReleaseChange,
    ReleaseItem,
)
from releases.selectors import resolutions
from releases.selectors.released import last_released
from releases.services import packaging, releases
from releases.states import ReleaseState
from releases.workers import between, proposing

SHOWN = 5
_SAME = ReleaseChange.Kind.SAME

Found = TypeVar("Found", ReleaseChange, Dependency, KnownTest)


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
    decided = resolutions.picks(release)
    result = composition.compose(
        production,
        parts,
        removed=_removed_before(),
        decide=lambda key, conflict: decided.get((key.type, key.name, conflict.digest)),
    )
    if result.conflicts:
        return _refuse(claim, release.pk, between.words(result.conflicts), result.conflicts)
    gone = [key for key, _teams in result.removed]
    carried = _carried(release, production, result.form)
    artefact = packaging.keep(carried, gone)
    sha = commit_tree(
        gateways.history_path(release.pk),
        result.form.files(),
        f"{release.public_id} {release.title}\n\n"
        + "\n".join(f"{part.team} {part.label}" for part in parts),
    )
    rows = _changes(release, production, result, parts)
    named = references.of(result.form, {*result.form, *gone})
    differs = [ComponentKey(row.type, row.name) for row in rows if row.kind != _SAME]
    needs = between.dependencies(release, production, result, parts, named)
    tests = proposing.tests(release, result.form, named, carried=carried, differs=differs)
    with transaction.atomic():
        claim.guard()
        locked = releases.lock(release.pk)
        if (locked.state, locked.base_snapshot) != (ReleaseState.COMPOSING, release.base_snapshot):
            return Next.done()
        keep(release, artefact, rows)
        keep(release, artefact, needs)
        keep(release, artefact, tests)
        note = _note(result)
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


def keep(release: Release, artefact: Artefact, rows: Sequence[Found]) -> None:
    """Write down what was found when an artefact was composed over the release's snapshot."""
    for row in rows:
        row.artefact, row.base_snapshot = artefact, release.base_snapshot
    if rows:
        type(rows[0]).objects.bulk_create(rows, batch_size=1000, ignore_conflicts=True)


def _carried(release: Release, production: NormalForm, form: NormalForm) -> NormalForm:
    """What the package holds: all of the candidates, or only what production has otherwise."""
    return delta.needed(production, form) if release.scope == Release.Scope.DELTA else form


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
        base=base,
    )


def _removed_before() -> set[ComponentKey]:
    """Components that releases deleted from production."""
    rows = ReleaseChange.objects.filter(
        kind=ReleaseChange.Kind.REMOVED, release__deployed_at__isnull=False
    )
    return {ComponentKey(*key) for key in rows.values_list("type", "name")}


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
            owners.setdefault(folded(key), []).append(part.team)
    rows = [
        ReleaseChange(
            release=release,
            type=key.type,
            name=key.name,
            kind=found[key].kind if key in found else ReleaseChange.Kind.SAME,
            teams=owners.get(folded(key), []),
            summary=found[key].summary if key in found else "",
            marks=sorted(dangers.marks(key, production.get(found[key].before), result.form[key]))
            if key in found
            else [],
        )
        for key in result.form
    ]
    removed = ReleaseChange.Kind.REMOVED
    return rows + [
        ReleaseChange(
            release=release, type=key.type, name=key.name, kind=removed, teams=list(teams)
        )
        for key, teams in result.removed
    ]


def _note(result: composition.Composition) -> str:
    """What the release leaves as production has it, and what a person has to delete."""
    newer = sorted({f"{key.type} {key.name} ({team})" for key, team in result.left_out})
    by_hand = [f"{key.type} {key.name} ({', '.join(teams)})" for key, teams in result.by_hand]
    said = [
        f"{told}: {', '.join(names[:SHOWN])}"
        + (f" and {len(names) - SHOWN} more." if len(names) > SHOWN else ".")
        for told, names in (
            ("Production is newer, left as it is", newer),
            ("No deployment can delete this, do it by hand", by_hand),
        )
        if names
    ]
    return " ".join(said)


@transaction.atomic
def _refuse(
    claim: Claim, release_id: int, why: str, conflicts: Sequence[composition.Conflict]
) -> Next:
    claim.guard()
    release = releases.lock(release_id)
    if release.state != ReleaseState.COMPOSING:
        return Next.done()
    between.keep(release, conflicts, db.database_now())
    releases.move(release, ReleaseState.DRAFT, state_note=why)
    releases.record("release.composition_refused", release, problem=why)
    return Next.done()
