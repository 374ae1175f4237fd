"""Put several candidates together, component by component (design 10).

Production's content is the base. A component that one team changed is that team's; what several
changed is merged over production, XML by elements and text by lines, and what excludes each other
is a conflict that names the teams. What a team has not touched since it last reached production
never puts an old version back: the component is left out, and a change that a team made on an old
version is first carried over to what production holds now. A component that a team has taken out
since then is removed, unless another team changes it.
Content is compared by component digest, so formatting that the platform does not keep is no
difference; of equal contents the first team's bytes are taken. Names that differ only by upper and
lower case are one component (``spelling``).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from metadata import removal, spelling
from metadata.components import ComponentKey
from metadata.delta import stays
from metadata.merge import components
from metadata.merge.conflicts import ElementConflict, Kind, Said
from metadata.normal import Files, NormalForm, digest_of
from metadata.units import whole

PRODUCTION = "production"
"""The side that speaks for what production holds, where a team built on an older version."""

WHOLE = "the whole component"

BY_HAND = frozenset({"RecordType"})
"""What a person can delete and a deployment cannot; the rest that stays nobody can."""

Decide = Callable[[ComponentKey, ElementConflict], str | None]
Labels = tuple[str, ...]


def undecided(_key: ComponentKey, _conflict: ElementConflict) -> str | None:
    """Nobody has decided anything."""
    return None


@dataclass(frozen=True, slots=True)
class Candidate:
    """What one team brings; ``base`` is what it last brought to production."""

    team: str
    label: str
    form: NormalForm
    base: NormalForm | None = None


@dataclass(frozen=True, slots=True)
class Conflict:
    """One component that teams change in ways that exclude each other."""

    key: ComponentKey
    teams: Labels
    elements: tuple[ElementConflict, ...]


@dataclass(frozen=True, slots=True)
class Composition:
    """The result; only a composition without conflicts may be packaged.

    ``removed`` a deployment deletes, ``by_hand`` only a person can; both name their teams.
    """

    form: NormalForm
    conflicts: tuple[Conflict, ...]
    left_out: tuple[tuple[ComponentKey, str], ...] = ()
    merged: tuple[tuple[ComponentKey, Labels], ...] = ()
    removed: tuple[tuple[ComponentKey, Labels], ...] = ()
    by_hand: tuple[tuple[ComponentKey, Labels], ...] = ()


@dataclass(slots=True)
class _Touched:
    """What the teams do to one component."""

    same: Files | None = None
    versions: list[tuple[Labels, Files]] = field(default_factory=list)
    removers: list[str] = field(default_factory=list)
    conflicts: list[ElementConflict] = field(default_factory=list)

    @property
    def teams(self) -> Labels:
        """Everybody who changes or removes it."""
        named = [team for who, _files in self.versions for team in who] + self.removers
        return tuple(sorted(set(named)))


def compose(
    production: NormalForm,
    candidates: Sequence[Candidate],
    *,
    removed: Collection[ComponentKey] = (),
    decide: Decide = undecided,
) -> Composition:
    """Merge the candidates; the order of the list has no influence on the result.

    ``removed`` are components that earlier releases deleted: who still carries one unchanged does
    not bring it back.
    """
    ordered = sorted(candidates, key=lambda item: (item.team, item.label))
    spelled = spelling.settle(production, ordered, decide)
    work = _Work(spelled.alike(production, PRODUCTION), frozenset(removed), decide, spelled)
    for candidate in ordered:
        form = spelled.alike(candidate.form, candidate.team)
        base = candidate.base and spelled.alike(candidate.base, candidate.team)
        work.take(Candidate(candidate.team, candidate.label, form, base))
    return work.settled()


class _Work:
    """One composition on its way."""

    def __init__(
        self,
        production: NormalForm,
        removed: frozenset[ComponentKey],
        decide: Decide,
        spelled: spelling.Spelling,
    ) -> None:
        self._held = production
        self._spelled = spelled
        self._removed = removed
        self._decide = decide
        self._touched: dict[ComponentKey, _Touched] = {}
        self._left_out: list[tuple[ComponentKey, str]] = []
        self._by_hand: dict[ComponentKey, list[str]] = {}
        for key, conflict in spelled.conflicts:
            self._of(key).conflicts.append(conflict)

    def _of(self, key: ComponentKey) -> _Touched:
        return self._touched.setdefault(key, _Touched())

    def take(self, candidate: Candidate) -> None:
        """Note what a candidate does to every component that it holds or has taken out."""
        for key, files in candidate.form.items():
            held = self._held.get(key)
            before = candidate.base.get(key) if candidate.base is not None else None
            if held is not None and _same(key, files, held):
                touched = self._of(key)
                touched.same = touched.same or files
            elif before is None or (held is None and key not in self._removed):
                self._bring(key, candidate.team, files)
            elif _same(key, files, before):
                self._left_out.append((key, candidate.team))
            elif held is None:
                self._outlived(key, candidate.team, files)
            elif _same(key, before, held):
                self._bring(key, candidate.team, files)
            else:
                self._carried_over(key, candidate.team, before, held, files)
        missing = [key for key in candidate.base or () if key not in candidate.form]
        if missing:
            # A parent's file may lose all that is its own and still carry its children.
            carried = {whole(key) for key in candidate.form}
            for key in missing:
                if key in self._held and key not in carried:
                    self._take_out(key, candidate)

    def _bring(self, key: ComponentKey, team: str, files: Files) -> None:
        versions = self._of(key).versions
        for index, (who, known) in enumerate(versions):
            if _same(key, known, files):
                versions[index] = ((*who, team), known)
                return
        versions.append(((team,), files))

    def _carried_over(
        self, key: ComponentKey, team: str, before: Files, held: Files, files: Files
    ) -> None:
        """A change made on an older version is repeated on what production holds now."""
        sides = [((PRODUCTION,), held), ((team,), files)]
        result, conflicts = components.merge(key, before, sides, self._on(key))
        self._of(key).conflicts += conflicts
        if conflicts or not _same(key, result, held):
            self._bring(key, team, result)

    def _take_out(self, key: ComponentKey, candidate: Candidate) -> None:
        if stays(key):
            if key.type in BY_HAND:
                self._by_hand.setdefault(key, []).append(candidate.team)
            return
        before = candidate.base[key] if candidate.base is not None else {}
        held = self._held[key]
        if not _same(key, before, held):
            kept = Said((PRODUCTION,), _text(held))
            gone = Said((candidate.team,), "")
            picked = self._picked(key, _text(before), (kept, gone))
            if picked != 1:
                return
        self._of(key).removers.append(candidate.team)

    def _outlived(self, key: ComponentKey, team: str, files: Files) -> None:
        """An earlier release removed what this team has changed meanwhile."""
        sides = (Said((PRODUCTION,), ""), Said((team,), _text(files)))
        if self._picked(key, "", sides) == 1:
            self._bring(key, team, files)

    def _picked(self, key: ComponentKey, base: str, sides: tuple[Said, ...]) -> int | None:
        """What was decided about a removal; without a decision a conflict is noted."""
        conflict = ElementConflict(WHOLE, base, sides, Kind.REMOVAL)
        picked = conflict.picked(self._decide(key, conflict))
        if picked is None:
            touched = self._of(key)
            touched.conflicts.append(conflict)
        return picked

    def _on(self, key: ComponentKey) -> Callable[[ElementConflict], str | None]:
        return lambda conflict: self._decide(key, conflict)

    def settled(self) -> Composition:
        """Merge what several teams changed, and sort removals out."""
        entries: dict[ComponentKey, Files] = {}
        merged: list[tuple[ComponentKey, Labels]] = []
        gone: dict[ComponentKey, Labels] = {}
        for key in sorted(self._touched):
            touched = self._touched[key]
            files = self._merged(key, touched, merged)
            if touched.removers and self._removal_stands(key, touched, files):
                gone[key] = tuple(sorted(set(touched.removers)))
            elif files is not None:
                entries[key] = files
        self._below_removed(entries, gone)
        can = removal.named(gone, entries)
        conflicts = [
            Conflict(key, _involved(touched), tuple(touched.conflicts))
            for key, touched in sorted(self._touched.items())
            if touched.conflicts
        ]
        clashing = {conflict.key for conflict in conflicts}
        whole_ones = {key: files for key, files in entries.items() if key not in clashing}
        final = {key: self._spelled.final(key, files) for key, files in whole_ones.items()}
        return Composition(
            NormalForm(dict(final.values())),
            tuple(conflicts),
            tuple(sorted(self._left_out)),
            tuple((final[key][0], teams) for key, teams in merged if key in final),
            tuple((key, gone[key]) for key in can),
            tuple((key, tuple(self._by_hand[key])) for key in sorted(self._by_hand)),
        )

    def _merged(
        self, key: ComponentKey, touched: _Touched, merged: list[tuple[ComponentKey, Labels]]
    ) -> Files | None:
        if len(touched.versions) < 2:
            return touched.versions[0][1] if touched.versions else touched.same
        base = self._held.get(key, {})
        files, conflicts = components.merge(key, base, touched.versions, self._on(key))
        touched.conflicts += conflicts
        if not conflicts:
            merged.append((key, tuple(sorted(t for who, _f in touched.versions for t in who))))
        return files

    def _removal_stands(self, key: ComponentKey, touched: _Touched, files: Files | None) -> bool:
        """Whether a component goes: nobody else changes it, or somebody decided so."""
        changers = tuple(sorted({team for who, _files in touched.versions for team in who}))
        brought = {} if changers else self._children_of(key)
        if not changers and not brought:
            return True
        gone = Said(tuple(sorted(touched.removers)), "")
        told = _text(files) if changers and files else "\n".join(map(str, sorted(brought)))
        teams = changers or tuple(sorted({team for who in brought.values() for team in who}))
        return self._picked(key, _text(self._held[key]), (gone, Said(teams, told))) == 0

    def _children_of(self, key: ComponentKey) -> dict[ComponentKey, Labels]:
        """What others add to or change in a whole that is taken out."""
        return {
            child: touched.teams
            for child, touched in self._touched.items()
            if touched.versions and child != key and whole(child) == key
        }

    def _below_removed(
        self, entries: dict[ComponentKey, Files], gone: dict[ComponentKey, Labels]
    ) -> None:
        """Children go with their parent, and stay where somebody decided that it stays."""
        for key in [key for key in entries if whole(key) != key and whole(key) in gone]:
            del entries[key]
        kept = {key for key, touched in self._touched.items() if touched.removers} - gone.keys()
        for key in [key for key in gone if whole(key) != key and whole(key) in kept]:
            del gone[key]


def _involved(touched: _Touched) -> Labels:
    """The teams of a component's conflicts; production is none."""
    named = {team for found in touched.conflicts for side in found.sides for team in side.labels}
    return tuple(sorted((named | set(touched.teams)) - {PRODUCTION}))


def _same(key: ComponentKey, one: Files, two: Files) -> bool:
    return one == two or digest_of(key, one) == digest_of(key, two)


def _text(files: Files) -> str:
    return "\n".join(components.text_of(content) for content in files.values())
