"""The components in the files of a package, without bringing them into normal form."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from metadata import blocks, children, decompose, xml
from metadata.components import ComponentKey
from metadata.identity import MANIFESTS, identify
from metadata.layout import is_xml


def of_files(
    files: Mapping[str, bytes], origins: Mapping[str, str], sound: Collection[str] = ()
) -> Collection[ComponentKey]:
    """Keys of all components; ``origins`` gives the path that a refusal names.

    Files that are known to be ``sound`` are not checked again. Raises what ``layout.read`` raises:
    an unknown type, XML that is not well-formed.
    """
    found: dict[ComponentKey, None] = {}
    checked: set[bytes] = set()
    for path, content in files.items():
        if path in MANIFESTS:
            continue
        origin = origins.get(path, path)
        kind, key = identify(path, origin)
        if children.splits(kind):
            inside = blocks.keys(kind, key.name, content)
            if inside is None:
                inside = decompose.split(kind, key.name, content, origin).keys()
            found |= dict.fromkeys(inside)
            continue
        if is_xml(kind, path) and path not in sound and content not in checked:
            xml.check(content, origin)
            checked.add(content)
        found[key] = None
    return found.keys()
