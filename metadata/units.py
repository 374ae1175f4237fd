"""The smallest component that a whole file of a commit belongs to, by its path alone."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from metadata import children
from metadata.children import separate
from metadata.components import ComponentKey
from metadata.convert.places import Place, Places, Role
from metadata.identity import identify
from metadata.projects import Layout
from metadata.types import META, Registry, standard

WHOLE_LABELS = ComponentKey("CustomLabels", "CustomLabels")
UNSEEN = ComponentKey("", "")
NAMED_ALIKE = (Role.COPY, Role.CONTENT, Role.META, Role.CHILD)
NO_HABITS: Mapping[str, tuple[str, str, bool]] = {}
LABEL_TRANSFORMERS = ("nonDecomposed", "decomposedLabels")


class Units:
    """Units of one commit's files; ``held`` are all its paths, asked for only when needed."""

    def __init__(
        self, layout: Layout, registry: Registry, held: Callable[[], Collection[str]]
    ) -> None:
        self.layout = layout
        self.places = Places(registry, Held(held))
        self._found: dict[str, ComponentKey | None] = {}
        self._of_bundle: dict[str, ComponentKey | None] = {}
        self._habits: dict[str, dict[str, tuple[str, str, bool]]] = {}

    def each(self, paths: Iterable[str]) -> Iterator[tuple[str, ComponentKey | None]]:
        """Paths with what ``of`` says of them; quick for many, of which most are named alike."""
        for path in paths:
            directory, _, name = path.rpartition("/")
            stem, _, ending = name.partition(".")
            # Habits are known by what follows the last full stop, so a name with another one has
            # none here, and ``of`` looks at it.
            habit = self._habits.get(directory, NO_HABITS).get(ending)
            if habit is None:
                yield path, self.of(path)
            else:
                kind, prefix, named = habit
                yield path, ComponentKey(kind, prefix + stem if named else prefix)

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
        habit = self._habits.get(directory, NO_HABITS).get(name[dot + 1 :])
        if habit is not None:
            kind, prefix, named = habit
            return ComponentKey(kind, prefix + name[:dot] if named else prefix)
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
            habit = (kind.name, unit.name, False)
        elif place.role in NAMED_ALIKE and unit.name.endswith(name[:dot]):
            habit = (unit.type, unit.name[: len(unit.name) - dot], True)
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


class Held(Collection[str]):
    """Paths of a commit, listed when they are first asked for."""

    def __init__(self, listed: Callable[[], Collection[str]]) -> None:
        self._listed = listed

    def __contains__(self, path: object) -> bool:
        return path in self._listed()

    def __iter__(self) -> Iterator[str]:
        return iter(self._listed())

    def __len__(self) -> int:
        return len(self._listed())


def unit_of(place: Place) -> ComponentKey:
    """The component of a source file: the child where it can be named, else the whole."""
    kind, child = place.type, place.child
    if kind.transformer in LABEL_TRANSFORMERS:
        return WHOLE_LABELS
    if place.role is Role.CHILD and child is not None:
        known = standard().children.get(child.name)
        if known is not None and separate(*known):
            return ComponentKey(child.name, f"{place.name}.{place.child_name}")
        return ComponentKey(kind.name, place.name)
    if place.role in (Role.STATIC, Role.DOCUMENT, Role.PARENT):
        return ComponentKey(kind.name, place.name)
    return identify(place.target, place.path)[1]


def compound(unit: ComponentKey) -> bool:
    """Whether a unit's one file may hold children that have to be told apart."""
    kind = standard().by_name.get(unit.type)
    return kind is not None and children.splits(kind)


def whole(key: ComponentKey) -> ComponentKey:
    """The component in whose file a key is found in metadata format."""
    parent = children.parent_of(key)
    return key if parent is None else ComponentKey(parent[0].name, parent[1])
