"""The risk marks of a release, as the slugs that policies name."""

from __future__ import annotations

from releases.models import Release, ReleaseChange
from releases.rules import risk
from releases.selectors import composition


def of(release: Release) -> tuple[str, ...]:
    """Every mark of what the release's artefact changes in production, sorted."""
    found: set[str] = set()
    for type_name, _name, kind, teams, _summary, own in composition.values(release):
        removed = kind == ReleaseChange.Kind.REMOVED
        found |= risk.slugs(type_name, team_count=len(teams), is_removed=removed) | set(own)
    return tuple(sorted(found))
