"""What changed between two commits, as components to deploy and components to delete.

The sets of components of both commits are compared, never lists of files: a component is deleted
only when no package directory holds it any more, so moving it is no deletion, and an unchanged move
is no change. Children that the platform takes one by one (a field, a label, an alert) are told
apart; a bundle, a static resource or a translation of which one file changed goes as a whole.

Only what differs is read. Git names the paths that differ, paths name components, and no content is
looked at except the names of children with files of their own and the insides of files that hold
several children (``metadata.blocks``, and ``metadata.inner`` for unusual ones).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from metadata import blocks
from metadata.components import ComponentKey, folded
from metadata.manifest import Manifest, of_keys
from metadata.objects import Changes
from metadata.repository import Repository
from metadata.sides import Pair, Side, pair
from metadata.types import standard
from metadata.units import compound, whole

if TYPE_CHECKING:
    from metadata.normal import NormalForm

UNDELETABLE = frozenset({"RecordType", "Settings", "StandardValueSet"})
"""The Metadata API refuses to delete these, and what every org has; a person has to."""

CUSTOM = ("__c", "__mdt", "__e", "__b", "__x", "__kav", "__dlm", "__dll", "__ka", "__pc")
"""How the names of custom objects and fields end."""

_MASTER_DETAIL = b"<type>MasterDetail</type>"

Touched = dict[ComponentKey, tuple[list[str], list[str]]]
"""Units with the paths that they lost and got; a changed file is lost and got."""


class Delta(NamedTuple):
    """Components of the newer commit to deploy, and those to delete; ``warnings`` are sentences."""

    changed: tuple[ComponentKey, ...]
    removed: tuple[ComponentKey, ...]
    warnings: tuple[str, ...]
    api_version: str

    @property
    def manifest(self) -> Manifest:
        """``package.xml``'s members."""
        return of_keys(self.changed)

    @property
    def destructive(self) -> Manifest:
        """``destructiveChanges.xml``'s members."""
        return of_keys(self.removed)


def between(repository: Repository, old: str, new: str, directories: Sequence[str] = ()) -> Delta:
    """The delta from one commit to another.

    Raises what ``convert`` raises for the files that differ.
    """
    older, newer = repository.resolve(old), repository.resolve(new)
    with repository.session():
        return of_pair(pair(repository, older, newer, directories))


def of_pair(both: Pair) -> Delta:
    """The delta between two commits that have been opened."""
    before, after = both.before, both.after
    changes = both.changes()
    touched = _touched(both, changes)
    compounds = {kind for kind in {unit.type for unit in touched} if compound(kind)}
    inside = {unit for unit in touched if unit.type in compounds}
    both.after.repository.begin(_held({unit: touched[unit] for unit in inside}, changes))
    changed: set[ComponentKey] = set()
    lost: set[ComponentKey] = set()
    for unit, (gone, come) in touched.items():
        if unit in inside or _moved(changes, gone, come):
            continue
        (changed if come else lost).add(unit)
    kept = after.present_alike(lost)
    changed |= set(kept.values())
    removed = lost - kept.keys()
    if inside:
        more, less = _inside(both, inside)
        # A child taken out of its parent's file may have got a file of its own.
        kept = after.present_alike(less)
        changed |= more | set(kept.values())
        removed |= less - kept.keys()
    named, brought = _named(after, changed, _own_files(changed, touched, changes, 1))
    removed = _named(before, removed, _own_files(removed, touched, changes, 0))[0]
    version = after.layout.api_version or before.layout.api_version
    return _settled(version, named | after.present(brought), removed)


def against(held: Mapping[ComponentKey, str], form: NormalForm, api_version: str = "") -> Delta:
    """The delta from what a target holds to a commit's normal form.

    ``held`` are digests as ``NormalForm.component_digests`` gives them of the target's last
    artefact or of a snapshot of it.
    """
    changed = {key for key, digest in form.component_digests().items() if held.get(key) != digest}
    brought = {
        whole(key)
        for key in changed
        if whole(key) in form and _brings(key, b"".join(form[key].values()))
    }
    return _settled(api_version, changed | brought, held.keys() - form.keys())


def needed(target: NormalForm, form: NormalForm) -> NormalForm:
    """The part of a form that a target lacks or has otherwise, with what that brings along."""
    return form.only(against(target.component_digests(), form).changed)


def _touched(both: Pair, changes: Changes) -> Touched:
    result: Touched = {}
    both_hold, come, gone = changes.by_sign()
    if both.alike:
        for unit, paths in _grouped(both.after, both_hold):
            lost, got = result.setdefault(unit, ([], []))
            lost += paths
            got += paths
    else:
        come, gone = sorted(come + both_hold), sorted(gone + both_hold)
    for unit, paths in _grouped(both.after, come):
        result.setdefault(unit, ([], []))[1].extend(paths)
    for unit, paths in _grouped(both.before, gone):
        result.setdefault(unit, ([], []))[0].extend(paths)
    return result


def _grouped(side: Side, paths: Sequence[str]) -> Iterator[tuple[ComponentKey, list[str]]]:
    """Units with their paths, neighbours of one unit together."""
    last: ComponentKey | None = None
    own: list[str] = []
    for path, unit in side.units.each(paths):
        if unit is last:
            own.append(path)
            continue
        if last is not None:
            yield last, own
        last, own = unit, [path]
    if last is not None:
        yield last, own


def _moved(changes: Changes, gone: Sequence[str], come: Sequence[str]) -> bool:
    """Whether the very same files only lie in another place of the repository."""
    if len(gone) != len(come) or gone[0] == come[0]:
        return False
    held = sorted((path.rpartition("/")[2], changes[path].old_blob) for path in gone)
    return held == sorted((path.rpartition("/")[2], changes[path].new_blob) for path in come)


def _held(touched: Touched, changes: Changes) -> set[str]:
    """The object ids of what units lost and got."""
    found = {changes[path].old_blob for gone, _come in touched.values() for path in gone}
    return found | {changes[path].new_blob for _gone, come in touched.values() for path in come}


def _inside(
    both: Pair, units: Collection[ComponentKey]
) -> tuple[set[ComponentKey], set[ComponentKey]]:
    """What is other or new, and what is gone, inside the files of some units."""
    changed: set[ComponentKey] = set()
    gone: set[ComponentKey] = set()
    unusual: set[ComponentKey] = set()
    readings = [(side, side.reading(side.paths_of(units))) for side in (both.before, both.after)]
    held = [_by_unit(side, reading.result()) for side, reading in readings]
    for unit in units:
        kind = standard().by_name[unit.type]
        found = blocks.compared(kind, unit.name, *(side.get(unit, {}) for side in held))
        if found is None:
            unusual.add(unit)
        else:
            changed |= found[0]
            gone |= found[1]
    if unusual:
        from metadata import inner  # brings the XML library, which most deltas do not need

        more, less = inner.compared(both, unusual)
        return changed | more, gone | less
    return changed, gone


def _by_unit(side: Side, contents: Mapping[str, bytes]) -> dict[ComponentKey, dict[str, bytes]]:
    found: dict[ComponentKey, dict[str, bytes]] = {}
    for path, unit in side.units.each(contents):
        if unit is not None:
            found.setdefault(unit, {})[path] = contents[path]
    return found


def _own_files(
    units: Collection[ComponentKey], touched: Touched, changes: Changes, index: int
) -> dict[ComponentKey, str]:
    """The object ids of the files that some children have of their own, in one of the commits."""
    return {
        unit: changes[min(held)][2 + index]
        for unit in units
        if unit in touched and whole(unit) != unit and (held := touched[unit][index])
    }


def _named(
    side: Side, units: Collection[ComponentKey], own: Mapping[ComponentKey, str]
) -> tuple[set[ComponentKey], set[ComponentKey]]:
    """The components under the names that the platform knows, and parents that come along.

    A child with a file of its own is called as ``fullName`` in it says, not as the file is called.
    A master-detail field brings its object, whose sharing follows from it; a version brings its
    bot, which the platform does not take without.
    """
    contents = side.repository.blobs(own.values())
    renamed: dict[ComponentKey, ComponentKey] = {}
    brought: set[ComponentKey] = set()
    for unit, content in zip(own, contents, strict=True):
        renamed[unit] = _called(unit, content)
        if _brings(unit, content):
            brought.add(whole(unit))
    return {renamed.get(unit, unit) for unit in units}, brought


def _called(unit: ComponentKey, content: bytes) -> ComponentKey:
    parent, _, name = unit.name.partition(".")
    if f"<fullName>{name}</fullName>".encode() in content or b"<fullName>" not in content:
        return unit
    from metadata import xml  # needed for the one child in thousands whose file is called otherwise

    own = xml.text_of(xml.parse(content, str(unit)), "fullName")
    return ComponentKey(unit.type, f"{parent}.{own}") if own else unit


def _brings(key: ComponentKey, content: bytes) -> bool:
    """Whether a child needs its parent beside it."""
    return key.type == "BotVersion" or (key.type == "CustomField" and _MASTER_DETAIL in content)


def _settled(version: str, changed: set[ComponentKey], removed: set[ComponentKey]) -> Delta:
    """Leave out what cannot or need not be deleted, and say so.

    Names on the platform differ in more than case: deleting ``region__c`` after ``Region__c`` has
    been deployed would take the new field away.
    """
    there = {folded(key) for key in changed}
    removed = {key for key in removed if folded(key) not in there}
    stuck = {key for key in removed if stays(key)}
    going = removed - stuck
    gone = {key for key in going if (owner := owner_of(key)) != key and owner in going}
    warnings = [
        f"{key} cannot be deleted by a deployment; delete it by hand." for key in sorted(stuck)
    ]
    warnings += [
        f"{key} can only be deleted while no version of it is active."
        for key in sorted(going)
        if key.type == "Flow"
    ]
    return Delta(
        tuple(sorted(changed)),
        tuple(sorted(going - gone)),
        tuple(warnings),
        version,
    )


def stays(key: ComponentKey) -> bool:
    """Whether a deployment cannot delete it: some types, standard objects and standard fields."""
    standard_one = key.type in ("CustomObject", "CustomField") and not key.name.endswith(CUSTOM)
    return standard_one or key.type in UNDELETABLE


def owner_of(key: ComponentKey) -> ComponentKey:
    """The component with which a child goes; a site takes its contents along."""
    if key.type == "DigitalExperience":
        return ComponentKey("DigitalExperienceBundle", key.name.partition(".")[0])
    return whole(key)
