"""The risk marks of a release, as the slugs that policies name."""

from __future__ import annotations

from releases.models import Release, ReleaseChange
from releases.rules import risk


def of(release: Release) -> tuple[str, ...]:
    """Every mark of what the release's artefact changes in production, sorted; one query."""
    rows = ReleaseChange.objects.filter(release=release, artefact=release.artefact)
    changed = rows.exclude(kind=ReleaseChange.Kind.SAME).values_list(
        "type", "teams", "kind", "marks"
    )
    found: set[str] = set()
    for type_name, teams, kind, own in changed.iterator():
        removed = kind == ReleaseChange.Kind.REMOVED
        found |= risk.slugs(type_name, team_count=len(teams), is_removed=removed) | set(own)
    return tuple(sorted(found))
