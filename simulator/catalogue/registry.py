"""The metadata types of the platform, from Salesforce's published registry (see registry.json)."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

REGISTRY_FILE = Path(__file__).parents[1] / "registry.json"
META = "-meta.xml"


@dataclass(frozen=True, slots=True)
class ChildType:
    """A type that lives inside its parent's file, in elements of one name."""

    name: str
    element: str
    key: str
    bare: bool


@dataclass(frozen=True, slots=True)
class MetadataType:
    """One type: where its files are and how they hang together."""

    name: str
    directory: str
    suffix: str
    in_folder: bool
    folder_of: str
    folder_type: str
    meta_file: bool
    bundle: bool
    children: tuple[ChildType, ...]

    def child_for(self, element: str) -> ChildType | None:
        """Return the child type that elements of that name hold."""
        return next((child for child in self.children if child.element == element), None)


@dataclass(frozen=True, slots=True)
class Identity:
    """What a path in a package means."""

    type: MetadataType
    name: str


@cache
def types() -> dict[str, MetadataType]:
    """Return all types by name."""
    listed = json.loads(REGISTRY_FILE.read_text(encoding="utf-8"))["types"]
    return {
        entry["name"]: MetadataType(
            name=entry["name"],
            directory=entry["directory"],
            suffix=entry.get("suffix", ""),
            in_folder=entry.get("in_folder", False),
            folder_of=entry.get("folder_of", ""),
            folder_type=entry.get("folder_type", ""),
            meta_file=entry.get("meta_file", False),
            bundle=entry.get("bundle", False),
            children=tuple(
                ChildType(c["name"], c["element"], c["key"], c.get("bare", False))
                for c in entry.get("children", [])
            ),
        )
        for entry in listed
    }


@cache
def by_directory() -> dict[str, list[MetadataType]]:
    """Return the types of each directory."""
    found: dict[str, list[MetadataType]] = {}
    for kind in types().values():
        found.setdefault(kind.directory, []).append(kind)
    return found


@cache
def parent_of() -> dict[str, tuple[MetadataType, ChildType]]:
    """Return, for each child type's name, its parent and itself."""
    return {c.name: (kind, c) for kind in types().values() for c in kind.children}


def is_known(name: str) -> bool:
    """Say whether the platform has a type of that name."""
    return name in types() or name in parent_of()


def identify(path: str) -> Identity | None:
    """Return the type and full name of a file of a package; None for an unknown place."""
    directory, _, rest = path.partition("/")
    kinds = by_directory().get(directory)
    if not kinds or not rest:
        return None
    for kind in kinds:
        if kind.bundle:
            return Identity(kind, _bundle_name(kind, rest))
    folder = next((k for k in kinds if k.folder_of), None)
    bare = rest.removesuffix(META)
    if folder is not None and rest.endswith(META) and "." not in bare.rsplit("/", 1)[-1]:
        return Identity(folder, bare)
    for kind in kinds:
        if kind.suffix and bare.endswith(f".{kind.suffix}") and not kind.folder_of:
            return Identity(kind, bare.removesuffix(f".{kind.suffix}"))
    document = types()["Document"]
    if directory == document.directory:
        return Identity(document, bare)
    return None


def _bundle_name(kind: MetadataType, rest: str) -> str:
    parts = rest.split("/")
    if kind.name == "DigitalExperienceBundle" and len(parts) > 1:
        return "/".join(parts[:2])
    return parts[0].removesuffix(META).split(".")[0]


def manifest_type(name: str) -> str:
    """Return the type under which a manifest lists a component (folders go with their content)."""
    kind = types().get(name)
    return kind.folder_of if kind is not None and kind.folder_of else name
