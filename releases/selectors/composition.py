"""The components that a release brings to production, as they compare with what production holds.

A build worker wrote them down when the release was composed, against the snapshot that it was
composed over; an earlier composition's rows stay, and are not of this one. A rollback was composed
by nobody: its artefact is compared with what production held when the rollback was prepared, and
before that everything counts as changed. ``releases_marks`` (releases/sql/0018_compositions.sql)
says the same in the database.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import QuerySet

from releases.models import ArtefactComponent, Release, ReleaseChange
from releases.rules import risk
from releases.states import DeploymentState, Purpose

Kind = ReleaseChange.Kind
Value = tuple[str, str, str, list[str], str, list[str]]
"""Type, name, kind, teams, what changed inside, and the marks of its content."""


def changes(release: Release) -> QuerySet[ReleaseChange]:
    """What was written down when the release was composed last."""
    return ReleaseChange.objects.filter(
        release=release,
        artefact=release.artefact_id,
        base_snapshot=release.base_snapshot_id,
    )


def values(release: Release) -> Iterator[Value]:
    """What differs from production; one query, and three for a rollback."""
    if release.restores_id is not None:
        yield from (value for value in _restored(release) if value[2] != Kind.SAME)
        return
    rows = changes(release).exclude(kind=Kind.SAME)
    yield from rows.values_list("type", "name", "kind", "teams", "summary", "marks").iterator()


def same(release: Release) -> int:
    """How many components are as production has them."""
    if release.restores_id is not None:
        return sum(1 for value in _restored(release) if value[2] == Kind.SAME)
    return changes(release).filter(kind=Kind.SAME).count()


def _restored(release: Release) -> Iterator[Value]:
    """Every component of a rollback's artefact, and what it deletes.

    Nobody reads the contents again: each counts as granting what one of its type can.
    """
    if release.artefact is None:
        return
    held, teams = _held(release), _teams(release)
    rows = ArtefactComponent.objects.filter(artefact=release.artefact).order_by("type", "name")
    for type_name, name, digest in rows.values_list("type", "name", "digest").iterator():
        before = held.get(f"{type_name}:{name}")
        kind = Kind.ADDED if before == "" else Kind.SAME if before == digest else Kind.CHANGED
        marks = sorted(risk.AT_WORST.get(type_name, ()))
        yield type_name, name, kind, teams.get((type_name, name), []), "", marks
    for key in release.artefact.removed_keys:
        if held.get(str(key)) != "":
            yield key.type, key.name, Kind.REMOVED, teams.get((key.type, key.name), []), "", []


def _held(release: Release) -> dict[str, str]:
    """What production held of it when it was prepared; empty before."""
    rows = release.deployments.filter(
        purpose=Purpose.PREPARE, state=DeploymentState.SUCCEEDED, artefact=release.artefact_id
    )
    return rows.order_by("-pk").values_list("baseline", flat=True).first() or {}


def _teams(release: Release) -> dict[tuple[str, str], list[str]]:
    """The teams whose work comes back, of each component."""
    rows = ReleaseChange.objects.filter(
        release=release.restores_id, artefact=release.artefact_id
    ).values_list("type", "name", "teams")
    found: dict[tuple[str, str], list[str]] = {}
    for type_name, name, teams in rows.iterator():
        known = found.setdefault((type_name, name), teams)
        if len(teams) > len(known):
            found[type_name, name] = teams
    return found
