"""Metadata format: which component a file below ``src/`` or in a zip belongs to."""

from __future__ import annotations

from collections.abc import Mapping

from core.errors import InvalidInput
from metadata import decompose, xml
from metadata.components import ComponentKey
from metadata.normal import Files, NormalForm
from metadata.types import MetadataType, registry

META = "-meta.xml"
MANIFESTS = frozenset(
    {
        "package.xml",
        "destructiveChanges.xml",
        "destructiveChangesPre.xml",
        "destructiveChangesPost.xml",
    }
)
CONTENT_ADAPTERS = frozenset({"matchingContentFile", "mixedContent", "bundle"})


class UnsupportedType(InvalidInput):
    """A file whose metadata type is not handled; never dropped in silence."""

    def __init__(self, path: str, type_name: str) -> None:
        super().__init__(
            "metadata.unsupported_type",
            f"{path} is {type_name}, which Gatehouse cannot package yet. "
            "Take it out of the package directory or list it in .forceignore.",
            type=type_name,
            path=path,
        )


def read(files: Mapping[str, bytes]) -> NormalForm:
    """The normal form of metadata-format files, paths relative to package.xml."""
    entries: dict[ComponentKey, Files] = {}
    for path, content in sorted(files.items()):
        if path in MANIFESTS:
            continue
        kind, name = identify(path)
        if decompose.splits(kind):
            add(entries, decompose.split(kind, name, content, path), path)
        else:
            key = ComponentKey(kind.name, name)
            entries.setdefault(key, {})[path] = canonical(kind, path, content)
    return NormalForm(entries)


def add(entries: dict[ComponentKey, Files], more: dict[ComponentKey, Files], path: str) -> None:
    """Add entries; raises ``metadata.duplicate`` for one that is there already."""
    for key, files in more.items():
        if key in entries:
            raise InvalidInput("metadata.duplicate", f"{key} is defined twice, also by {path}.")
        entries[key] = files


def canonical(kind: MetadataType, path: str, content: bytes) -> bytes:
    """Canonical XML for metadata, the very bytes for content."""
    if path.endswith(META) or kind.adapter not in CONTENT_ADAPTERS:
        return xml.canonical_file(content, path)
    return content


def identify(path: str) -> tuple[MetadataType, str]:
    """Type and full name of the component that a metadata-format path belongs to."""
    directory, _, rest = path.partition("/")
    kinds = registry().by_directory.get(directory, [])
    if not kinds or not rest:
        raise UnsupportedType(path, "not a metadata file")
    base = rest.removesuffix(META)
    for kind in kinds:
        if kind.adapter == "bundle":
            return kind, rest.split("/", 1)[0]
        if kind.suffix and base.endswith(f".{kind.suffix}"):
            if kind.adapter not in ("", "matchingContentFile", "mixedContent") and not (
                decompose.splits(kind)
            ):
                raise UnsupportedType(path, kind.name)
            name = base[: -len(kind.suffix) - 1]
            if kind.name == "CustomLabels":
                name = decompose.LABELS_NAME
            return kind, name
    raise UnsupportedType(path, f"an unknown kind of {directory}")
