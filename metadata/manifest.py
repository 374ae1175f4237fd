"""``package.xml`` and its destructive siblings: written as Salesforce's tools write them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from core.errors import InvalidInput
from metadata.components import ComponentKey
from metadata.identity import identify
from metadata.types import NAMESPACE, MetadataType, Registry, standard

Manifest = dict[str, list[str]]
"""Type → members, both in order of code points."""

SLASHED_FOLDERS = frozenset({"DashboardFolder", "ReportFolder", "EmailTemplateFolder"})
"""Their members end with a slash, so that the platform tells them from their contents."""


def of_keys(keys: Iterable[ComponentKey]) -> Manifest:
    """The manifest that names the components.

    A folder is listed under the type of its contents: ``ReportFolder`` is no type there.
    """
    named: dict[str, set[str]] = {}
    for type_name, name in keys:
        named.setdefault(type_name, set()).add(name)
    members: dict[str, set[str]] = {}
    for type_name, names in named.items():
        kind = standard().by_name.get(type_name)
        if kind is None or not kind.content_type:
            members.setdefault(type_name, set()).update(names)
            continue
        slash = "/" if type_name in SLASHED_FOLDERS else ""
        contents = standard().by_id[kind.content_type].name
        members.setdefault(contents, set()).update(f"{name}{slash}" for name in names)
    return {name: sorted(members[name]) for name in sorted(members)}


def of_files(paths: Iterable[str], keys: Iterable[ComponentKey], registry: Registry) -> Manifest:
    """The manifest of converted files: the components in them, and the files that carry children.

    The official tools list a labels or workflow file beside every label and alert in it, unless the
    project keeps each in a file of its own.
    """
    carriers = set()
    carrying: dict[str, bool] = {}
    for path in paths:
        directory = path.partition("/")[0]
        if directory not in carrying:
            kinds = standard().of_directory(directory)
            carrying[directory] = any(_carries(registry.by_id[kind.id]) for kind in kinds)
        if carrying[directory]:
            kind, key = identify(path)
            if _carries(registry.by_id[kind.id]) and key.type == kind.name:
                carriers.add(key)
    return of_keys({*keys, *carriers})


def _carries(kind: MetadataType) -> bool:
    return bool(kind.children) and not kind.decomposed


def write(manifest: Mapping[str, Iterable[str]], api_version: str) -> bytes:
    """The manifest as a file: types and members in order, four blanks, version last."""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f'<Package xmlns="{NAMESPACE}">']
    for type_name, members in manifest.items():
        lines.append("    <types>")
        lines += [f"        <members>{_escaped(member)}</members>" for member in members]
        lines += [f"        <name>{_escaped(type_name)}</name>", "    </types>"]
    lines += [f"    <version>{_escaped(api_version)}</version>", "</Package>", ""]
    return "\n".join(lines).encode()


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def read(content: bytes, path: str = "package.xml") -> tuple[Manifest, str]:
    """The members and the API version of a manifest.

    Raises InvalidInput ``metadata.malformed_xml`` or ``metadata.not_a_manifest``.
    """
    from metadata import xml  # XML is for reading alone; a delta only writes manifests

    root = xml.parse(content, path)
    if xml.local(root) != "Package":
        raise InvalidInput("metadata.not_a_manifest", f"{path} is not a manifest.", path=path)
    members: dict[str, set[str]] = {}
    for node in xml.elements(root):
        if xml.local(node) == "types":
            named = [
                (child.text or "").strip()
                for child in xml.elements(node)
                if xml.local(child) == "members"
            ]
            members.setdefault(xml.text_of(node, "name"), set()).update(named)
    ordered = {name: sorted(members[name]) for name in sorted(members)}
    return ordered, xml.text_of(root, "version")
