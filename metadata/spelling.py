"""One component that several spell in other upper and lower case.

The platform takes names that differ only so for one, and a package with both is refused. So the
composition knows such a component by one name, production's where it has it, merges what everybody
changed in it, and calls it in the end as the team that respelled it does. Where teams respell it
in different ways, somebody decides.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Protocol

from core.errors import InvalidInput
from metadata import decompose, xml
from metadata.components import ComponentKey, folded
from metadata.merge.conflicts import BASE, ElementConflict, Kind, Said
from metadata.normal import CHILD, Files, NormalForm
from metadata.types import standard
from metadata.units import whole

NAME = "name"
Folded = tuple[str, str]
Decide = Callable[[ComponentKey, ElementConflict], str | None]


class Brought(Protocol):
    """What a team brings, and what it last brought to production."""

    @property
    def team(self) -> str:
        """Whose it is."""

    @property
    def form(self) -> NormalForm:
        """What it brings."""

    @property
    def base(self) -> NormalForm | None:
        """What it last brought to production."""


@dataclass(frozen=True, slots=True)
class Spelling:
    """How components are called while they are merged, and in the end.

    ``known`` are the names that differ from it, ``chosen`` the names in the end by the other ones.
    """

    known: Mapping[ComponentKey, ComponentKey] = field(default_factory=dict)
    chosen: Mapping[ComponentKey, str] = field(default_factory=dict)
    conflicts: tuple[tuple[ComponentKey, ElementConflict], ...] = ()

    def alike(self, form: NormalForm, who: str) -> NormalForm:
        """A form with everything called as it is known here.

        Raises InvalidInput ``package.case_collision`` where it holds one component twice.
        """
        if not self.known.keys() & form.keys():
            return form
        entries: dict[ComponentKey, Files] = {}
        for key, files in form.items():
            own = self.known.get(key, key)
            if own in entries:
                raise InvalidInput(
                    "package.case_collision",
                    f"{who} brings {key} twice, in other upper and lower case; the platform takes "
                    "both for one. Keep one.",
                )
            entries[own] = _moved(files, whole(key).name, whole(own).name)
        return NormalForm(entries)

    def final(self, key: ComponentKey, files: Files) -> tuple[ComponentKey, Files]:
        """A merged component under the name that it has in the end, and its files there."""
        owner = whole(key)
        name = self.chosen.get(owner)
        if name is None:
            return key, files
        if owner == key:
            return ComponentKey(key.type, name), _moved(files, key.name, name)
        child = standard().children[key.type][1]
        return decompose.child_key(name, child, xml.parse(files[CHILD], str(key)), str(key)), files


def settle(production: NormalForm, candidates: Sequence[Brought], decide: Decide) -> Spelling:
    """Find what is spelled in several ways, and how it is to be called."""
    bases = [one.base for one in candidates if one.base is not None]
    forms = [production, *bases, *(one.form for one in candidates)]
    if _all_alike(forms):
        return Spelling()
    every: set[ComponentKey] = set().union(*forms)
    spelled = _several({whole(key) for key in every})
    held = _owners(production)
    names = {group: held.get(group) or min(found) for group, found in spelled.items()}
    targets: dict[Folded, ComponentKey] = {}
    for key in sorted(every, key=lambda key: (key not in production, key)):
        targets.setdefault(folded(key), _under(key, names))
    known = {key: targets[folded(key)] for key in every if targets[folded(key)] != key}
    chosen = {whole(key): whole(key).name for key in known.values()}
    conflicts: list[tuple[ComponentKey, ElementConflict]] = []
    told = [(one.team, _owners(one.form), _owners(one.base or ())) for one in candidates]
    for group, owner in sorted(names.items()):
        before = held[group].name if group in held else ""
        wishes: dict[str, set[str]] = {}
        for team, now, then in told:
            wish = now.get(group)
            if wish is not None and wish.name != before and wish != then.get(group):
                wishes.setdefault(wish.name, set()).add(team)
        sides = tuple(Said(tuple(sorted(who)), name) for name, who in sorted(wishes.items()))
        conflict = ElementConflict(NAME, before, sides, Kind.NAME)
        picked: int | None = 0
        if len(sides) > 1:
            picked = conflict.picked(decide(owner, conflict))
            if picked is None:
                conflicts.append((owner, conflict))
        is_kept = not sides or picked == BASE
        chosen[owner] = (before or owner.name) if is_kept else sides[picked or 0].content
    return Spelling(known, chosen, tuple(conflicts))


def _all_alike(forms: Iterable[NormalForm]) -> bool:
    """Whether no two names differ by upper and lower case, whatever their types."""
    names: set[str] = set()
    for form in forms:
        names.update(map(itemgetter(1), form))
    names |= {name.partition(".")[0] for name in names}
    return len({name.casefold() for name in names}) == len(names)


def _several(keys: Iterable[ComponentKey]) -> dict[Folded, set[ComponentKey]]:
    """Keys that differ only by upper and lower case, together."""
    found: dict[Folded, set[ComponentKey]] = {}
    for key in keys:
        found.setdefault(folded(key), set()).add(key)
    return {group: held for group, held in found.items() if len(held) > 1}


def _owners(keys: Iterable[ComponentKey]) -> dict[Folded, ComponentKey]:
    return {folded(owner): owner for owner in {whole(key) for key in keys}}


def _under(key: ComponentKey, names: Mapping[Folded, ComponentKey]) -> ComponentKey:
    """A key with its owner called as it is known."""
    owner = whole(key)
    known = names.get(folded(owner))
    if known is None:
        return key
    return ComponentKey(key.type, known.name + key.name[len(owner.name) :])


def _moved(files: Files, old: str, new: str) -> Files:
    """Files with the name in their paths respelled; a full stop of it may be a slash there."""
    if old == new:
        return files
    named = re.escape(old).replace(r"\.", "[./]")
    pattern = re.compile(rf"(?<=/){named}(?=[./]|-meta\.xml$|$)", re.IGNORECASE)

    def respelled(found: re.Match[str]) -> str:
        pairs = zip(found[0], new, strict=True)
        return "".join(was if was in "./" else char for was, char in pairs)

    return {pattern.sub(respelled, path): content for path, content in files.items()}
