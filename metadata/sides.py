"""Two commits side by side, each looked at only as far as somebody asks."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cache, cached_property

from metadata import objects, types
from metadata.components import ComponentKey
from metadata.convert import selection
from metadata.later import Later
from metadata.objects import (
    ABSENT,
    LINK,
    SUBMODULE,
    Change,
    Changes,
    Comparison,
    Reader,
    Tree,
    TreeEntry,
)
from metadata.projects import PROJECT_FILE, Layout, at_root, detect
from metadata.repository import Repository
from metadata.search import Listing
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
        tree: Callable[[], Mapping[str, TreeEntry]],
        asked: Sequence[str],
        listings: Sequence[Callable[[], Listing]] = (),
    ) -> None:
        """``listings`` hold all paths of the tree, and may hold others."""
        self.repository = repository
        self.sha = sha
        self._tree = tree
        self._listings = listings or (cache(lambda: Listing(self.tree)),)
        self.layout = self._detect(reader)
        directories = selection.directories_of(self.layout, asked)
        self.selection = selection.selection(
            self.layout, directories, lambda path: reader.find(sha, path)
        )
        self.registry = types.for_project(self.layout.presets, self.layout.customizations)
        self.units = Units(self.layout, self.registry, self)
        self.place = cache(self.units.places.of)

    def _detect(self, reader: Reader) -> Layout:
        project = reader.find(self.sha, PROJECT_FILE)
        if project is not None:
            return at_root(project)
        return detect(self.tree, lambda path: reader.find(self.sha, path) or b"")

    @property
    def tree(self) -> Mapping[str, TreeEntry]:
        """Every file of the commit."""
        return self._tree()

    @cached_property
    def paths(self) -> Mapping[str, None]:
        """The paths that are metadata, in order."""
        out = self._found(self.selection.out)
        return {path: None for path in self.tree if path not in out}

    def __contains__(self, path: str) -> bool:
        return path in self.tree and self.selection.keeps(path)

    def twice(self, ending: str) -> Sequence[str]:
        """The metadata of which two directories' names at least end so, each with its slash."""
        return self._kept(self._found(lambda listing: listing.twice(ending)))

    def _found(self, search: Callable[[Listing], Collection[str]]) -> set[str]:
        """What a search finds among all paths of the tree and maybe others."""
        return set[str]().union(*(search(listing()) for listing in self._listings))

    def _kept(self, found: Collection[str]) -> Sequence[str]:
        """What is metadata of this commit, in order."""
        if not found:
            return ()
        tree = self.tree
        return self.selection.kept(sorted(path for path in found if path in tree))

    def contents(self, paths: Sequence[str]) -> dict[str, bytes]:
        """Files by path; raises what ``selection.check`` and ``selection.reading`` raise."""
        return self.reading(paths).result()

    def reading(self, paths: Sequence[str]) -> Later[dict[str, bytes]]:
        """What ``contents`` returns, read while the caller does something else."""
        return selection.reading(self.repository, self._entries(paths))

    def handed(self, paths: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        """Paths with their contents, as git hands them over."""
        return selection.contents(self.repository, self._entries(paths))

    def _entries(self, paths: Sequence[str]) -> list[tuple[str, TreeEntry]]:
        tree = self.tree
        entries = {path: tree[path] for path in paths}
        selection.check({path: entry.mode for path, entry in entries.items()})
        return list(entries.items())

    def paths_of(self, units: Collection[ComponentKey]) -> list[str]:
        """Every path whose unit is one of these."""
        doubtful = self._doubtful(units, Listing.holding)
        return [path for path, unit in self.units.each(doubtful) if unit in units]

    def _doubtful(
        self,
        units: Collection[ComponentKey],
        search: Callable[[Listing, Collection[str]], Collection[str]],
    ) -> Collection[str]:
        """Paths that may be of these units, in order."""
        texts = {text for unit in units for text in _texts(unit)}
        if len(units) > FEW or "" in texts:
            return self.paths
        return self._kept(self._found(lambda listing: search(listing, texts)))

    def present_alike(self, units: Collection[ComponentKey]) -> dict[ComponentKey, ComponentKey]:
        """Those of the units of which the commit has any file, in whichever directory.

        Each with the unit that the commit holds: its name may be written in another case, and the
        platform takes the two for one.
        """
        if not units:
            return {}
        wanted = {(unit.type, unit.name.casefold()): unit for unit in units}
        found: dict[ComponentKey, ComponentKey] = {}
        for _path, unit in self.units.each(self._doubtful(units, Listing.alike)):
            if unit is not None:
                asked = wanted.get((unit.type, unit.name.casefold()))
                if asked is not None and found.get(asked) != asked:
                    found[asked] = unit
        return found

    def present(self, units: Collection[ComponentKey]) -> set[ComponentKey]:
        """Those of the units that the commit holds under the very name."""
        if not units:
            return set()
        doubtful = self._doubtful(units, Listing.holding)
        found = {unit for _path, unit in self.units.each(doubtful)}
        return {unit for unit in units if unit in found}


class Newer(Mapping[str, TreeEntry]):
    """The tree of the newer of two commits, of which git need tell only the paths at first."""

    def __init__(
        self, names: Collection[str], differing: Changes, alike: Callable[[], Tree]
    ) -> None:
        """``alike`` is needed for a path that both commits hold alike."""
        self._names = names
        self._differing = differing
        self._alike = alike

    def __getitem__(self, path: str) -> TreeEntry:
        if path not in self._differing:
            return self._alike()[path]
        new = self._differing[path].new
        if new is None:
            raise KeyError(path)
        return new

    def __contains__(self, path: object) -> bool:
        return path in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


class Older(Mapping[str, TreeEntry]):
    """The tree of the older of two commits: the newer one's but for what differs."""

    def __init__(self, newer: Newer, differing: Changes) -> None:
        self._newer = newer
        self._differing = differing

    def __getitem__(self, path: str) -> TreeEntry:
        if path not in self._differing:
            return self._newer[path]
        old = self._differing[path].old
        if old is None:
            raise KeyError(path)
        return old

    def __contains__(self, path: object) -> bool:
        told = self._differing.printed.get(path) if isinstance(path, str) else None
        return path in self._newer if told is None else told[-1] != "A"

    def __iter__(self) -> Iterator[str]:
        differing = self._differing
        yield from (path for path in self._newer if path not in differing)
        yield from differing.older()

    def __len__(self) -> int:
        return sum(1 for _path in self)


class Pair:
    """An older and a newer commit of one repository."""

    def __init__(
        self,
        before: Side,
        after: Side,
        differing: Later[Changes],
        listings: Sequence[Callable[[], Listing]],
    ) -> None:
        """``listings`` hold the paths of both, what is known first at first."""
        self.before = before
        self.after = after
        self._differing = differing
        self._listings = listings
        self.alike = before.registry is after.registry and before.layout.name == after.layout.name
        """Whether both name files by the same rules."""

    def changes(self) -> Changes:
        """Metadata that differs, after a check that it can be read as plain files."""
        found = self._chosen()
        modes = {told[1:14] for told in found.printed.values()}  # "100644 100755", few ones
        if any(pair[:6] != pair[7:] and ABSENT not in pair for pair in modes):
            same = [path for path, change in found.items() if change.old_blob == change.new_blob]
            found = found.without(same)
        plain = all(odd not in pair for pair in modes for odd in (LINK, SUBMODULE))
        if not plain or not selection.usable(found):
            for side in (0, 1):
                selection.check({path: change[side] for path, change in found.items()})
        return found

    def _chosen(self) -> Changes:
        if self.before.selection == self.after.selection and self.alike:
            differing = self._differing.result()
            return differing.without(self.after.selection.out(Listing(differing)))
        return self._by_both_rules()

    def _by_both_rules(self) -> Changes:
        """The rules differ, so a file may have come or gone without being touched."""
        lost, unseen = set[str](), set[str]()
        for listing in self._listings:  # git still compares while the newer commit's is searched
            lost |= self.before.selection.out(listing())
            unseen |= self.after.selection.out(listing())
        differing = self._differing.result()
        if lost == unseen:
            return differing.without(lost)
        found = dict(differing.without(lost & unseen).printed)
        for path in lost ^ unseen:
            told = differing.get(path) or self._untouched(path)
            if told is not None and path in lost:
                told = told._replace(old_mode=ABSENT, old_blob="")
            elif told is not None:
                told = told._replace(new_mode=ABSENT, new_blob="")
            found.pop(path, None)
            if told is not None and told[:2] != (ABSENT, ABSENT):
                found[path] = told.printed()
        return Changes({path: found[path] for path in sorted(found)})

    def _untouched(self, path: str) -> Change | None:
        """A file that both commits hold alike; None for what only looks like a path."""
        entry = self.after.tree.get(path)
        return entry and Change(entry.mode, entry.mode, entry.blob, entry.blob, path)


def pair(repository: Repository, old: str, new: str, directories: Sequence[str] = ()) -> Pair:
    """Open two commits, named by their full ids."""
    return opened(repository, objects.comparison(repository.run, old, new), directories)


def opened(repository: Repository, begun: Comparison, directories: Sequence[str] = ()) -> Pair:
    """Open two commits that git compares already."""
    newer, differing = begun.newer, begun.changes

    @cache
    def after() -> Newer:
        found = newer.result()
        listed = found if isinstance(found, Tree) else None
        alike = cache(lambda: listed or objects.tree(repository.run, begun.new))
        return Newer(found, differing.result(), alike)

    @cache
    def before() -> Older:
        return Older(after(), differing.result())

    listings = (
        cache(lambda: Listing(newer.result())),
        cache(lambda: Listing(differing.result().gone())),
    )
    with repository.session() as reader:
        after_side = Side(repository, reader, begun.new, after, directories, listings)
        before_side = Side(repository, reader, begun.old, before, directories, listings)
    return Pair(before_side, after_side, differing, listings)


def single(repository: Repository, rev: str, directories: Sequence[str] = ()) -> Side:
    """Open one commit."""
    sha = repository.resolve(rev)
    with repository.session() as reader:
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
    if kind is not None and kind.suffix and compound(unit.type):
        return [f"{text}.{suffix}" for suffix in (kind.suffix, kind.legacy_suffix) if suffix]
    return [text]
