"""What changes between two packages, component by component, as people read it.

Which components differ comes from the database; contents are opened for the rows of one page, so
a change of 10,000 components costs little more than one of ten.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote

from core import blobs
from core.errors import DomainError
from metadata import dangers, parts, textdiff
from metadata import diff as differ
from metadata.components import ComponentKey, respelled
from metadata.diff import ComponentChange, Kind
from metadata.normal import Files, NormalForm
from releases.models import Artefact, ArtefactComponent
from releases.rules import risk, types

PAGE = 50
USERS_SHOWN = 60
MAX_RAW = 5_000_000
WORDS: dict[Kind, str] = {"added": "new", "changed": "changed", "removed": "deleted"}


@dataclass(frozen=True, slots=True)
class Package:
    """One side of a comparison: what it is called, its stored zip and, for an artefact, its row."""

    label: str
    blob: str
    artefact: Artefact | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """A newer package against an older one, or against nothing.

    ``path`` begins the addresses of its components and ``asked`` is their query.
    """

    new: Package
    old: Package | None
    path: str
    asked: str = ""

    def url(self, key: ComponentKey) -> str:
        """Address of a component's page."""
        return (
            f"{self.path}{quote(key.type)}/{quote(key.name)}{'?' if self.asked else ''}{self.asked}"
        )


@dataclass(frozen=True, slots=True)
class Row:
    """One component that differs, with what changed inside and its marks."""

    key: ComponentKey
    kind: Kind
    summary: str
    marks: tuple[str, ...]
    url: str

    @property
    def type_label(self) -> str:
        """The type as people say it."""
        return types.spoken(self.key.type)

    @property
    def inside(self) -> str:
        """What changed inside, or that it came or went."""
        return self.summary or WORDS[self.kind]


@dataclass(frozen=True, slots=True)
class Group:
    """Rows that belong together, with the number of each type in the whole comparison."""

    title: str
    text: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a comparison; ``after`` begins the next one."""

    groups: tuple[Group, ...]
    total: int
    matching: int
    counts: tuple[tuple[str, int], ...]
    after: str
    problem: str = ""

    @property
    def shown(self) -> int:
        """Rows on this page."""
        return sum(len(group.rows) for group in self.groups)


@dataclass(frozen=True, slots=True)
class FileDiff:
    """One file of a component: its lines side by side, or why they are not shown."""

    path: str
    diff: textdiff.TextDiff | None
    why: str
    has_old: bool
    has_new: bool


@dataclass(frozen=True, slots=True)
class ComponentPage:
    """One component on both sides."""

    row: Row
    files: tuple[FileDiff, ...]
    problem: str = ""
    users: tuple[tuple[str, str], ...] = ()


def changes_of(comparison: Comparison) -> list[ComponentChange]:
    """Every component that differs, by key; two queries."""
    return differ.compared(_digests(comparison.old), _digests(comparison.new))


def page(comparison: Comparison, *, query: str = "", kind: str = "", after: str = "") -> Page:
    """One page: children below their parent, the rest by type."""
    every = changes_of(comparison)
    wanted = [each for each in every if _matches(each, query.strip().casefold(), kind)]
    groups = differ.grouped(wanted)
    flat = [(group, each) for group in groups for each in group.changes]
    places = {str(each.key): number for number, (_group, each) in enumerate(flat, start=1)}
    start = places.get(after, 0)
    cut = flat[start : start + PAGE]
    opened, problem = _open(comparison, [each for _group, each in cut])
    shown: dict[str, tuple[differ.Group, list[Row]]] = {}
    for group, each in cut:
        row = _row(comparison, each, *opened)
        shown.setdefault(group.title, (group, []))[1].append(row)
    counts = {kind: sum(1 for each in every if each.kind == kind) for kind in WORDS}
    return Page(
        groups=tuple(Group(group.title, group.text, tuple(rows)) for group, rows in shown.values()),
        total=len(every),
        matching=len(wanted),
        counts=tuple((WORDS[kind], number) for kind, number in counts.items() if number),
        after=str(cut[-1][1].key) if start + PAGE < len(flat) else "",
        problem=problem,
    )


def component(comparison: Comparison, key: ComponentKey, *, users: bool) -> ComponentPage | None:
    """One component on both sides, or None when neither has it."""
    each = _called(comparison, key)
    (old, new), problem = _open(comparison, [each])
    before, after = old.get(each.before), new.get(key)
    if before is None and after is None and not (problem and _is_known(comparison, key)):
        return None
    kind: Kind = "added" if before is None else "removed" if after is None else "changed"
    row = _row(comparison, replace(each, kind=kind), old, new)
    files = _files(differ.alike(before or {}, after or {}), after or {})
    named: tuple[tuple[str, str], ...] = ()
    if users and not problem:
        named, problem = _users(comparison, key)
    return ComponentPage(row, tuple(files), problem, named)


def raw(comparison: Comparison, key: ComponentKey, side: str, path: str) -> bytes | None:
    """The bytes of one file of a component on the side ``old`` or ``new``."""
    each = _called(comparison, key)
    (old, new), _problem = _open(comparison, [each])
    after = new.get(key, {})
    held = differ.alike(old.get(each.before, {}), after) if side == "old" else after
    content = held.get(path)
    return None if content is None or len(content) > MAX_RAW else content


def _called(comparison: Comparison, key: ComponentKey) -> ComponentChange:
    """A component with its name on the older side, where only its spelling is another."""
    if comparison.old is None:
        return ComponentChange(key, "added", "")
    try:
        old, new = _names_of(comparison.old, key), _names_of(comparison.new, key)
    except DomainError:
        return ComponentChange(key, "changed", "")  # opening it says why
    was = respelled(old - new, [key] if key in new - old else []).get(key)
    return ComponentChange(key, "changed", "", was)


def _names_of(package: Package, key: ComponentKey) -> set[ComponentKey]:
    """A component as a package spells it."""
    if package.artefact is None:
        return set(parts.spelled(blobs.get(package.blob), key))
    rows = ArtefactComponent.objects.filter(artefact=package.artefact, type=key.type)
    names = rows.filter(name__iexact=key.name).values_list("name", flat=True)
    return {ComponentKey(key.type, name) for name in names}


def _digests(package: Package | None) -> dict[ComponentKey, str]:
    if package is None or package.artefact is None:
        return {}
    rows = ArtefactComponent.objects.filter(artefact=package.artefact)
    columns = rows.values_list("type", "name", "digest")
    return {ComponentKey(type_name, name): digest for type_name, name, digest in columns.iterator()}


def _is_known(comparison: Comparison, key: ComponentKey) -> bool:
    sides = [comparison.new.artefact, comparison.old.artefact if comparison.old else None]
    rows = ArtefactComponent.objects.filter(artefact__in=[side for side in sides if side])
    return rows.filter(type=key.type, name=key.name).exists()


def _matches(each: ComponentChange, query: str, kind: str) -> bool:
    if kind in WORDS and each.kind != kind:
        return False
    return not query or query in f"{each.key.name} {types.spoken(each.key.type)}".casefold()


def _open(
    comparison: Comparison, changes: Sequence[ComponentChange]
) -> tuple[tuple[NormalForm, NormalForm], str]:
    """The named components of both sides, and why they cannot be read when they cannot."""
    empty = NormalForm({})
    if not changes:
        return (empty, empty), ""
    try:
        before = [each.before for each in changes]
        old = _part(comparison.old, before) if comparison.old else empty
        return (old, _part(comparison.new, [each.key for each in changes])), ""
    except DomainError as fault:
        return (empty, empty), fault.message


def _part(package: Package, keys: Sequence[ComponentKey]) -> NormalForm:
    return parts.read(blobs.get(package.blob), keys)


def _row(comparison: Comparison, each: ComponentChange, old: NormalForm, new: NormalForm) -> Row:
    before, after = old.get(each.before), new.get(each.key)
    told = differ.told(each, before, after) if before is not None and after is not None else ""
    found: set[str] = set()
    if before is not None or after is not None:
        found |= dangers.marks(each.key, before, after)
    marks = tuple(risk.DANGERS[slug] for slug in sorted(found))
    return Row(each.key, each.kind, told, marks, comparison.url(each.key))


def _files(old: Files, new: Files) -> list[FileDiff]:
    return [_file(path, old, new) for path in sorted({*old, *new})]


def _file(path: str, old: Files, new: Files) -> FileDiff:
    before, after = old.get(path), new.get(path)
    diff, why = None, ""
    if textdiff.is_text(before or b"") and textdiff.is_text(after or b""):
        diff = textdiff.compare(before or b"", after or b"")
    else:
        sizes = [f"{len(content):,} bytes" if content else "nothing" for content in (before, after)]
        why = f"No text: {' → '.join(sizes)}."
    return FileDiff(path, diff, why, before is not None, after is not None)


def _users(comparison: Comparison, key: ComponentKey) -> tuple[tuple[tuple[str, str], ...], str]:
    """Type and name of the components of the newer package that name this one."""
    try:
        package = blobs.get(comparison.new.blob)
        found = parts.naming(package, key, _digests(comparison.new))[:USERS_SHOWN]
        return tuple((types.spoken(user.type), user.name) for user in found), ""
    except DomainError as fault:
        return (), fault.message
