"""What changed between two commits, as components to deploy and components to delete.

The sets of components of both commits are compared, never lists of files: a component is deleted
only when no package directory holds it any more, so moving it is no deletion, and an unchanged move
is no change. Children that the platform takes one by one (a field, a label, an alert) are told
apart; a bundle, a static resource or a translation of which one file changed goes as a whole.
Only what differs is read.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from metadata import decompose, layout, types
from metadata.components import ComponentKey
from metadata.convert import assembly, selection
from metadata.convert.commit import chosen_directories
from metadata.convert.places import Place, Places, Role
from metadata.manifest import Manifest, of_keys
from metadata.mirrors import Mirror
from metadata.normal import NormalForm
from metadata.objects import TreeEntry
from metadata.projects import Layout, detect
from metadata.types import Registry, standard

UNDELETABLE = frozenset({"RecordType"})
"""The Metadata API refuses to delete these; a person has to."""


@dataclass(frozen=True, slots=True)
class Delta:
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


@dataclass(slots=True)
class Side:
    """One commit, as far as it has been looked at."""

    mirror: Mirror
    sha: str
    tree: Mapping[str, TreeEntry]
    layout: Layout
    registry: Registry
    paths: Collection[str]
    places: Places
    units: dict[str, ComponentKey | None] = field(default_factory=dict)
    held: set[ComponentKey] | None = None

    def read(self, path: str) -> bytes:
        """The content of one file."""
        return next(self.mirror.blobs([self.tree[path].blob]))

    def unit(self, path: str) -> ComponentKey | None:
        """The smallest thing that a whole file belongs to; None for what is no metadata."""
        if path not in self.units:
            self.units[path] = self._unit(path)
        return self.units[path]

    def holds(self, unit: ComponentKey) -> bool:
        """Whether the commit has any file of a unit, in whichever directory."""
        if self.held is None:
            self.held = {found for path in self.paths if (found := self.unit(path)) is not None}
        return unit in self.held

    def _unit(self, path: str) -> ComponentKey | None:
        if self.layout.name == "metadata":
            inner = path[len(self.layout.base) + 1 :] if self.layout.base else path
            if "/" not in inner or any(part.startswith(".") for part in inner.split("/")):
                return None
            return layout.identify(inner, path)[1]
        place = self.places.of(path)
        return None if place is None else unit_of(place)


def unit_of(place: Place) -> ComponentKey:
    """The component of a source file: the child where it can be named, else the whole."""
    kind, child = place.type, place.child
    if kind.transformer in ("nonDecomposed", "decomposedLabels"):
        return ComponentKey("CustomLabels", "CustomLabels")
    if place.role is Role.CHILD and child is not None:
        known = standard().children.get(child.name)
        if known is not None and decompose.separate(*known):
            return ComponentKey(child.name, f"{place.name}.{place.child_name}")
        return ComponentKey(kind.name, place.name)
    if place.role in (Role.STATIC, Role.DOCUMENT, Role.PARENT):
        return ComponentKey(kind.name, place.name)
    return layout.identify(place.target, place.path)[1]


def between(mirror: Mirror, old: str, new: str, directories: Sequence[str] = ()) -> Delta:
    """The delta from one commit to another.

    Raises what ``convert`` raises for the files that differ.
    """
    before, after = _side(mirror, old, directories), _side(mirror, new, directories)
    touched = _touched(before, after)
    changed: set[ComponentKey] = set()
    removed: set[ComponentKey] = set()
    compound = {unit for unit in touched if _compound(unit)}
    for unit, (gone, come) in touched.items():
        if unit in compound:
            continue
        if come or after.holds(unit):
            if not _moved(before, after, gone, come):
                changed.add(unit)
        else:
            removed.add(unit)
    _compare_inside(before, after, compound, changed, removed)
    return _settled(before, after, changed, removed)


def form_of(
    mirror: Mirror, rev: str, keys: Collection[ComponentKey], directories: Sequence[str] = ()
) -> NormalForm:
    """The normal form of the named components of a commit, without reading the others."""
    side = _side(mirror, rev, directories)
    wanted = {_whole(key) for key in keys} | set(keys)
    return _form(side, [path for path in side.paths if side.unit(path) in wanted]).only(keys)


def _side(mirror: Mirror, rev: str, directories: Sequence[str]) -> Side:
    sha = mirror.resolve(rev)
    tree = mirror.tree(sha)

    def read(path: str) -> bytes:
        return next(mirror.blobs([tree[path].blob]))

    found = detect(tree, read)
    paths = selection.paths(tree, found, chosen_directories(found, directories), read)
    registry = types.for_project(found.presets, found.customizations)
    return Side(mirror, sha, tree, found, registry, paths, Places(registry, set(paths)))


Touched = dict[ComponentKey, tuple[list[str], list[str]]]


def _touched(before: Side, after: Side) -> Touched:
    """Units with the paths that they lost and got; a changed file is lost and got."""
    old, new = set(before.paths), set(after.paths)
    result: Touched = {}
    for path in old | new:
        in_old, in_new = path in old, path in new
        if in_old and in_new and before.tree[path].blob == after.tree[path].blob:
            continue
        if in_old and (unit := before.unit(path)) is not None:
            result.setdefault(unit, ([], []))[0].append(path)
        if in_new and (unit := after.unit(path)) is not None:
            result.setdefault(unit, ([], []))[1].append(path)
    return result


def _moved(before: Side, after: Side, gone: Sequence[str], come: Sequence[str]) -> bool:
    """Whether the very same files only lie in another place of the repository."""

    def held(side: Side, paths: Sequence[str]) -> list[tuple[str, str]]:
        return sorted((path.rpartition("/")[2], side.tree[path].blob) for path in paths)

    return bool(gone) and held(before, gone) == held(after, come)


def _compound(unit: ComponentKey) -> bool:
    """Whether a unit's one file holds children that have to be told apart."""
    kind = standard().by_name.get(unit.type)
    return kind is not None and decompose.splits(kind)


def _compare_inside(
    before: Side,
    after: Side,
    units: Collection[ComponentKey],
    changed: set[ComponentKey],
    removed: set[ComponentKey],
) -> None:
    """Compare the children inside files that hold several."""
    if not units:
        return
    old = _frames(before, units).component_digests()
    new = _frames(after, units).component_digests()
    changed |= {key for key, digest in new.items() if old.get(key) != digest}
    gone = set(old) - set(new)
    # A child taken out of its parent's file may have got a file of its own.
    kept = {key for key in gone if after.holds(key)}
    removed |= gone - kept
    changed |= kept


def _frames(side: Side, units: Collection[ComponentKey]) -> NormalForm:
    return _form(side, [path for path in side.paths if side.unit(path) in units])


def _form(side: Side, paths: Sequence[str]) -> NormalForm:
    contents = dict(
        zip(paths, side.mirror.blobs(side.tree[path].blob for path in paths), strict=True)
    )
    selection.refuse_pointers(contents.items())
    if side.layout.name == "metadata":
        start = len(side.layout.base) + 1 if side.layout.base else 0
        return layout.read(
            {path[start:]: content for path, content in contents.items()},
            {path[start:]: path for path in contents},
        )
    places = {path: side.places.of(path) for path in paths}
    made = assembly.assemble(contents, places, side.registry)
    return layout.read(made.files, made.origins)


def _whole(key: ComponentKey) -> ComponentKey:
    """The component in whose file a key is found in metadata format."""
    parent = decompose.parent_of(key)
    return key if parent is None else ComponentKey(parent[0].name, parent[1])


def _settled(
    before: Side, after: Side, changed: set[ComponentKey], removed: set[ComponentKey]
) -> Delta:
    """Leave out what cannot or need not be deleted, and say so."""
    removed -= changed
    gone_with_parent = {key for key in removed if _whole(key) != key and _whole(key) in removed}
    stuck = {key for key in removed - gone_with_parent if key.type in UNDELETABLE}
    warnings = [
        f"{key} cannot be deleted by a deployment; delete it by hand." for key in sorted(stuck)
    ]
    warnings += [
        f"{key} can only be deleted while no version of it is active."
        for key in sorted(removed)
        if key.type == "Flow"
    ]
    return Delta(
        tuple(sorted(changed)),
        tuple(sorted(removed - gone_with_parent - stuck)),
        tuple(warnings),
        after.layout.api_version or before.layout.api_version,
    )
