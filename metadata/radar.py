"""What many branches of one repository changed since a baseline, for ``metadata.collisions``.

One git process compares all branches with the baseline. Paths name the components; contents are
read only where two branches touch the same file, to say which elements or children each changed.
The baseline's project file and ``.forceignore`` count for all.
"""

from __future__ import annotations

from collections.abc import Mapping

from core.errors import InvalidInput
from metadata import blocks, inside, objects
from metadata.blocks import differing
from metadata.collisions import Work
from metadata.components import ComponentKey, one_name
from metadata.objects import ABSENT, Change
from metadata.repository import Repository
from metadata.sides import Side, single
from metadata.types import standard
from metadata.units import compound

Touched = dict[ComponentKey, list[Change]]
_XML = (b"<?xml", b"\xef\xbb\xbf<?xml")


def works(repository: Repository, base: str, tips: Mapping[str, str]) -> list[Work]:
    """The work of each team by its branch's commit; all commits by full id."""
    side = single(repository, base)
    listed = objects.many_changes(repository.run, side.sha, list(tips.values()))
    touched = _known_alike([_touched(side, changes) for changes in listed])
    counts: dict[ComponentKey, int] = {}
    for own in touched:
        for unit in own:
            counts[unit] = counts.get(unit, 0) + 1
    shared = {unit for unit, count in counts.items() if count > 1}
    look = Look(_contents(repository, touched, shared))
    return [_work(team, own, shared, look) for team, own in zip(tips, touched, strict=True)]


class Look:
    """Looks inside files; the same two versions are compared once, however many teams hold them."""

    def __init__(self, contents: Mapping[str, bytes]) -> None:
        self.contents = contents
        self._elements: dict[tuple[str, str], frozenset[str]] = {}

    def elements(self, change: Change) -> frozenset[str]:
        """What changed inside one XML file; nothing for another or one that came or went whole."""
        if ABSENT in change[:2]:
            return frozenset()
        known = (change.old_blob, change.new_blob)
        if known not in self._elements:
            self._elements[known] = self._compared(*known)
        return self._elements[known]

    def _compared(self, *blobs: str) -> frozenset[str]:
        old, new = (self.contents[blob] for blob in blobs)
        if not (old.startswith(_XML) and new.startswith(_XML)):
            return frozenset()
        try:
            return inside.changed(*differing(old, new))
        except InvalidInput:
            return frozenset()


def _touched(side: Side, changes: list[Change]) -> Touched:
    by_path = {change.path: change for change in changes}
    found: Touched = {}
    for path in side.selection.kept(list(by_path)):
        try:
            unit = side.units.of(path)
        except InvalidInput:
            continue  # a file of no known type is refused when its branch is built
        if unit is not None:
            found.setdefault(unit, []).append(by_path[path])
    return found


def _known_alike(touched: list[Touched]) -> list[Touched]:
    """The same with one name for what differs by upper and lower case alone."""
    known = one_name(unit for own in touched for unit in own)
    if not known:
        return touched
    found: list[Touched] = []
    for own in touched:
        joined: Touched = {}
        for unit, changes in own.items():
            joined.setdefault(known.get(unit, unit), []).extend(changes)
        for unit in joined.keys() & set(known.values()):
            joined[unit] = _joined(joined[unit])
        found.append(joined)
    return found


def _joined(changes: list[Change]) -> list[Change]:
    """Changes with one in place of each pair that gives a path another spelling."""
    gone = {change.path.casefold(): change for change in changes if change.new_mode == ABSENT}
    come = {change.path.casefold(): change for change in changes if change.old_mode == ABSENT}
    pairs = [(gone[path], come[path]) for path in gone.keys() & come.keys()]
    left = [c for c in changes if c.path.casefold() not in gone.keys() & come.keys()]
    return left + [
        Change(was.old_mode, now.new_mode, was.old_blob, now.new_blob, now.path)
        for was, now in pairs
    ]


def _contents(
    repository: Repository, touched: list[Touched], shared: set[ComponentKey]
) -> Mapping[str, bytes]:
    """Contents of the files that several branches changed, by object id."""
    changes = [change for own in touched for unit in own.keys() & shared for change in own[unit]]
    wanted: set[str] = set()
    for change in changes:
        pairs = zip(change[0:2], change[2:4], strict=True)
        wanted |= {blob for mode, blob in pairs if mode != ABSENT}
    blobs = sorted(wanted)
    return dict(zip(blobs, repository.blobs(blobs), strict=True))


def _work(team: str, touched: Touched, shared: set[ComponentKey], look: Look) -> Work:
    versions: dict[ComponentKey, str] = {}
    elements: dict[ComponentKey, frozenset[str]] = {}
    for unit, changes in touched.items():
        if unit in shared and compound(unit.type):
            versions |= _children(unit, changes, look.contents)
            continue
        versions[unit] = " ".join(
            change.new_blob for change in changes if change.new_mode != ABSENT
        )
        if unit in shared:
            named = frozenset().union(*(look.elements(change) for change in changes))
            if named:
                elements[unit] = named
    return Work(team, versions, elements)


def _children(
    unit: ComponentKey, changes: list[Change], contents: Mapping[str, bytes]
) -> dict[ComponentKey, str]:
    """The children that differ inside a file that several branches changed."""
    old = {c.path: contents[c.old_blob] for c in changes if c.old_mode != ABSENT}
    new = {c.path: contents[c.new_blob] for c in changes if c.new_mode != ABSENT}
    found = blocks.compared(standard().by_name[unit.type], unit.name, old, new)
    if found is None:
        return {unit: " ".join(change.new_blob for change in changes)}
    changed, gone = found
    return {**dict.fromkeys(changed, changes[0].new_blob), **dict.fromkeys(gone, "")}
