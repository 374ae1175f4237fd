"""Two commits side by side, each looked at only as far as somebody asks."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cache, cached_property

from metadata import objects, types
from metadata.components import ComponentKey
from metadata.convert import selection
from metadata.later import Later
from metadata.objects import ABSENT, Change, Reader, Tree
from metadata.projects import PROJECT_FILE, Layout, at_root, detect
from metadata.repository import Repository
from metadata.search import holding
from metadata.types import standard
from metadata.units import WHOLE_LABELS, Units, compound

FEW = 60
"""More units than these are looked for by going through all paths."""


class Side:
    """One commit; its tree is listed when something needs more than the paths that differ."""

    def __init__(
        self,
        repository: Repository,
        reader: Reader,
        sha: str,
        tree: Callable[[], Tree],
        asked: Sequence[str],
    ) -> None:
        self.repository = repository
        self.sha = sha
        self._tree = tree
        self.layout = self._detect(reader)
        directories = selection.directories_of(self.layout, asked)
        self.selection = selection.selection(
            self.layout, directories, lambda path: reader.find(sha, path)
        )
        self.registry = types.for_project(self.layout.presets, self.layout.customizations)
        self.units = Units(self.layout, self.registry, lambda: self.paths)

    def _detect(self, reader: Reader) -> Layout:
        project = reader.find(self.sha, PROJECT_FILE)
        if project is not None:
            return at_root(project)
        return detect(self.tree, lambda path: reader.find(self.sha, path) or b"")

    @property
    def tree(self) -> Tree:
        """Every file of the commit."""
        return self._tree()

    @cached_property
    def paths(self) -> Mapping[str, None]:
        """The paths that are metadata, in order."""
        return dict.fromkeys(self.selection.kept(list(self.tree)))

    def contents(self, paths: Sequence[str]) -> dict[str, bytes]:
        """Files by path; raises what ``selection.check`` and ``selection.reading`` raise."""
        tree = self.tree
        entries = {path: tree[path] for path in paths}
        selection.check({path: entry.mode for path, entry in entries.items()})
        return selection.reading(self.repository, list(entries.items())).result()

    def paths_of(self, units: Collection[ComponentKey]) -> list[str]:
        """Every path whose unit is one of these."""
        return [path for path in self._doubtful(units) if self.units.of(path) in units]

    def _doubtful(self, units: Collection[ComponentKey], *, folded: bool = False) -> Iterable[str]:
        """Paths that may be of these units, found by text; ``folded`` whatever the case."""
        texts = {text for unit in units for text in _texts(unit)}
        if len(units) > FEW or "" in texts:
            return self.paths
        if not folded:
            return sorted(holding(list(self.paths), texts))
        found = holding(list(self._folded), {text.casefold() for text in texts})
        return sorted(path for folded_path in found for path in self._folded[folded_path])

    @cached_property
    def _folded(self) -> Mapping[str, Sequence[str]]:
        """The paths by how they read whatever the case."""
        found: dict[str, list[str]] = {}
        for path in self.paths:
            found.setdefault(path.casefold(), []).append(path)
        return found

    def holding(self, units: Collection[ComponentKey]) -> dict[ComponentKey, ComponentKey]:
        """Those of the units of which the commit has any file, in whichever directory.

        Each with the unit that the commit holds: its name may be written in another case, and the
        platform takes the two for one.
        """
        if not units:
            return {}
        wanted = {(unit.type, unit.name.casefold()): unit for unit in units}
        found: dict[ComponentKey, ComponentKey] = {}
        for path in self._doubtful(units, folded=True):
            unit = self.units.of(path)
            if unit is not None:
                asked = wanted.get((unit.type, unit.name.casefold()))
                if asked is not None and found.get(asked) != asked:
                    found[asked] = unit
        return found

    def present(self, units: Collection[ComponentKey]) -> set[ComponentKey]:
        """Those of the units that the commit holds under the very name."""
        found = self.paths_of(units) if units else []
        return {unit for path in found if (unit := self.units.of(path)) is not None}


class Pair:
    """An older and a newer commit of one repository."""

    def __init__(self, before: Side, after: Side, differing: Later[list[Change]]) -> None:
        self.before = before
        self.after = after
        self._differing = differing
        self.alike = before.registry is after.registry and before.layout.name == after.layout.name
        """Whether both name files by the same rules."""

    def changes(self) -> list[Change]:
        """Metadata that differs, after a check that it can be read as plain files."""
        found = self._chosen()
        for side in (0, 1):
            selection.check({change[4]: change[side] for change in found})
        return found

    def _chosen(self) -> list[Change]:
        differing = {change[4]: change for change in self._differing.result()}
        if self.before.selection == self.after.selection and self.alike:
            kept = self.after.selection.kept(list(differing))
            found = [differing[path] for path in kept]
        else:
            found = self._by_both_rules(differing)
        return [change for change in found if change[2] != change[3]]

    def _by_both_rules(self, differing: Mapping[str, Change]) -> list[Change]:
        """The rules differ, so a file may have come or gone without being touched."""
        tree = self.after.tree
        old, new = self.before.paths.keys(), self.after.paths.keys()
        found: list[Change] = []
        for path in sorted((old ^ new) | (differing.keys() & old)):
            change = differing.get(path)
            if change is None:
                mode, blob = tree[path]
                change = Change(mode, mode, blob, blob, path)
            if path not in old:
                change = change._replace(old_mode=ABSENT, old_blob="")
            if path not in new:
                change = change._replace(new_mode=ABSENT, new_blob="")
            found.append(change)
        return found


def pair(repository: Repository, old: str, new: str, directories: Sequence[str] = ()) -> Pair:
    """Open two commits, named by their full ids; git works while this goes on."""
    tree: Later[Tree] = Later(lambda: objects.tree(repository.run, new))
    differing = Later(lambda: objects.changes(repository.run, old, new))

    def before() -> Tree:
        known = dict(tree.result().printed)
        for mode, _mode, blob, _blob, path in differing.result():
            if mode == ABSENT:
                del known[path]
            else:
                known[path] = f"{mode} blob {blob}"
        return Tree(known)

    with objects.reader(repository.run) as reader:
        after_side = Side(repository, reader, new, tree.result, directories)
        before_side = Side(repository, reader, old, cache(before), directories)
    return Pair(before_side, after_side, differing)


def single(repository: Repository, rev: str, directories: Sequence[str] = ()) -> Side:
    """Open one commit."""
    sha = repository.resolve(rev)
    with objects.reader(repository.run) as reader:
        return Side(
            repository, reader, sha, cache(lambda: objects.tree(repository.run, sha)), directories
        )


def _texts(unit: ComponentKey) -> list[str]:
    """Texts of which every path of a unit holds one; "" where that is not known."""
    kind = standard().by_name.get(unit.type)
    if unit == WHOLE_LABELS:
        return [".label"]
    if kind is not None and kind.fixed_name:
        return [""]
    text = re.split(r"[./]", unit.name.rstrip("/"))[-1]
    if kind is not None and kind.suffix and compound(unit):
        return [f"{text}.{suffix}" for suffix in (kind.suffix, kind.legacy_suffix) if suffix]
    return [text]
