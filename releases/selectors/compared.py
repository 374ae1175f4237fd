"""Which two packages a page compares: a candidate, a build or a release with what was before."""

from __future__ import annotations

from django.urls import reverse

from releases.models import Artefact, Build, Candidate, Release
from releases.selectors.reading import Comparison, Package
from releases.selectors.released import last_released
from releases.states import BuildState

PREVIOUS = "previous"


def candidate(row: Candidate) -> Comparison | None:
    """A candidate against what its team last brought to production."""
    if row.artefact is None:
        return None
    before = last_released(row)
    old = None if before is None or before.pk == row.pk else before
    path = reverse("releases:candidate_changes", kwargs={"pk": row.pk})
    return Comparison(_package(str(row), row.artefact), _of(old), path)


def build(row: Build, against: str = "") -> Comparison | None:
    """A build against what its team last brought to production, or the build that passed before."""
    if row.artefact is None:
        return None
    path = reverse("releases:build_changes", kwargs={"pk": row.pk})
    new = _package(row.public_id, row.artefact)
    if against != PREVIOUS:
        return Comparison(new, _of(last_released(row.repository)), path)
    rows = Build.objects.filter(repository=row.repository, state=BuildState.PASSED, pk__lt=row.pk)
    last = rows.select_related("artefact").order_by("-pk").first()
    old = _package(last.public_id, last.artefact) if last and last.artefact else None
    return Comparison(new, old, path, f"against={PREVIOUS}")


def release(row: Release) -> Comparison | None:
    """A release against production's snapshot, as it was composed."""
    snapshot = row.base_snapshot
    if row.artefact is None:
        return None
    old = Package(f"production, {snapshot.public_id}", snapshot.blob) if snapshot else None
    path = f"{row.get_absolute_url()}changes/"
    return Comparison(_package(row.public_id, row.artefact), old, path)


def _of(row: Candidate | None) -> Package | None:
    if row is None or row.artefact is None:
        return None
    return _package(f"{row.tag}, in production", row.artefact)


def _package(label: str, artefact: Artefact) -> Package:
    return Package(label, artefact.blob, artefact)
