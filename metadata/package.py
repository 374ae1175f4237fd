"""Packages in metadata format: build one from a normal form, read one that an org gave.

A package is identified by the SHA-256 of its canonical listing (path, size and SHA-256 of each
file, in byte order of path); the zip is only its transport.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from core.errors import InvalidInput
from metadata import children, decompose, layout, manifest, zips
from metadata.components import ComponentKey
from metadata.manifest import Manifest
from metadata.normal import CHILD, Files, NormalForm
from metadata.types import standard
from metadata.zips import MAX_FILES, MAX_UNZIPPED, MAX_ZIP

__all__ = [
    "MAX_FILES",
    "MAX_UNZIPPED",
    "MAX_ZIP",
    "Listing",
    "Manifest",
    "Package",
    "build",
    "listing_digest_of_zip",
    "listing_of",
    "open_zip",
    "pack",
    "package_files",
    "read_zip",
    "write_zip",
]

Listing = tuple[tuple[str, int, str], ...]

open_zip = zips.read
write_zip = zips.write


@dataclass(frozen=True, slots=True)
class Package:
    """A deployable zip with its identity and what it carries."""

    zip_bytes: bytes
    listing: Listing
    digest: str
    manifest: Manifest
    components: tuple[ComponentKey, ...]


def build(form: NormalForm, api_version: str, removed: Sequence[ComponentKey] = ()) -> Package:
    """The package of a normal form; what is removed goes after everything else is in place.

    Raises InvalidInput ``package.empty``, ``package.too_large`` or ``package.case_collision``.
    """
    if not form and not removed:
        raise InvalidInput("package.empty", "There is nothing to deploy.")
    members = manifest.of_keys(form)
    files = package_files(form)
    files["package.xml"] = manifest.write(members, api_version)
    if removed:
        gone = manifest.write(manifest.of_keys(removed), api_version)
        files["destructiveChangesPost.xml"] = gone
    return pack(files, members, tuple(form))


def pack(files: Files, members: Manifest, components: tuple[ComponentKey, ...]) -> Package:
    """Zip the files of a package, its manifest among them, and say what identifies it.

    Raises InvalidInput ``package.case_collision`` and ``package.too_large``.
    """
    from core.digests import listing_digest  # brings much that a zip alone does not need

    zip_bytes = zipped(files)
    listing = listing_of(files)
    return Package(zip_bytes, listing, listing_digest(listing), members, components)


def zipped(files: Files, begun: zips.Packing | None = None) -> bytes:
    """A package's files as a zip within the platform's limits; some may be compressed already.

    Raises InvalidInput ``package.case_collision`` and ``package.too_large``.
    """
    _refuse_alike(files)
    zips.check(len(files), sum(map(len, files.values())), 0)
    zip_bytes = (begun or zips.Packing()).write(files)
    zips.check(len(files), 0, len(zip_bytes))
    return zip_bytes


def _refuse_alike(paths: Collection[str]) -> None:
    """The platform takes names that differ only by case for one, and so do some file systems."""
    folded: dict[str, str] = {}
    for path in paths:
        before = folded.setdefault(path.casefold(), path)
        if before != path:
            raise InvalidInput(
                "package.case_collision",
                f"{before} and {path} differ only by upper and lower case; "
                "the platform takes them for one. Keep one.",
                path=path,
            )


def package_files(form: NormalForm) -> Files:
    """Metadata-format files of a normal form, children joined into their parents' files."""
    files: Files = {}
    owners: dict[str, ComponentKey] = {}
    parents: dict[tuple[str, str], dict[ComponentKey, bytes]] = {}
    for key, entry in form.items():
        found = children.parent_of(key)
        if found is not None:
            kind, name = found
            parents.setdefault((kind.name, name), {})[key] = entry[CHILD]
        elif _is_parent(key):
            parents.setdefault((key.type, key.name), {})
        else:
            for path, content in entry.items():
                _claim(owners, path, key)
                files[path] = content
    for (type_name, name), held in parents.items():
        kind = standard().by_name[type_name]
        path = children.parent_path(kind, name)
        _claim(owners, path, ComponentKey(type_name, name))
        own = form.get(ComponentKey(type_name, name), {}).get(path)
        files[path] = decompose.join(kind, name, own, held)
    return files


def _is_parent(key: ComponentKey) -> bool:
    kind = standard().by_name.get(key.type)
    return kind is not None and children.splits(kind)


def _claim(owners: dict[str, ComponentKey], path: str, key: ComponentKey) -> None:
    """Names on the platform differ in more than case, so such a package cannot be deployed."""
    before = owners.setdefault(path.casefold(), key)
    if before != key:
        raise InvalidInput(
            "package.case_collision",
            f"{key} and {before} differ only by upper and lower case; "
            "the platform takes them for one.",
        )


def listing_of(files: Mapping[str, bytes]) -> Listing:
    """Path, size and SHA-256 of every file, in byte order of path."""
    return tuple(
        (path, len(files[path]), hashlib.sha256(files[path]).hexdigest())
        for path in sorted(files, key=str.encode)
    )


def read_zip(content: bytes) -> NormalForm:
    """The normal form of a package zip, ours or one that an org gave (``unpackaged/…``).

    Raises InvalidInput ``package.not_a_zip``, ``package.unsafe_path``, ``package.too_large`` and
    the codes of ``metadata.layout.read``.
    """
    return layout.read(below_manifest(zips.read(content)))


def below_manifest(files: Mapping[str, bytes]) -> Files:
    """Files by their path from the outermost ``package.xml``."""
    roots = [path for path in files if path.rpartition("/")[2] == "package.xml"]
    prefix = min((path.removesuffix("package.xml") for path in roots), key=_depth, default="")
    return {path[len(prefix) :]: files[path] for path in files if path.startswith(prefix)}


def _depth(prefix: str) -> tuple[int, str]:
    return prefix.count("/"), prefix


def listing_digest_of_zip(content: bytes) -> str:
    """The identity of a package, computed from its zip."""
    from core.digests import listing_digest

    return listing_digest(listing_of(zips.read(content)))
