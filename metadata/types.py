"""The metadata types as Salesforce publishes them, with a project's presets and customisations.

The data comes from Salesforce's own package (``registry/``, written by ``script/registry``); a
project may change it by ``sourceBehaviorOptions`` (or the older ``registryPresets``) and by
``registryCustomizations``, merged in that order, one level deep, as the official tools do it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache, lru_cache
from typing import Any, NamedTuple

from core.errors import InvalidInput

DATA = os.path.join(os.path.dirname(__file__), "registry")
SECTIONS = ("types", "childTypes", "suffixes", "strictDirectoryNames")
META = "-meta.xml"
NAMESPACE = "http://soap.sforce.com/2006/04/metadata"


class ChildType(NamedTuple):
    """A type that lives inside its parent's file in metadata format.

    ``element`` names its elements there, ``unique`` the element that holds its name ("" when the
    registry says none).
    """

    id: str
    name: str
    directory: str
    suffix: str
    legacy_suffix: str
    element: str
    unique: str
    ignores_parent: bool
    addressable: bool
    needs_parent: bool


class MetadataType(NamedTuple):
    """One type: where its files lie in either format and how they hang together."""

    id: str
    name: str
    directory: str
    suffix: str
    legacy_suffix: str
    meta_file: str
    adapter: str
    transformer: str
    recomposition: str
    strict: bool
    in_folder: bool
    folder_type: str
    content_type: str
    fixed_name: bool
    children: dict[str, ChildType]
    child_suffixes: dict[str, str]
    child_directories: dict[str, str]
    suffixes: frozenset[str]
    """Its own, its children's and the old ones of either."""

    @property
    def decomposed(self) -> bool:
        """Whether source format spreads it over files that metadata format has in one."""
        return self.adapter == "decomposed"

    @property
    def bundle(self) -> bool:
        """Whether it is a folder of files that belong together."""
        return self.adapter in ("bundle", "uiBundles")


class Types(Mapping[str, MetadataType]):
    """Types by id, each built when it is first asked for: a project uses a few of hundreds."""

    def __init__(self, raw: Mapping[str, Mapping[str, Any]]) -> None:
        self._raw = raw
        self._built: dict[str, MetadataType] = {}

    def __getitem__(self, key: str) -> MetadataType:
        found = self._built.get(key)
        if found is None:
            found = self._built[key] = _type(key, self._raw[key])
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._raw)

    def __len__(self) -> int:
        return len(self._raw)

    def __contains__(self, key: object) -> bool:
        return key in self._raw


class Named(Mapping[str, MetadataType]):
    """Types by their name."""

    def __init__(self, types: Types, ids: Mapping[str, str]) -> None:
        self._types = types
        self._ids = ids

    def __getitem__(self, name: str) -> MetadataType:
        return self._types[self._ids[name]]

    def __iter__(self) -> Iterator[str]:
        return iter(self._ids)

    def __len__(self) -> int:
        return len(self._ids)


class Registry:
    """Look-ups over all types of one project."""

    def __init__(self, raw: Mapping[str, Any]) -> None:
        types = raw["types"]
        self.by_id = Types(types)
        self.by_name = Named(self.by_id, {entry["name"]: key for key, entry in types.items()})
        self.suffixes: dict[str, str] = {
            key: value for key, value in raw["suffixes"].items() if value
        }
        self.child_types: dict[str, str] = {k: v for k, v in raw["childTypes"].items() if v}
        self.strict = [
            self.by_id[key] for key in raw["strictDirectoryNames"].values() if key in types
        ]
        self.strict_directories = {entry.directory: entry for entry in self.strict}
        self.children = {
            child.name: (self.by_id[key], child)
            for key, entry in types.items()
            if "children" in entry
            for child in self.by_id[key].children.values()
        }
        self._by_directory: dict[str, list[str]] = {}
        for key, entry in types.items():
            self._by_directory.setdefault(entry["directoryName"], []).append(key)
        self._aliases = {
            key: entry["aliasFor"] for key, entry in types.items() if "aliasFor" in entry
        }

    @property
    def directories(self) -> Collection[str]:
        """Names of the directories that types have."""
        return self._by_directory.keys()

    def of_directory(self, directory: str) -> list[MetadataType]:
        """The types whose files lie in a directory of that name."""
        return [self.by_id[key] for key in self._by_directory.get(directory, ())]

    def of_suffix(self, suffix: str) -> MetadataType | None:
        """The type of a file suffix; None for an unknown one and for most children's.

        The schema of an external service is a child that has a suffix of its own, ``yaml``.
        """
        found = self.suffixes.get(suffix, "")
        parent = self.by_id.get(self.child_types.get(found, ""))
        if found not in self.by_id and parent and parent.adapter == "partiallyDecomposed":
            return parent
        return self.by_id.get(self._aliases.get(found, found))

    def folder_of(self, directory: str) -> MetadataType | None:
        """The type of folders in a directory such as ``reports``."""
        for entry in self.of_directory(directory):
            if entry.content_type:
                return self.by_id[self._aliases.get(entry.id, entry.id)]
        return None


def standard() -> Registry:
    """The registry without any project's changes, read once."""
    return effective((), "{}")


def for_project(presets: Iterable[str], customizations: Mapping[str, Any]) -> Registry:
    """The registry as a project changes it.

    Raises InvalidInput ``metadata.unknown_preset`` or ``metadata.project_file``.
    """
    return effective(tuple(presets), json.dumps(dict(customizations)))


@cache
def data(name: str) -> dict[str, Any]:
    """One file of the registry, read once."""
    with open(os.path.join(DATA, name), "rb") as file:
        loaded: dict[str, Any] = json.load(file)
    return loaded


@lru_cache(maxsize=32)
def effective(presets: tuple[str, ...], customizations: str) -> Registry:
    """Merge presets and customisations (as JSON text) over the published registry."""
    merged = {section: dict(data("types.json")[section]) for section in SECTIONS}
    known = data("presets.json") if presets else {}
    for preset in presets:
        if preset not in known:
            raise InvalidInput(
                "metadata.unknown_preset",
                f"sfdx-project.json asks for the preset “{preset[:80]}”, which this version does "
                f"not know. Known are: {', '.join(sorted(known))}.",
            )
    own = json.loads(customizations)
    if own and (faulty := _faulty(own)):
        raise InvalidInput(
            "metadata.project_file",
            f"registryCustomizations in sfdx-project.json has something else at “{faulty[:80]}” "
            "than the registry has there.",
        )
    for layer in [*(known[preset] for preset in presets), own]:
        for section in SECTIONS:
            merged[section].update(layer.get(section) or {})
    try:
        found = Registry(merged)
        for key in own.get("types") or ():
            found.by_id[key]  # built now, so that a faulty one is refused here
        return found
    except (KeyError, TypeError, AttributeError) as fault:
        raise InvalidInput(
            "metadata.project_file",
            f"registryCustomizations in sfdx-project.json describes a type without {fault}.",
        ) from None


def _faulty(customizations: Mapping[str, Any]) -> str:
    """Where customisations hold another kind of value than the registry; empty for nowhere."""
    shapes = {
        field: type(value)
        for entry in data("types.json")["types"].values()
        for field, value in entry.items()
    }
    for section in SECTIONS:
        held = customizations.get(section) or {}
        if not isinstance(held, dict):
            return section
        for name, value in held.items():
            if section != "types":
                if not isinstance(value, str | None):
                    return f"{section}.{name}"
                continue
            if not isinstance(value, dict):
                return f"types.{name}"
            for field, inner in value.items():
                if not isinstance(inner, shapes.get(field, object)) or not _plain(inner):
                    return f"types.{name}.{field}"
    return ""


def _plain(value: Any) -> bool:
    """Whether a value is made of texts and truths alone."""
    if isinstance(value, dict):
        return all(_plain(inner) for inner in value.values())
    return isinstance(value, str | bool)


def registry() -> Registry:
    """The published registry."""
    return standard()


def _type(key: str, entry: Mapping[str, Any]) -> MetadataType:
    strategies = entry.get("strategies", {})
    children = entry.get("children", {})
    made = {child: _child(child, inner) for child, inner in children.get("types", {}).items()}
    suffixes = {entry.get("suffix"), entry.get("legacySuffix"), *children.get("suffixes", {})}
    suffixes |= {
        suffix for child in made.values() for suffix in (child.suffix, child.legacy_suffix)
    }
    return MetadataType(
        id=key,
        name=entry["name"],
        directory=entry["directoryName"],
        suffix=entry.get("suffix", ""),
        legacy_suffix=entry.get("legacySuffix", ""),
        meta_file=entry.get("metaFileSuffix", ""),
        adapter=strategies.get("adapter", ""),
        transformer=strategies.get("transformer", ""),
        recomposition=strategies.get("recomposition", ""),
        strict=bool(entry.get("strictDirectoryName")),
        in_folder=bool(entry.get("inFolder")),
        folder_type=entry.get("folderType", ""),
        content_type=entry.get("folderContentType", ""),
        fixed_name=bool(entry.get("ignoreParsedFullName")),
        children=made,
        child_suffixes=dict(children.get("suffixes", {})),
        child_directories=dict(children.get("directories", {})),
        suffixes=frozenset(suffix for suffix in suffixes if suffix),
    )


def _child(key: str, entry: Mapping[str, Any]) -> ChildType:
    return ChildType(
        id=key,
        name=entry["name"],
        directory=entry.get("directoryName", ""),
        suffix=entry.get("suffix", ""),
        legacy_suffix=entry.get("legacySuffix", ""),
        element=entry.get("xmlElementName") or entry.get("directoryName", ""),
        unique=entry.get("uniqueIdElement", ""),
        ignores_parent=bool(entry.get("ignoreParentName")),
        addressable=entry.get("isAddressable") is not False,
        needs_parent=bool(entry.get("unaddressableWithoutParent")),
    )
