"""What a source-format file is: its type, the component it belongs to, and where it goes.

The rules are those of the official converter's resolver, read per path instead of per walked
directory: a folder that only one type may use decides first, then the suffix before ``-meta.xml``,
then a folder's own meta file, then the plain suffix. A file that looks like metadata and has no
known type is refused; any other file (a README, a test's settings) is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from enum import Enum, auto
from functools import cache
from typing import NamedTuple, Protocol

from metadata.refusals import UnsupportedType
from metadata.types import META, ChildType, MetadataType, Registry

_META_NAME = re.compile(r"(.+)\.(.+)-meta\.xml")
MIXED = ("mixedContent", "bundle", "uiBundles")
_OWN = {"lwc": ("js",), "aura": ("cmp", "app", "evt", "intf", "tokens")}
"""What of a bundle has its meta file."""


class Role(Enum):
    """What is done with a file."""

    COPY = auto()
    """Goes into the package as it is."""
    CONTENT = auto()
    """Goes as it is and needs its meta file."""
    META = auto()
    """Goes as it is and needs its content."""
    PARENT = auto()
    """Becomes the frame of a file that is put together."""
    CHILD = auto()
    """Becomes elements of its parent's file."""
    STATIC = auto()
    """Is, or is part of, a static resource."""
    DOCUMENT = auto()
    """Is a document or its meta file."""


class Place(NamedTuple):
    """One file's part in a component; ``target`` is its package path, "" when put together."""

    type: MetadataType
    name: str
    role: Role
    path: str
    target: str
    child: ChildType | None = None
    child_name: str = ""


class Paths(Protocol):
    """All paths of a project, as ``search.Listing`` has them."""

    def __contains__(self, path: str, /) -> bool: ...

    def twice(self, ending: str, /) -> Iterable[str]:
        """Those of which two directories' names at least end so, each with its slash."""


class Places:
    """Finds the places of one project's files."""

    def __init__(self, registry: Registry, paths: Paths) -> None:
        self._registry = registry
        self._paths = paths
        self._nested: dict[str, set[str]] = {}
        self._habits: dict[tuple[str, str], tuple[MetadataType, str, ChildType]] = {}
        self._kinds: dict[tuple[tuple[str, ...], str], MetadataType | None] = {}
        self._strict = cache(self._strict_types)
        self._bundle_root = cache(self._bundle)

    def of(self, path: str) -> Place | None:
        """The place of a file, or None for one that is passed over.

        Raises ``UnsupportedType`` for a meta file of an unknown type.
        """
        directory, _, name = path.rpartition("/")
        found = self._bundle_root(directory)
        if found is not None:
            return self._in_bundle(path, *found)
        dot = name.rfind(".", 0, -len(META)) if name.endswith(META) else -1
        habit = self._habits.get((directory, name[dot:]))
        if habit is not None:
            return Place(habit[0], habit[1], Role.CHILD, path, "", habit[2], name[:dot])
        kind = self._known_kind(path, directory, name)
        if kind is None:
            if name.endswith(META):
                raise UnsupportedType(path, "of no known metadata type")
            return None
        place = self._placed(kind, path, directory, name)
        if (
            place is not None
            and place.role is Role.CHILD
            and place.child is not None
            and kind.decomposed
            and place.child_name == name[:dot]
            and name[dot + 1 : -len(META)] not in (kind.suffix, kind.legacy_suffix)
        ):
            # Children of one directory and suffix are all named alike.
            self._habits[directory, name[dot:]] = (kind, place.name, place.child)
        return place

    @property
    def directories(self) -> Collection[str]:
        """Names of the directories that types have."""
        return self._registry.directories

    def bundle_of(self, directory: str) -> tuple[MetadataType, int] | None:
        """The bundle that all files of a directory belong to, and the depth of its type's."""
        return self._bundle_root(directory)

    def _known_kind(self, path: str, directory: str, name: str) -> MetadataType | None:
        """The type of a meta file hangs on its strict types and suffix alone, so it is kept."""
        dot = name.rfind(".", 0, -len(META)) if name.endswith(META) else -1
        if dot < 1:
            return self._kind(path, directory, name)
        known = (tuple(kind.id for kind in self._strict(directory)), name[dot:])
        if known not in self._kinds:
            self._kinds[known] = self._kind(path, directory, name)
        return self._kinds[known]

    def _kind(self, path: str, directory: str, name: str) -> MetadataType | None:
        """The type of a file outside bundles; None for an unknown one or no metadata at all."""
        for strict in self._strict(directory):
            if strict.adapter in MIXED or _fits(strict, name):
                return strict
        meta = _META_NAME.fullmatch(name)
        if meta:
            return self._registry.of_suffix(meta[2])
        if name.endswith(META):
            parts = directory.split("/")
            folders = (self._registry.folder_of(part) for part in reversed(parts))
            return next((kind for kind in folders if kind is not None), None)
        kind = self._registry.of_suffix(name.rpartition(".")[2]) if "." in name else None
        if kind is None:
            return self._experience(directory)
        if kind.directory in directory.split("/") or f"{path}{META}" in self._paths:
            return kind
        return self._experience(directory)

    def _experience(self, directory: str) -> MetadataType | None:
        kind = self._registry.by_id.get("digitalexperiencebundle")
        if kind is not None and kind.directory in directory.split("/"):
            return kind
        return None

    def _strict_types(self, directory: str) -> tuple[MetadataType, ...]:
        parts = directory.split("/")
        if self._registry.strict_directories.keys().isdisjoint(parts):
            return ()
        return tuple(
            kind
            for kind in self._registry.strict
            if kind.directory in parts and not (kind.in_folder and parts[-1] == kind.directory)
        )

    def _bundle(self, directory: str) -> tuple[MetadataType, int] | None:
        """The bundle that a directory lies in, and the depth of its type's directory.

        The outermost one counts: what lies inside a bundle or an expanded archive belongs to it.
        """
        outer, _, own = directory.rpartition("/")
        if not outer:
            return None
        found = self._bundle_root(outer)
        if found is not None:
            inner = directory in self._nested.get(own, ()) and not self._archived(directory, *found)
            return None if inner else found
        part = outer.rpartition("/")[2]
        kind = self._registry.strict_directories.get(part)
        if kind is None or kind.adapter not in MIXED or kind.in_folder:
            return None
        if part not in self._nested:
            self._nested[part] = _directories(self._paths.twice(f"{part}/"), part)
        depth = outer.count("/")
        metas = (f"{directory}/{own}.{ending}{META}" for ending in _OWN.get(part, ()))
        whole = any(meta in self._paths for meta in metas) or self._archived(directory, kind, depth)
        if f"{directory}/{part}" in self._nested[part] and not whole:
            return None  # of lwc/group/lwc/tile the inner one counts, and both if group is a bundle
        return kind, depth

    def _archived(self, directory: str, kind: MetadataType, depth: int) -> bool:
        """Whether an expanded archive holds a directory, and so all files of it."""
        root = "/".join(directory.split("/")[: depth + 2])
        return kind.transformer == "staticResource" and f"{root}.{kind.suffix}{META}" in self._paths

    def _in_bundle(self, path: str, kind: MetadataType, index: int) -> Place:
        parts = path.split("/")
        name = parts[index + 1]
        target = "/".join(parts[index:])
        if kind.transformer == "staticResource":
            return Place(kind, name, Role.STATIC, path, target)
        return Place(kind, name, Role.COPY, path, target)

    def _placed(self, kind: MetadataType, path: str, directory: str, name: str) -> Place | None:
        match kind.adapter:
            case "matchingContentFile":
                return _matching(kind, path, directory, name)
            case "mixedContent":
                return _mixed(kind, path, directory, name)
            case "decomposed":
                return _decomposed(kind, path, directory, name)
            case "digitalExperience":
                return _experience_file(kind, path)
            case "partiallyDecomposed":
                return _partial(kind, path, name)
            case "bundle" | "uiBundles":
                return None  # a file beside the bundles, such as jsconfig.json
            case _:
                return _plain(self._registry, kind, path, directory, name)


def _directories(paths: Iterable[str], name: str) -> set[str]:
    """Every directory of that name that lies, at some depth, in another of that name."""
    part = f"/{name}/"
    found: set[str] = set()
    for path in paths:
        whole = f"/{path}"
        at = whole.find(part)
        while at >= 0 and (at := whole.find(part, at + len(part) - 1)) >= 0:
            found.add(whole[1 : at + len(part) - 1])
    return found


def _fits(kind: MetadataType, name: str) -> bool:
    """Whether a file's suffix is the type's, one of its children's or an old one of either."""
    return name.removesuffix(META).rpartition(".")[2] in kind.suffixes


def _after(path: str, directory: str) -> str:
    """The path from the last directory of that name on."""
    parts = path.split("/")
    last = len(parts) - 1 - parts[::-1].index(directory)
    return "/".join(parts[last:])


def _stem(name: str, kind: MetadataType | ChildType) -> str:
    stem = name.removesuffix(META)
    for suffix in (kind.suffix, kind.legacy_suffix):
        if suffix and stem.endswith(f".{suffix}"):
            return stem[: -len(suffix) - 1]
    return stem


def _plain(
    registry: Registry, kind: MetadataType, path: str, directory: str, name: str
) -> Place | None:
    """A component that is one file; labels, and labels in files of their own, are put together."""
    parts = directory.split("/")
    if kind.transformer in ("nonDecomposed", "decomposedLabels"):
        return Place(kind, _stem(name, kind), Role.PARENT, path, "")
    if kind.content_type:
        return _folder(kind, path, name)
    if kind.in_folder or kind.folder_type:
        return _nested(registry, kind, path, name)
    if not name.endswith(META) and (parts[-1] != kind.directory):
        return None
    stem = _stem(name, kind)
    full = kind.name if kind.fixed_name else stem
    return Place(kind, full, Role.COPY, path, f"{kind.directory}/{stem}.{kind.suffix}")


def _folder(kind: MetadataType, path: str, name: str) -> Place | None:
    """The meta file of a folder of reports, dashboards, documents or e-mail templates."""
    if kind.directory not in path.split("/")[:-1]:
        raise UnsupportedType(path, f"{kind.name} outside a folder “{kind.directory}”")
    inner = _after(path, kind.directory)
    target = inner.removesuffix(META).removesuffix(f".{kind.suffix}") + META
    return Place(kind, target.removesuffix(META).partition("/")[2], Role.COPY, path, target)


def _nested(registry: Registry, kind: MetadataType, path: str, name: str) -> Place | None:
    """A component in a folder: a report, or a territory or rule of a territory model."""
    outer = kind.directory if kind.in_folder else registry.by_id[kind.folder_type].directory
    if outer not in path.split("/")[:-1]:
        raise UnsupportedType(path, f"{kind.name} outside a folder “{outer}”")
    inner = _after(path, outer)
    target = inner.removesuffix(META)
    folder, _, _file = target.partition("/")[2].rpartition("/")
    stem = _stem(name, kind)
    if kind.in_folder:
        full = f"{folder}/{stem}"
    elif kind.folder_type == kind.id:
        full = stem
    else:
        full = f"{folder.split('/')[0]}.{stem}"
    return Place(kind, full, Role.COPY, path, target)


def _matching(kind: MetadataType, path: str, directory: str, name: str) -> Place | None:
    """A content file and its meta file, such as a class."""
    if not name.removesuffix(META).endswith(f".{kind.suffix}"):
        return None
    stem = _stem(name, kind)
    if kind.in_folder and kind.directory in directory.split("/"):
        target = _after(path, kind.directory)
        full = target.rpartition("/")[0].partition("/")[2] + f"/{stem}"
    else:
        full, target = stem, f"{kind.directory}/{name}"
    role = Role.META if name.endswith(META) else Role.CONTENT
    return Place(kind, full, role, path, target)


def _mixed(kind: MetadataType, path: str, directory: str, name: str) -> Place | None:
    """A file beside the folders of mixed content: a resource, its meta file, a site's meta file."""
    if kind.transformer == "staticResource":
        if directory.split("/")[-1] != kind.directory:
            return None
        stem = name.removesuffix(f".{kind.suffix}{META}")
        own = stem if stem != name else name.split(".")[0]
        return Place(kind, own, Role.STATIC, path, f"{kind.directory}/{name}")
    target = _after(path, kind.directory)
    if kind.in_folder:
        folder = target.rpartition("/")[0].partition("/")[2]
        own = name.removesuffix(META)
        own = own.rpartition(".")[0] or own
        return Place(kind, f"{folder}/{own}", Role.DOCUMENT, path, target)
    if not name.endswith(META):
        return None
    return Place(kind, name.split(".")[0], Role.COPY, path, target)


def _decomposed(kind: MetadataType, path: str, directory: str, name: str) -> Place | None:
    """The frame or a child of a component that is one file in metadata format."""
    within = f"/{directory}/".rpartition(f"/{kind.directory}/")
    if not within[1]:
        raise UnsupportedType(path, f"{kind.name} outside a folder “{kind.directory}”")
    own = within[2].partition("/")[0]
    inside = own != ""
    owner = own or _stem(name, kind)
    if not name.endswith(META) and inside:
        return None
    suffix = name.removesuffix(META).rpartition(".")[2]
    child_id = kind.child_suffixes.get(suffix)
    if suffix in (kind.suffix, kind.legacy_suffix) and (
        child_id is None or name == f"{owner}.{suffix}{META}" or not inside
    ):
        return Place(kind, owner, Role.PARENT, path, "")
    if child_id is None or child_id not in kind.children:
        raise UnsupportedType(path, f"not a part of {kind.name} {owner}")
    child = kind.children[child_id]
    return Place(kind, owner, Role.CHILD, path, "", child, _stem(name, child))


def _experience_file(kind: MetadataType, path: str) -> Place | None:
    """A file of an enhanced site or workspace: ``digitalExperiences/site/shop1/…``."""
    target = _after(path, kind.directory)
    parts = target.split("/")
    if len(parts) < 4:
        raise UnsupportedType(path, f"not a part of {kind.name}")
    return Place(kind, f"{parts[1]}/{parts[2]}", Role.COPY, path, target)


def _partial(kind: MetadataType, path: str, name: str) -> Place | None:
    """An external service's registration or its schema in a file of its own."""
    stem = name.removesuffix(META)
    suffix = stem.rpartition(".")[2]
    if suffix == kind.suffix:
        return Place(kind, _stem(name, kind), Role.PARENT, path, "")
    child_id = kind.child_suffixes.get(suffix)
    if child_id is None:
        return None
    child = kind.children[child_id]
    return Place(kind, stem.rpartition(".")[0], Role.CHILD, path, "", child, stem)
