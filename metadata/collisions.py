"""Where the work of several teams meets, before any release exists.

Each team's components that differ from production's baseline are compared. The closest meeting
comes first: the same element inside a component, then the same component, then a component that
names one which another team changes. Two teams that bring the very same change do not collide.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import combinations

from metadata.components import ComponentKey


class Closeness(IntEnum):
    """How near two changes lie to each other; the lowest comes first."""

    ELEMENT = 1
    COMPONENT = 2
    REFERENCE = 3


@dataclass(frozen=True, slots=True)
class Work:
    """What one team changed since the baseline.

    ``versions`` tells contents of a component apart ("" for one that is gone); ``elements`` names
    what changed inside, for the components of which that is known.
    """

    team: str
    versions: Mapping[ComponentKey, str]
    elements: Mapping[ComponentKey, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Collision:
    """One component at which teams meet; ``elements`` are those that several of them changed.

    For a reference, ``key`` is what the first team changes and ``named_by`` what the second team
    changes and names it.
    """

    closeness: Closeness
    key: ComponentKey
    teams: tuple[str, ...]
    elements: tuple[str, ...] = ()
    named_by: ComponentKey | None = None


References = Mapping[ComponentKey, Collection[ComponentKey]]
"""A component and those that it names (``metadata.references``)."""


def find(works: Sequence[Work], references: References | None = None) -> list[Collision]:
    """Every collision, the closest first."""
    touched: dict[ComponentKey, list[Work]] = {}
    for work in works:
        for key in work.versions:
            touched.setdefault(key, []).append(work)
    found = [_of_component(key, own) for key, own in touched.items() if _differ(key, own)]
    found += _of_references(touched, references or {})
    return sorted(found, key=lambda item: (item.closeness, item.key, item.teams))


def matrix(collisions: Collection[Collision]) -> dict[tuple[str, str], dict[Closeness, int]]:
    """For each two teams how often they meet, by closeness; pairs in order of name."""
    counts: dict[tuple[str, str], dict[Closeness, int]] = {}
    alike = Counter((collision.teams, collision.closeness) for collision in collisions)
    for (teams, closeness), count in alike.items():
        for one, two in combinations(sorted(teams), 2):
            own = counts.setdefault((one, two), {})
            own[closeness] = own.get(closeness, 0) + count
    return dict(sorted(counts.items()))


def _differ(key: ComponentKey, works: Sequence[Work]) -> bool:
    teams = {work.team for work in works}
    return len(teams) > 1 and len({work.versions[key] for work in works}) > 1


def _of_component(key: ComponentKey, works: Sequence[Work]) -> Collision:
    teams = tuple(sorted({work.team for work in works}))
    changed: dict[str, set[str]] = {}
    for work in works:
        for element in work.elements.get(key, ()):
            changed.setdefault(element, set()).add(work.team)
    shared = tuple(sorted(element for element, own in changed.items() if len(own) > 1))
    return Collision(Closeness.ELEMENT if shared else Closeness.COMPONENT, key, teams, shared)


def _of_references(
    touched: Mapping[ComponentKey, Sequence[Work]], references: References
) -> list[Collision]:
    found: dict[tuple[ComponentKey, ComponentKey, str, str], Collision] = {}
    for namer in touched.keys() & references.keys():
        for named in references[namer]:
            if named == namer or named not in touched:
                continue
            for one in touched[named]:
                for two in touched[namer]:
                    if one.team != two.team:
                        found[named, namer, one.team, two.team] = Collision(
                            Closeness.REFERENCE, named, (one.team, two.team), (), namer
                        )
    return list(found.values())
