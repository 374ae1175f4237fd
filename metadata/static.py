"""Static resources: one file, or a folder that becomes an archive with fixed times."""

from __future__ import annotations

from core.errors import InvalidInput
from metadata import xml
from metadata.components import ComponentKey
from metadata.layout import META
from metadata.normal import Files

ARCHIVES = frozenset({"application/zip", "application/x-zip-compressed", "application/jar"})
META_SUFFIX = f".resource{META}"


def resources(files: Files, anchor: str) -> dict[ComponentKey, Files]:
    """Entries of all static resources of one ``staticresources`` directory."""
    entries: dict[ComponentKey, Files] = {}
    names = sorted(path.removesuffix(META_SUFFIX) for path in files if path.endswith(META_SUFFIX))
    taken: set[str] = set()
    for name in names:
        meta_path = f"{name}{META_SUFFIX}"
        meta = files[meta_path]
        own = {
            path: files[path]
            for path in files
            if path != meta_path
            and (path.startswith(f"{name}/") or ("/" not in path and path.split(".")[0] == name))
            and not path.endswith(META_SUFFIX)
        }
        taken |= {meta_path, *own}
        target = f"staticresources/{name}.resource"
        entries[ComponentKey("StaticResource", name)] = {
            target: _content(name, own, meta, anchor),
            f"{target}{META}": xml.canonical_file(meta, f"{anchor}/{meta_path}"),
        }
    lost = sorted(set(files) - taken)
    if lost:
        raise InvalidInput(
            "metadata.no_meta", f"{anchor}/{lost[0]} has no .resource-meta.xml beside it."
        )
    return entries


def _content(name: str, own: Files, meta: bytes, anchor: str) -> bytes:
    """The bytes of the resource: its only file, or its folder as an archive."""
    from metadata.package import write_zip

    inside = {path[len(name) + 1 :]: data for path, data in own.items() if "/" in path}
    if not inside:
        if len(own) != 1:
            raise InvalidInput(
                "metadata.no_content", f"{anchor}/{name} needs exactly one content file."
            )
        return next(iter(own.values()))
    kind = xml.text_of(xml.parse(meta, f"{anchor}/{name}"), "contentType")
    if kind not in ARCHIVES:
        raise InvalidInput(
            "metadata.not_an_archive",
            f"{anchor}/{name} is a folder, and its content type {kind} is no archive.",
        )
    return write_zip(inside)
