"""What lies between candidates: conflicts for people to decide, and who needs what of whom."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from metadata import compose as composition
from metadata.components import ComponentKey
from metadata.merge import words as said
from metadata.merge.conflicts import ElementConflict, Kind, digest_of
from metadata.normal import NormalForm
from metadata.references import References
from releases.models import ComponentConflict, Dependency, Release

SHOWN = 3
TEXT_AT_MOST = 60_000
"""A content is shown to people up to this many characters; its digest is over all of it."""
DEPENDENCIES_AT_MOST = 5_000


def words(conflicts: Sequence[composition.Conflict]) -> str:
    """The conflicts as the note of the release says them."""
    told = [said.sentence(row.key, found) for row in conflicts for found in row.elements]
    more = f" And {len(told) - SHOWN} more." if len(told) > SHOWN else ""
    return f"Somebody has to decide. {'. '.join(told[:SHOWN])}.{more}"


def keep(release: Release, conflicts: Sequence[composition.Conflict], now: datetime) -> None:
    """Write conflicts down with everything that a person needs to decide them."""
    ComponentConflict.objects.bulk_create(
        ComponentConflict(
            release=release,
            type=conflict.key.type,
            name=conflict.key.name,
            teams=list(conflict.teams),
            elements=[element(conflict.key, found) for found in conflict.elements],
            found_at=now,
        )
        for conflict in conflicts
    )


def element(key: ComponentKey, found: ElementConflict) -> dict[str, Any]:
    """One thing fought over, as pages show it and forms send it back."""
    sides = [
        _side(found, side.content, said.teams(side.labels), list(side.labels))
        for side in found.sides
    ]
    is_named = found.kind != Kind.NAME or found.base
    if is_named and all("production" not in side.labels for side in found.sides):
        sides.append(_side(found, found.base, "production", ["production"]))
    return {
        "path": found.path,
        "place": said.place(found),
        "told": said.sentence(key, found),
        "digest": found.digest,
        "takes_all": found.takes_all,
        "sides": sides,
    }


def _side(found: ElementConflict, content: str, who: str, labels: list[str]) -> dict[str, Any]:
    text = said.readable(content)
    return {
        "who": who,
        "labels": labels,
        "says": said.says(found, content),
        "pick": digest_of(content),
        "text": text[:TEXT_AT_MOST],
        "cut": len(text) > TEXT_AT_MOST,
    }


def dependencies(
    release: Release,
    production: NormalForm,
    result: composition.Composition,
    parts: Sequence[composition.Candidate],
    named: References,
) -> list[Dependency]:
    """Which changed components of one team name, or are merged with, changed ones of another.

    References are best effort (``metadata.references``); the rows carry no artefact yet.
    """
    owners = _owners(production, result, parts)
    rows: list[Dependency] = []
    for key, teams in result.merged:
        for team in teams:
            rows += [_row(release, team, key, other, key) for other in teams if other != team]
    for key in sorted(owners):
        for needed in sorted(named.get(key, frozenset()) & owners.keys()):
            rows += [
                _row(release, team, key, other, needed)
                for team in owners[key]
                for other in owners[needed]
                if team != other and team not in owners[needed]
            ]
    return rows[:DEPENDENCIES_AT_MOST]


def _owners(
    production: NormalForm,
    result: composition.Composition,
    parts: Sequence[composition.Candidate],
) -> dict[ComponentKey, list[str]]:
    """The teams that bring each component which differs from production's."""
    held = production.component_digests()
    found: dict[ComponentKey, list[str]] = {}
    for key, digest in result.form.component_digests().items():
        if held.get(key) != digest:
            found[key] = sorted(
                {
                    part.team
                    for part in parts
                    if key in part.form and part.form.component_digest(key) != held.get(key)
                }
            )
    return found


def _row(
    release: Release, team: str, key: ComponentKey, other: str, needed: ComponentKey
) -> Dependency:
    return Dependency(
        release=release,
        team=team,
        type=key.type,
        name=key.name,
        needs_team=other,
        needs_type=needed.type,
        needs_name=needed.name,
    )
