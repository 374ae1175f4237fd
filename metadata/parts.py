"""Single components of a package, read without unpacking the rest of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

from core.errors import InvalidInput
from metadata import layout, references, zips
from metadata.components import ComponentKey, folded
from metadata.identity import MANIFESTS, identify
from metadata.normal import Files, NormalForm
from metadata.package import below_manifest
from metadata.units import whole

MAX_READ = 32_000_000
"""More bytes than these are not unpacked for one question."""


MAX_SEARCHED = 120_000_000
MAX_NAMING = 400
"""More files than these that hold a name are not looked into."""


def read(package: bytes, keys: Collection[ComponentKey]) -> NormalForm:
    """The named components of a package zip, in normal form; absent ones are left out.

    Raises InvalidInput ``package.not_a_zip``, ``package.too_large`` when the files asked for
    would unpack to more than ``MAX_READ``, and what ``metadata.layout.read`` raises.
    """
    wanted = {whole(key) for key in keys} | set(keys)
    files = _files(package, lambda path: _of(path) in wanted, MAX_READ)
    return layout.read(files).only(keys)


def spelled(package: bytes, key: ComponentKey) -> list[ComponentKey]:
    """A component as a package spells it, whatever the upper and lower case asked for.

    Raises InvalidInput like ``read``.
    """
    wanted = {folded(whole(key)), folded(key)}

    def is_wanted(path: str) -> bool:
        found = _of(path)
        return found is not None and folded(found) in wanted

    held = layout.read(_files(package, is_wanted, MAX_READ))
    return [each for each in held if folded(each) == folded(key)]


def naming(
    package: bytes, key: ComponentKey, known: Collection[ComponentKey]
) -> list[ComponentKey]:
    """The components of a package that name one of them; ``known`` are all of the package.

    Raises InvalidInput like ``read``, with ``MAX_SEARCHED`` for the whole package.
    """
    texts = _texts(key)
    files = _files(package, lambda path: path not in MANIFESTS, MAX_SEARCHED)
    holding = [p for p in sorted(files) if any(text in files[p].lower() for text in texts)]
    chosen = {path: files[path] for path in holding[:MAX_NAMING] if _of(path) is not None}
    form = layout.read(chosen)
    found = references.of(form, {*known, key})
    return sorted(user for user, named in found.items() if key in named)


def _texts(key: ComponentKey) -> set[bytes]:
    """What a file that names a component holds, in lower case."""
    own = re.split(r"[./]", key.name)[-1]
    dashed = re.sub(r"(?<!^)(?=[A-Z])", "-", own)
    return {own.lower().encode(), dashed.lower().encode()}


def _files(package: bytes, wanted: Callable[[str], bool], limit: int) -> Files:
    with zips.opened(package) as opened:
        names = [info.filename for info in opened.infolist() if not info.is_dir()]
        inner = below_manifest({name: name.encode() for name in names})
        chosen = {path: name.decode() for path, name in inner.items() if wanted(path)}
        held = {path: opened.getinfo(name) for path, name in chosen.items()}
        size = sum(entry.file_size for entry in held.values())
        if size > limit:
            raise InvalidInput(
                "package.too_large", f"These files would unpack to {size // 10**6:,} MB."
            )
        return {path: zips.unpacked(opened, entry) for path, entry in held.items()}


def _of(path: str) -> ComponentKey | None:
    """The component whose file a package path is; None for the manifest and what is unknown."""
    if path in MANIFESTS:
        return None
    try:
        return identify(path)[1]
    except InvalidInput:
        return None
