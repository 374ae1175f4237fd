"""Put several candidates together, component by component (design 10).

The union of all candidates, against what production holds:
- a component that two candidates bring with different content, and that is not production's in
  all but one of them, is a conflict that names both teams;
- a component that a team has not touched since it last reached production, while production has
  moved on, is left out: so a release never puts an old version back.
Content is compared by component digest, so formatting that the platform does not keep is no
difference; of equal contents the first team's bytes are taken.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from metadata import xml
from metadata.components import ComponentKey
from metadata.merge.files import Merged, merge, merge_canonical
from metadata.merge.tree import ElementConflict
from metadata.normal import Files, NormalForm

Digests = Mapping[ComponentKey, str]


@dataclass(frozen=True, slots=True)
class Candidate:
    """What one team brings; ``base`` holds the digests of its last release in production."""

    team: str
    label: str
    form: NormalForm
    base: Digests | None = None


@dataclass(frozen=True, slots=True)
class Conflict:
    """One component that several teams bring with different content."""

    key: ComponentKey
    teams: tuple[str, ...]
    elements: tuple[ElementConflict, ...] = ()


@dataclass(frozen=True, slots=True)
class Composition:
    """The result; only a composition without conflicts may be packaged."""

    form: NormalForm
    conflicts: tuple[Conflict, ...]
    left_out: tuple[tuple[ComponentKey, str], ...]
    merged: tuple[tuple[ComponentKey, tuple[str, ...]], ...] = ()


@dataclass(slots=True)
class _Version:
    """One content of a component with the teams that bring it."""

    files: Files
    teams: list[str]


def compose(production: NormalForm | Digests, candidates: Sequence[Candidate]) -> Composition:
    """Merge the candidates; the order of the list has no influence on the result."""
    held = _Held(production)
    versions: dict[ComponentKey, dict[str, _Version]] = {}
    left_out: list[tuple[ComponentKey, str]] = []
    for candidate in sorted(candidates, key=lambda item: (item.team, item.label)):
        base = candidate.base or {}
        for key, files in candidate.form.items():
            digest = held.differing(key, files, candidate.form)
            if digest and base.get(key) == digest and key in held:
                left_out.append((key, candidate.team))
                continue
            brought = versions.setdefault(key, {})
            found = brought.get(digest)
            if found is None:
                found = brought[digest] = _Version(files, [])
            found.teams.append(candidate.team)
    entries: dict[ComponentKey, Files] = {}
    conflicts: list[Conflict] = []
    for key, brought in versions.items():
        fresh = {digest: version for digest, version in brought.items() if digest}
        if len(fresh) > 1:
            teams = sorted({team for version in fresh.values() for team in version.teams})
            conflicts.append(Conflict(key, tuple(teams)))
        else:
            entries[key] = next(iter((fresh or brought).values())).files
    return Composition(
        NormalForm(entries),
        tuple(sorted(conflicts, key=lambda item: item.key)),
        tuple(sorted(left_out)),
    )


class _Held:
    """What production holds; digests are worked out only where contents are not the very same."""

    def __init__(self, production: NormalForm | Digests) -> None:
        self._form = production if isinstance(production, NormalForm) else None
        self._digests = {} if isinstance(production, NormalForm) else production

    def __contains__(self, key: ComponentKey) -> bool:
        return key in (self._digests if self._form is None else self._form)

    def differing(self, key: ComponentKey, files: Files, form: NormalForm) -> str:
        """The digest of a component that production holds otherwise or not; "" for the same."""
        if self._form is None:
            digest = form.component_digest(key)
            return "" if self._digests.get(key) == digest else digest
        own = self._form.get(key)
        if own == files:
            return ""
        digest = form.component_digest(key)
        return "" if own is not None and self._form.component_digest(key) == digest else digest


def compose_merged(production: NormalForm, candidates: Sequence[Candidate]) -> Composition:
    """Like ``compose``, and what several teams changed in one XML component is merged.

    The base of each merge is production's content, or nothing where production has none. A
    component stays a conflict when it is no XML, or when two teams changed the same element in
    different ways; ``Conflict.elements`` names these.
    """
    plain = compose(production, candidates)
    entries = {key: plain.form[key] for key in plain.form}
    conflicts: list[Conflict] = []
    merged: list[tuple[ComponentKey, tuple[str, ...]]] = []
    left_out = set(plain.left_out)
    for conflict in plain.conflicts:
        brought = [
            part.form[conflict.key]
            for part in sorted(candidates, key=lambda item: (item.team, item.label))
            if conflict.key in part.form and (conflict.key, part.team) not in left_out
        ]
        files, elements = _merged(conflict.key, production.get(conflict.key, {}), brought)
        if files is None:
            conflicts.append(Conflict(conflict.key, conflict.teams, elements))
        else:
            entries[conflict.key] = files
            merged.append((conflict.key, conflict.teams))
    return Composition(NormalForm(entries), tuple(conflicts), plain.left_out, tuple(merged))


def _merged(
    key: ComponentKey, base: Files, versions: Sequence[Files]
) -> tuple[Files | None, tuple[ElementConflict, ...]]:
    """All versions folded into one, or None with the elements in the way."""
    result = versions[0]
    for version in versions[1:]:
        if set(result) != set(version):
            return None, ()
        folded: Files = {}
        for path, theirs in version.items():
            ours = result[path]
            before = base.get(path)
            if ours == theirs or theirs == before:
                folded[path] = ours
            elif ours == before:
                folded[path] = theirs
            elif not (ours[:5] == theirs[:5] == b"<?xml"):
                return None, ()
            else:
                found = _merged_file(before, ours, theirs, str(key))
                if found.conflicts:
                    return None, found.conflicts
                folded[path] = found.content
        result = folded
    return result, ()


def _merged_file(before: bytes | None, ours: bytes, theirs: bytes, name: str) -> Merged:
    if before:
        return merge_canonical(before, ours, theirs, name)
    found = merge(before, ours, theirs, name)
    return found if found.conflicts else Merged(xml.canonical_file(found.content, name), ())
