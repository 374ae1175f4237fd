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


class Owned(NamedTuple):
    """What files of one suffix are below the directory of any component of a type."""

    type: str
    dotted: bool
    """Whether each is one of its own, called by the directory's and the file's name."""

    def of(self, owner: str) -> Habit:
        """The habit in one component's directory."""
        if self.dotted:
            return Habit(self.type, f"{owner}.", None)
        return Habit(self.type, "", ComponentKey(self.type, owner))


class Units:
    """Units of one commit's files; ``held`` are all its paths."""

    def __init__(self, layout: Layout, registry: Registry, held: Paths) -> None:
        self.layout = layout
        self.places = Places(registry, held)
        self._found: dict[str, ComponentKey | None] = {}
        self._of_bundle: dict[str, ComponentKey | None] = {}
        self._habits: dict[str, dict[str, Habit]] = {}
        self._owners: dict[str, dict[str, dict[str, Owned]]] = {}

    def each(self, paths: Iterable[str]) -> Iterator[tuple[str, ComponentKey | None]]:
        """Paths with what ``of`` says of them; quick for many, of which most are named alike."""
        last, habits = "", self._habits_of("")
        for path in paths:
            directory, _, name = path.rpartition("/")
            if directory != last:  # neighbours mostly share one, and comparing is quicker
                last = directory
                habits = self._habits.get(directory) or self._habits_of(directory)
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
        habit = self._habits_of(directory).get(name[dot + 1 :])
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

    def _habits_of(self, directory: str) -> dict[str, Habit]:
        """What is known of a directory, to begin with what its siblings have taught."""
        habits = self._habits.get(directory)
        if habits is None:
            habits = self._habits[directory] = {}
            base, _, owner = directory.rpartition("/")
            tail = ""
            if base not in self._owners:
                base, _, owner, tail = *base.rpartition("/"), owner
            # A directory named as a type's is read by rules of its own.
            if base in self._owners and owner not in self.places.directories:
                for ending, owned in self._owners[base].get(tail, {}).items():
                    habits[ending] = owned.of(owner)
        return habits

    def _learn(self, place: Place, unit: ComponentKey, directory: str, name: str, dot: int) -> None:
        """Keep how files of one directory and suffix are named, where all are named alike."""
        kind, parts = place.type, directory.split("/")
        if kind.directory not in parts or kind.fixed_name or kind.content_type:
            return
        ending = name[dot + 1 :]
        if place.role is Role.CHILD and place.name in parts and unit.type == kind.name:
            habit = Habit(kind.name, "", unit)
        elif place.role in NAMED_ALIKE and unit.name.endswith(name[:dot]):
            habit = Habit(unit.type, unit.name[: len(unit.name) - dot], None)
        elif _only_frame(place, ending):
            habit = Habit(kind.name, "", unit)
        else:
            return
        self._habits_of(directory)[ending] = habit
        if kind.decomposed:
            self._teach(kind.directory, directory, ending, habit)

    def _teach(self, type_directory: str, directory: str, ending: str, habit: Habit) -> None:
        """Keep what follows for the directories of other components of a type that is spread."""
        base, found, inner = f"/{directory}/".rpartition(f"/{type_directory}/")
        owner, _, tail = inner.rstrip("/").partition("/")
        if owner and owner not in self.places.directories and "/" not in tail:
            taught = Owned(habit.type, dotted=habit.one is None)
            if habit == taught.of(owner):
                below = self._owners.setdefault(f"{base}{found}".strip("/"), {})
                below.setdefault(tail, {})[ending] = taught

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


def _only_frame(place: Place, ending: str) -> bool:
    """Whether every file of a suffix is the frame of the component whose directory it lies in."""
    kind = place.type
    inside = place.path.rpartition("/")[0].rpartition("/")[2] != kind.directory
    framed = place.role is Role.PARENT and kind.decomposed and inside
    return framed and ending.removesuffix(META) not in kind.child_suffixes


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
