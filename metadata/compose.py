"""Put several candidates together, component by component (design 10).

The union of all candidates, against what production holds:
- a component that two candidates bring with different content, and that is not production's in
  all but one of them, is a conflict that names both teams;
- a component that a team has not touched since it last reached production, while production has
  moved on, is left out: so a release never puts an old version back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from metadata.components import ComponentKey
from metadata.normal import Files, NormalForm


@dataclass(frozen=True, slots=True)
class Candidate:
    """What one team brings; ``base`` holds the digests of its last release in production."""

    team: str
    label: str
    form: NormalForm
    base: Mapping[ComponentKey, str] | None


@dataclass(frozen=True, slots=True)
class Conflict:
    """One component that several teams bring with different content."""

    key: ComponentKey
    teams: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Composition:
    """The result; only a composition without conflicts may be packaged."""

    form: NormalForm
    conflicts: tuple[Conflict, ...]
    left_out: tuple[tuple[ComponentKey, str], ...]


def compose(production: NormalForm, candidates: list[Candidate]) -> Composition:
    """Merge the candidates; the order of the list has no influence on the result."""
    held = production.component_digests()
    versions: dict[ComponentKey, dict[str, tuple[list[str], Files]]] = {}
    left_out: list[tuple[ComponentKey, str]] = []
    for candidate in sorted(candidates, key=lambda item: item.team):
        base = candidate.base or {}
        for key, digest in candidate.form.component_digests().items():
            if base.get(key) == digest and held.get(key) not in (None, digest):
                left_out.append((key, candidate.team))
                continue
            found = versions.setdefault(key, {}).setdefault(digest, ([], candidate.form[key]))
            found[0].append(candidate.team)
    entries: dict[ComponentKey, Files] = {}
    conflicts: list[Conflict] = []
    for key, found in versions.items():
        fresh = {digest: entry for digest, entry in found.items() if digest != held.get(key)}
        if len(fresh) > 1:
            teams = sorted(team for entry in fresh.values() for team in entry[0])
            conflicts.append(Conflict(key, tuple(teams)))
            continue
        chosen = next(iter((fresh or found).values()))
        entries[key] = chosen[1]
    return Composition(
        NormalForm(entries),
        tuple(sorted(conflicts, key=lambda item: item.key)),
        tuple(sorted(left_out)),
    )
