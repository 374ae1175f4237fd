"""How a commit lays its metadata out: source format or metadata format, and where.

``sfdx-project.json`` decides for source format, the one nearest to the root; its
``packageDirectories`` say where. Without it, a directory with ``package.xml`` and at least one
folder of a known metadata type beside it is in metadata format, at any depth (``src/`` by habit).
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from core.errors import InvalidInput
from metadata.types import standard

PROJECT_FILE = "sfdx-project.json"
MANIFEST = "package.xml"
_VERSION = rb"<version>\s*(\d{2,3}\.0)\s*</version>"

Read = Callable[[str], bytes]


class Layout(NamedTuple):
    """Where the metadata of a commit lies; directories from the repository's root, "" is the root.

    ``base`` holds the project file (source) or the manifest (metadata). ``api_version`` is empty
    when the commit names none. The rest is what a source project asks of the conversion.
    """

    name: Literal["source", "metadata"]
    directories: tuple[str, ...]
    base: str = ""
    api_version: str = ""
    presets: tuple[str, ...] = ()
    customizations: Mapping[str, Any] = MappingProxyType({})
    replacements: tuple[Mapping[str, Any], ...] = ()


def detect(paths: Iterable[str], read: Read) -> Layout:
    """Find the layout of a tree.

    Raises InvalidInput ``metadata.none``, ``metadata.ambiguous`` or ``metadata.project_file``.
    """
    names = list(paths)
    project = _nearest(names, PROJECT_FILE)
    if project is not None:
        return source_layout(project, read(project))
    found = _metadata_roots(names)
    if not found:
        raise InvalidInput(
            "metadata.none",
            "The commit has no Salesforce metadata: neither sfdx-project.json nor a package.xml "
            "beside folders of metadata.",
        )
    if len(found) > 1:
        listed = ", ".join(root or "the root" for root in found[:4])
        raise InvalidInput(
            "metadata.ambiguous",
            f"Several folders hold a package.xml with metadata ({listed}); keep only one.",
        )
    root = found[0]
    version = re.search(_VERSION, read(posixpath.join(root, MANIFEST)))
    return Layout("metadata", (root,), root, version[1].decode() if version else "")


def at_root(content: bytes) -> Layout:
    """The layout of a commit with a project file at its root, which is the nearest there can be."""
    return source_layout(PROJECT_FILE, content)


def _nearest(names: Iterable[str], wanted: str) -> str | None:
    found = [n for n in names if n == wanted or n.endswith(f"/{wanted}")]
    found = [name for name in found if "node_modules" not in name.split("/")]
    if not found:
        return None
    depth = min(name.count("/") for name in found)
    nearest = sorted(name for name in found if name.count("/") == depth)
    if len(nearest) > 1:
        raise InvalidInput(
            "metadata.ambiguous",
            f"Several projects lie side by side ({', '.join(nearest[:4])}); "
            "keep one per repository, or one at the root.",
        )
    return nearest[0]


def _metadata_roots(names: Iterable[str]) -> list[str]:
    """Directories with a manifest and metadata beside it: ``src``, else those nearest the root."""
    listed = list(names)
    manifests = {posixpath.dirname(name) for name in listed if posixpath.basename(name) == MANIFEST}
    directories = standard().directories
    holding = set()
    for name in listed:
        parts = name.split("/")
        for depth in range(len(parts) - 1):
            root = "/".join(parts[:depth])
            if parts[depth] in directories and root in manifests:
                holding.add(root)
    if "src" in holding:
        return ["src"]
    depth = min((root.count("/") + bool(root) for root in holding), default=0)
    return sorted(root for root in holding if root.count("/") + bool(root) == depth)


def source_layout(path: str, content: bytes) -> Layout:
    """Read a project file; ``path`` is where it lies in the repository."""
    base = posixpath.dirname(path)
    project = _json(path, content)
    listed = project.get("packageDirectories")
    if not isinstance(listed, list) or not listed:
        raise _malformed(path, "it has no packageDirectories")
    directories = tuple(dict.fromkeys(_directory(path, base, entry) for entry in listed))
    presets = [
        *_texts(path, project, "registryPresets"),
        *_texts(path, project, "sourceBehaviorOptions"),
    ]
    customizations = project.get("registryCustomizations", {})
    replacements = project.get("replacements", [])
    if not isinstance(customizations, dict) or not isinstance(replacements, list):
        raise _malformed(path, "registryCustomizations or replacements has another form")
    return Layout(
        "source",
        directories,
        base,
        str(project.get("sourceApiVersion") or ""),
        tuple(dict.fromkeys(presets)),
        customizations,
        tuple(entry for entry in replacements if isinstance(entry, dict)),
    )


def _json(path: str, content: bytes) -> dict[str, Any]:
    try:
        project = json.loads(content.decode("utf-8-sig"))
    except json.JSONDecodeError as fault:
        raise _malformed(path, f"line {fault.lineno}: {fault.msg}") from None
    except (UnicodeDecodeError, RecursionError):
        raise _malformed(path, "it is not JSON in UTF-8") from None
    if not isinstance(project, dict):
        raise _malformed(path, "it is not a JSON object")
    return project


def _directory(path: str, base: str, entry: object) -> str:
    text = entry.get("path") if isinstance(entry, dict) else None
    if not isinstance(text, str) or not text:
        raise _malformed(path, "a package directory has no path")
    clean = posixpath.normpath(posixpath.join(base, text.replace("\\", "/")))
    if clean.startswith(("..", "/")):
        raise _malformed(path, f"the package directory “{text}” lies outside the repository")
    return "" if clean == "." else clean


def _texts(path: str, project: Mapping[str, Any], name: str) -> list[str]:
    values = project.get(name, [])
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise _malformed(path, f"{name} is not a list of names")
    return values


def _malformed(path: str, problem: str) -> InvalidInput:
    return InvalidInput("metadata.project_file", f"{path} cannot be used: {problem}.")
