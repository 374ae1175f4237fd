"""The metadata types of the platform, from the registry that Salesforce publishes (data only)."""

import json
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

REGISTRY_FILE = Path(__file__).parents[2] / "metadata" / "registry" / "types.json"
META = "-meta.xml"
_TERRITORIES = "territory2Models"
SPACE, CONTENT = "DigitalExperienceBundle", "DigitalExperience"
"""An enhanced site or workspace, and one content in it, which an org takes and gives by itself."""
_BUNDLES = ("bundle", "digitalExperience", "uiBundles")
#: Types whose "children" are files or entries of the official converter, not components of an org.
_WHOLE = ("CustomObjectTranslation", "DigitalExperienceBundle")


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
    found = (_type(entry, listed) for entry in listed.values() if "aliasFor" not in entry)
    named = {kind.name: kind for kind in found}
    named[CONTENT] = replace(named[SPACE], name=CONTENT)
    return dict(sorted(named.items()))


def _type(entry: dict[str, Any], listed: dict[str, Any]) -> MetadataType:
    def name_of(key: str) -> str:
        return str(listed[entry[key]]["name"]) if key in entry else ""

    adapter = entry.get("strategies", {}).get("adapter", "")
    name = str(entry["name"])
    children = entry.get("children", {}).get("types", {})
    if name in _WHOLE:
        children = {}
    return MetadataType(
        name=name,
        directory=entry["directoryName"],
        suffix=entry.get("suffix", ""),
        in_folder=entry.get("inFolder", False),
        folder_of=name_of("folderContentType"),
        folder_type=name_of("folderType"),
        meta_file=adapter == "matchingContentFile" or name in ("Document", "StaticResource"),
        bundle=adapter in _BUNDLES or name == "ExperienceBundle",
        children=tuple(
            ChildType(
                child["name"],
                child.get("xmlElementName", child["directoryName"]),
                child.get("uniqueIdElement", "fullName"),
                child.get("ignoreParentName", False),
            )
            for child in sorted(children.values(), key=lambda child: str(child["name"]))
        ),
    )


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
    if kinds and directory == _TERRITORIES:
        kinds = [*kinds, types()["Territory2"], types()["Territory2Rule"]]
    if not kinds or not rest:
        return None
    if directory == types()[SPACE].directory:
        return _experience(rest.split("/"))
    for kind in kinds:
        if kind.bundle:
            return Identity(kind, _bundle_name(rest))
    folder = next((k for k in kinds if k.folder_of), None)
    bare = rest.removesuffix(META)
    if folder is not None and rest.endswith(META) and "." not in bare.rsplit("/", 1)[-1]:
        return Identity(folder, bare)
    for kind in kinds:
        if kind.suffix and bare.endswith(f".{kind.suffix}") and not kind.folder_of:
            return Identity(kind, _name(directory, bare.removesuffix(f".{kind.suffix}")))
    document = types()["Document"]
    if directory == document.directory:
        return Identity(document, bare)
    return None


def _name(directory: str, path: str) -> str:
    """A name is the path; a territory's and a rule's is its model's with its own behind a dot."""
    if directory != _TERRITORIES:
        return path
    model, _, own = path.partition("/")
    return f"{model}.{own.rpartition('/')[2]}" if "/" in own else own


def _experience(parts: list[str]) -> Identity:
    space = "/".join(parts[:2])
    if len(parts) < 5:
        return Identity(types()[SPACE], space)
    return Identity(types()[CONTENT], f"{space}.{parts[2]}/{parts[3]}")


def _bundle_name(rest: str) -> str:
    return rest.split("/")[0].removesuffix(META).split(".")[0]


def manifest_type(name: str) -> str:
    """Return the type under which a manifest lists a component (folders go with their content)."""
    kind = types().get(name)
    return kind.folder_of if kind is not None and kind.folder_of else name
