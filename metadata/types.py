"""Metadata types as Salesforce's own registry describes them.

The data file comes from the package @salesforce/source-deploy-retrieve (``script/registry``).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

REGISTRY_FILE = Path(__file__).parent / "registry" / "metadataRegistry.json"


@dataclass(frozen=True, slots=True)
class MetadataType:
    """One entry of the registry."""

    name: str
    directory: str
    suffix: str
    adapter: str
    transformer: str
    strict_directory: bool
    in_folder: bool
    folder_type: str
    children: dict[str, ChildType] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ChildType:
    """A type that lives inside its parent's file in metadata format."""

    name: str
    directory: str
    suffix: str
    element: str
    unique: str
    ignores_parent: bool


class Registry:
    """Look-ups over all types."""

    def __init__(self, raw: dict[str, Any]) -> None:
        self.by_id = {key: _type(entry) for key, entry in raw["types"].items()}
        self.by_name = {entry.name: entry for entry in self.by_id.values()}
        self.by_suffix = {
            suffix: self.by_id[key] for suffix, key in raw["suffixes"].items() if key in self.by_id
        }
        self.strict = {
            directory: self.by_id[key]
            for directory, key in raw["strictDirectoryNames"].items()
            if key in self.by_id
        }
        self.children = {
            child.name: (parent, child)
            for parent in self.by_id.values()
            for child in parent.children.values()
        }
        self.by_directory: dict[str, list[MetadataType]] = {}
        for entry in self.by_id.values():
            self.by_directory.setdefault(entry.directory, []).append(entry)


@cache
def registry() -> Registry:
    """The registry, read once."""
    return Registry(json.loads(REGISTRY_FILE.read_text(encoding="utf-8")))


def _type(entry: dict[str, Any]) -> MetadataType:
    strategies = entry.get("strategies", {})
    children = entry.get("children", {}).get("types", {})
    return MetadataType(
        name=entry["name"],
        directory=entry.get("directoryName", ""),
        suffix=entry.get("suffix", ""),
        adapter=strategies.get("adapter", ""),
        transformer=strategies.get("transformer", ""),
        strict_directory=bool(entry.get("strictDirectoryName")),
        in_folder=bool(entry.get("inFolder")),
        folder_type=entry.get("folderType", ""),
        children={key: _child(child) for key, child in children.items()},
    )


def _child(entry: dict[str, Any]) -> ChildType:
    return ChildType(
        name=entry["name"],
        directory=entry.get("directoryName", ""),
        suffix=entry.get("suffix", ""),
        element=entry.get("xmlElementName", entry.get("directoryName", "")),
        unique=entry.get("uniqueIdElement", "fullName"),
        ignores_parent=bool(entry.get("ignoreParentName")),
    )
