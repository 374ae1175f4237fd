"""The smallest component that a whole file of a commit belongs to, by its path alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from metadata import children
from metadata.children import separate
from metadata.components import ComponentKey
from metadata.convert.places import Paths, Place, Places, Role
from metadata.identity import identify
from metadata.projects import Layout
from metadata.types import META, Registry, standard

WHOLE_LABELS = ComponentKey("CustomLabels", "CustomLabels")
UNSEEN = ComponentKey("", "")
NAMED_ALIKE = (Role.COPY, Role.CONTENT, Role.META, Role.CHILD)
LABEL_TRANSFORMERS = ("nonDecomposed", "decomposedLabels")


class Habit(NamedTuple):
    """What files of one directory and suffix are: all of one unit, or each one of its own."""

    type: str
    prefix: str
    """What stands before the file's own name."""
    one: ComponentKey | None


class Units:
    """Units of one commit's files; ``held`` are all its paths."""

    def __init__(self, layout: Layout, registry: Registry, held: Paths) -> None:
        self.layout = layout
        self.places = Places(registry, held)
        self._found: dict[str, ComponentKey | None] = {}
        self._of_bundle: dict[str, ComponentKey | None] = {}
        self._habits: dict[str, dict[str, Habit]] = {}

    def each(self, paths: Iterable[str]) -> Iterator[tuple[str, ComponentKey | None]]:
        """Paths with what ``of`` says of them; quick for many, of which most are named alike."""
        last, habits = "", self._habits.setdefault("", {})
        for path in paths:
            directory, _, name = path.rpartition("/")
            if directory != last:  # neighbours mostly share one, and comparing is quicker
                last, habits = directory, self._habits.setdefault(directory, {})
            # Habits are known by what follows the last full stop, so a name with another one has
            # none here, and ``of`` looks at it.
            stem, _, ending = name.partition(".")
            habit = habits.get(ending)
            if habit is None:
                yield path, self.of(path)
            else:
                kind, prefix, whole = habit
                yield path, whole or ComponentKey(kind, prefix + stem)

    def of(self, path: str) -> ComponentKey | None:
        """The child of a file where it can be named, else the whole; None for no metadata.

        Raises ``UnsupportedType``.
        """
        directory, _, name = path.rpartition("/")
        found = self._of_bundle.get(directory, UNSEEN)
        if found is UNSEEN:
            found = self._of_bundle[directory] = self._bundle(directory)
        if found is not None:
            return found
        dot = name.rfind(".", 0, -9) if name.endswith(META) else name.rfind(".")
        habit = self._habits.setdefault(directory, {}).get(name[dot + 1 :])
        if habit is not None:
            kind, prefix, whole = habit
            return whole or ComponentKey(kind, prefix + name[:dot])
        if path not in self._found:
            self._found[path] = self._looked_up(path, directory, name, dot)
        return self._found[path]

    def _looked_up(self, path: str, directory: str, name: str, dot: int) -> ComponentKey | None:
        if self.layout.name == "metadata":
            return self._packaged(path)
        place = self.places.of(path)
        if place is None:
            return None
        unit = unit_of(place)
        if dot > 0:
            self._learn(place, unit, directory, name, dot)
        return unit

    def _learn(self, place: Place, unit: ComponentKey, directory: str, name: str, dot: int) -> None:
        """Keep how files of one directory and suffix are named, where all are named alike."""
        kind, parts = place.type, directory.split("/")
        if kind.directory not in parts or kind.fixed_name or kind.content_type:
            return
        if place.role is Role.CHILD and place.name in parts and unit.type == kind.name:
            habit = Habit(kind.name, "", unit)
        elif place.role in NAMED_ALIKE and unit.name.endswith(name[:dot]):
            habit = Habit(unit.type, unit.name[: len(unit.name) - dot], None)
        else:
            return
        self._habits.setdefault(directory, {})[name[dot + 1 :]] = habit

    def _bundle(self, directory: str) -> ComponentKey | None:
        if self.layout.name == "metadata":
            return None
        found = self.places.bundle_of(directory)
        if found is None or not (found[0].bundle or found[0].transformer == "staticResource"):
            return None
        kind, index = found
        return ComponentKey(kind.name, directory.split("/")[index + 1])

    def _packaged(self, path: str) -> ComponentKey | None:
        """Metadata format: everything in a folder below the manifest."""
        inner = path[len(self.layout.base) + 1 :] if self.layout.base else path
        if "/" not in inner or any(part.startswith(".") for part in inner.split("/")):
            return None
        return identify(inner, path)[1]


def unit_of(place: Place) -> ComponentKey:
    """The component of a source file: the child where it can be named, else the whole."""
    kind, child = place.type, place.child
    if kind.transformer in LABEL_TRANSFORMERS:
        return WHOLE_LABELS
    if place.role is Role.CHILD and child is not None:
        if apart(child.name):
            return ComponentKey(child.name, f"{place.name}.{place.child_name}")
        return ComponentKey(kind.name, place.name)
    if place.role in (Role.STATIC, Role.DOCUMENT, Role.PARENT):
        return ComponentKey(kind.name, place.name)
    return identify(place.target, place.path)[1]


@lru_cache(maxsize=1024)
def apart(child_name: str) -> bool:
    """Whether children of a type can be named one by one."""
    known = standard().children.get(child_name)
    return known is not None and separate(*known)


@lru_cache(maxsize=1024)
def compound(type_name: str) -> bool:
    """Whether the one file of a unit of a type may hold children that have to be told apart."""
    kind = standard().by_name.get(type_name)
    return kind is not None and children.splits(kind)


def whole(key: ComponentKey) -> ComponentKey:
    """The component in whose file a key is found in metadata format."""
    parent = children.parent_of(key)
    return key if parent is None else ComponentKey(parent[0].name, parent[1])
