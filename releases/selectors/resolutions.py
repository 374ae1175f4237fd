"""What people decided between candidates, what is still open, and who needs whom."""

from __future__ import annotations

from dataclasses import dataclass

from governance.models import Team
from governance.permissions import Standing
from releases.models import Candidate, ComponentConflict, Dependency, Release, Resolution
from releases.models.releases import ReleaseChange
from releases.rules import types
from releases.selectors import composition

Picks = dict[tuple[str, str, str], str]
SHOWN = 100


@dataclass(frozen=True, slots=True)
class Needed:
    """What one team's part of a release would miss without another's."""

    team: str
    lines: tuple[str, ...]
    more: int


def picks(release: Release) -> Picks:
    """(type, name, digest of the conflict) → the pick; of several decisions the newest counts."""
    rows = release.resolutions.order_by("pk")
    columns = ("type", "name", "conflict_digest", "pick")
    return {
        (type_name, name, digest): pick
        for type_name, name, digest, pick in rows.values_list(*columns)
    }


def conflict(release: Release, pk: int) -> ComponentConflict | None:
    """One conflict of a release."""
    return release.conflicts.filter(pk=pk).first()


def open_in(release: Release) -> list[ComponentConflict]:
    """What stops the composition now."""
    return list(release.conflicts.filter(settled_at__isnull=True).order_by("type", "name"))


def made(release: Release) -> list[Resolution]:
    """Everything that was decided in a release, newest first."""
    return list(release.resolutions.select_related("made_by").order_by("-pk")[:SHOWN])


def remembered(found: ComponentConflict) -> dict[str, Resolution]:
    """The newest decision between the very same contents, in any release, by conflict digest."""
    digests = [element["digest"] for element in found.elements]
    rows = Resolution.objects.filter(
        type=found.type, name=found.name, conflict_digest__in=digests
    ).select_related("made_by", "release")
    return {row.conflict_digest: row for row in rows.order_by("pk")}


def may_decide(standing: Standing, found: ComponentConflict) -> bool:
    """Whether somebody leads a team of the conflict, or manages releases."""
    teams = Team.objects.filter(name__in=found.teams)
    return any(standing.can("conflict.decide", team) for team in teams)


def needing(release: Release, candidate: Candidate) -> list[Needed]:
    """What the rest of a composed release has from a candidate's team, by the team that needs it.

    Merged components, components that both teams bring, and references (best effort).
    """
    gone = candidate.team.name
    lines: dict[str, dict[str, None]] = {}
    if release.artefact_id is None:
        rows = [(row.type, row.name, row.teams) for row in open_in(release)]
    else:
        found = (
            composition.changes(release)
            .exclude(kind=ReleaseChange.Kind.SAME)
            .filter(teams__contains=[gone])
        )
        rows = list(found.order_by("type", "name").values_list("type", "name", "teams"))
    for type_name, name, teams in rows:
        for team in (team for team in teams if gone in teams and team != gone):
            told = f"{types.spoken(type_name)} {name} is changed by both"
            lines.setdefault(team, {})[told] = None
    needs = Dependency.objects.filter(
        release=release,
        artefact=release.artefact_id,
        base_snapshot=release.base_snapshot_id,
        needs_team=gone,
    ).order_by("type", "name", "needs_type", "needs_name")
    for need in needs:
        if (need.type, need.name) == (need.needs_type, need.needs_name):
            continue
        told = (
            f"{types.spoken(need.type)} {need.name} names "
            f"{types.spoken(need.needs_type)} {need.needs_name}"
        )
        lines.setdefault(need.team, {})[told] = None
    return [
        Needed(team, tuple(list(told)[:SHOWN]), max(0, len(told) - SHOWN))
        for team, told in sorted(lines.items())
    ]
