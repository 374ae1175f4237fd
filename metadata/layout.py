"""Metadata format: which component a file belongs to, and the normal form of a package's files."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from core.errors import InvalidInput
from metadata import children, decompose, xml
from metadata.components import ComponentKey
from metadata.identity import MANIFESTS, identify
from metadata.normal import Files, NormalForm
from metadata.types import META, MetadataType

WITH_CONTENT = frozenset(
    {"matchingContentFile", "mixedContent", "bundle", "uiBundles", "digitalExperience"}
)


def read(
    files: Mapping[str, bytes],
    origins: Mapping[str, str] | None = None,
    *,
    wanted: Collection[ComponentKey] | None = None,
) -> NormalForm:
    """The normal form of metadata-format files, paths relative to ``package.xml``.

    ``origins`` gives the path that a refusal names instead. Of files with children only the
    ``wanted`` ones are taken, where any are named. Raises ``UnsupportedType``,
    InvalidInput ``metadata.malformed_xml``, ``metadata.duplicate``, ``metadata.unnamed``.
    """
    entries: dict[ComponentKey, Files] = {}
    named = origins or {}
    for path in sorted(files):
        if path in MANIFESTS:
            continue
        origin = named.get(path, path)
        kind, key = identify(path, origin)
        if children.splits(kind):
            held = decompose.split(kind, key.name, files[path], origin, wanted=wanted)
            _add(entries, held, origin)
        else:
            entries.setdefault(key, {})[path] = normal_content(kind, path, files[path], origin)
    return NormalForm(entries)


def _add(
    entries: dict[ComponentKey, Files], more: Mapping[ComponentKey, Files], origin: str
) -> None:
    for key, files in more.items():
        if key in entries:
            raise InvalidInput(
                "metadata.duplicate", f"{key} is defined twice, also by {origin}.", path=origin
            )
        entries[key] = files


def normal_content(kind: MetadataType, path: str, content: bytes, origin: str) -> bytes:
    """Canonical XML for what the platform reads as metadata, the very bytes for content."""
    return xml.canonical_file(content, origin) if is_xml(kind, path) else content


def is_xml(kind: MetadataType, path: str) -> bool:
    """Whether the platform reads a file as metadata, and not as the component's content."""
    return path.endswith(META) or kind.adapter not in WITH_CONTENT
