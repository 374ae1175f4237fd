"""Static resources: one file, or a folder that becomes an archive.

The archive is written with fixed times and order: the official converter writes the present time
into it, so that the same commit gives other bytes at every run and no approval could be bound to
them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from core.errors import InvalidInput
from metadata import xml, zips
from metadata.convert.places import Place
from metadata.types import META

ARCHIVES = frozenset({"application/zip", "application/x-zip-compressed", "application/jar"})
SUFFIX = f".resource{META}"


def files_of(name: str, parts: Iterable[tuple[Place, bytes]]) -> Mapping[str, tuple[bytes, str]]:
    """Package path → (content, where it comes from) of one resource.

    Codes: ``metadata.no_meta``, ``metadata.no_content``, ``metadata.two_contents``,
    ``metadata.not_an_archive``.
    """
    held = {place.target: (content, place.path) for place, content in parts}
    folder = f"staticresources/{name}/"
    metas = {
        target: made for target, made in held.items() if target == f"staticresources/{name}{SUFFIX}"
    }
    inside = {target: made for target, made in held.items() if target.startswith(folder)}
    beside = {t: made for t, made in held.items() if t not in metas and t not in inside}
    anywhere = next(iter(held.values()))[1]
    if not metas:
        raise InvalidInput(
            "metadata.no_meta", f"{anywhere} has no {name}{SUFFIX} beside it.", path=anywhere
        )
    meta_target, (meta, meta_path) = next(iter(metas.items()))
    if len({content for content, _path in beside.values()}) + bool(inside) > 1:
        raise InvalidInput(
            "metadata.two_contents",
            f"The static resource {name} has several contents ({anywhere} is one); keep one.",
            path=anywhere,
        )
    if inside:
        _demand_archive(name, meta, meta_path)
        content = zips.archive({target[len(folder) :]: made[0] for target, made in inside.items()})
        origin = next(iter(inside.values()))[1]
    elif beside:
        content, origin = next(iter(beside.values()))
    else:
        raise InvalidInput(
            "metadata.no_content",
            f"{meta_path} has no content file or folder beside it.",
            path=meta_path,
        )
    return {f"staticresources/{name}.resource": (content, origin), meta_target: (meta, meta_path)}


def _demand_archive(name: str, meta: bytes, path: str) -> None:
    kind = xml.text_of(xml.parse(meta, path), "contentType")
    if kind not in ARCHIVES:
        raise InvalidInput(
            "metadata.not_an_archive",
            f"The static resource {name} is a folder, but its content type is "
            f"“{kind or 'missing'}”; a folder needs application/zip.",
            path=path,
        )
