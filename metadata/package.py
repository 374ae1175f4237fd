"""Packages in metadata format: build one from a normal form, read one that an org gave.

A package is identified by the SHA-256 of its canonical listing; the zip is written with fixed
times and order, so equal contents give equal bytes with one zlib build.
Limits: 10,000 files, 39 MB zip, 600 MB unzipped (Metadata API developer guide, deploy).
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import dataclass
from xml.sax.saxutils import escape

from core.digests import listing_digest
from core.errors import InvalidInput
from metadata import decompose, layout, xml
from metadata.components import ComponentKey
from metadata.normal import CHILD, Files, NormalForm

MAX_FILES = 10_000
MAX_ZIP = 39_000_000
MAX_UNZIPPED = 629_145_600
FIXED_TIME = (1980, 1, 1, 0, 0, 0)

Listing = tuple[tuple[str, int, str], ...]
Manifest = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Package:
    """A deployable zip with its identity and what it carries."""

    zip_bytes: bytes
    listing: Listing
    digest: str
    manifest: Manifest
    components: tuple[ComponentKey, ...]


def build(form: NormalForm, api_version: str) -> Package:
    """The package of a normal form; raises InvalidInput ``package.empty`` or ``.too_large``."""
    if not form:
        raise InvalidInput("package.empty", "There is nothing to deploy.")
    manifest = manifest_of(form)
    files = package_files(form)
    files["package.xml"] = manifest_xml(manifest, api_version)
    _check(len(files), sum(map(len, files.values())), 0)
    zip_bytes = write_zip(files)
    _check(len(files), 0, len(zip_bytes))
    listing = listing_of(files)
    return Package(zip_bytes, listing, listing_digest(listing), manifest, tuple(form))


def package_files(form: NormalForm) -> Files:
    """Metadata-format files of a normal form, children joined into their parents' files."""
    files: Files = {}
    owners: dict[str, ComponentKey] = {}
    parents: dict[tuple[str, str], dict[ComponentKey, bytes]] = {}
    for key, entry in form.items():
        found = decompose.parent_of(key)
        if found is not None:
            kind, name = found
            parents.setdefault((kind.name, name), {})[key] = entry[CHILD]
            continue
        if key.type in decompose.SPLIT_TYPES:
            parents.setdefault((key.type, key.name), {})
            continue
        for path, content in entry.items():
            folded = path.casefold()
            if folded in owners:
                raise InvalidInput(
                    "package.case_collision",
                    f"{key} and {owners[folded]} differ only by upper and lower case.",
                )
            owners[folded] = key
            files[path] = content
    for (type_name, name), children in parents.items():
        kind = decompose.registry().by_name[type_name]
        path = decompose.parent_path(kind, name)
        own = form.get(ComponentKey(type_name, name), {}).get(path)
        files[path] = decompose.join(kind, name, own, children)
    return files


def manifest_of(form: NormalForm) -> Manifest:
    """Type → members, both sorted, children under their own type."""
    manifest: Manifest = {}
    for key in form:
        manifest.setdefault(key.type, []).append(key.name)
    return {name: sorted(members) for name, members in sorted(manifest.items())}


def manifest_xml(manifest: Manifest, api_version: str) -> bytes:
    """``package.xml`` as Salesforce's tools write it: types sorted, version last."""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f'<Package xmlns="{xml.NAMESPACE}">']
    for type_name, members in manifest.items():
        lines.append("    <types>")
        lines += [f"        <members>{escape(member)}</members>" for member in members]
        lines += [f"        <name>{escape(type_name)}</name>", "    </types>"]
    lines += [f"    <version>{escape(api_version)}</version>", "</Package>", ""]
    return "\n".join(lines).encode()


def listing_of(files: Files) -> Listing:
    """Path, size and SHA-256 of every file, in byte order of path."""
    return tuple(
        (path, len(files[path]), hashlib.sha256(files[path]).hexdigest())
        for path in sorted(files, key=str.encode)
    )


def write_zip(files: Files) -> bytes:
    """A zip with fixed times, modes and order."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for path in sorted(files, key=str.encode):
            entry = zipfile.ZipInfo(path, FIXED_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            entry.create_system = 3
            archive.writestr(entry, files[path])
    return buffer.getvalue()


def open_zip(content: bytes) -> Files:
    """Files of a zip by path, under the platform's limits.

    Raises InvalidInput ``package.not_a_zip``, ``.unsafe_path``, ``.too_large``.
    """
    _check(0, 0, len(content))
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            infos = [info for info in archive.infolist() if not info.is_dir()]
            _check(len(infos), sum(info.file_size for info in infos), 0)
            files: Files = {}
            left = MAX_UNZIPPED
            for info in infos:
                _safe(info.filename)
                with archive.open(info) as stream:
                    data = stream.read(left + 1)
                left -= len(data)
                _check(0, MAX_UNZIPPED - left, 0)
                files[info.filename] = data
            return files
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as fault:
        raise InvalidInput("package.not_a_zip", f"The zip cannot be read: {fault}.") from None


def read_zip(content: bytes) -> NormalForm:
    """The normal form of a package zip, ours or one that an org gave (``unpackaged/…``)."""
    files = open_zip(content)
    roots = sorted(path for path in files if path.split("/")[-1] == "package.xml")
    prefix = min((root[: -len("package.xml")] for root in roots), key=len, default="")
    return layout.read(
        {path[len(prefix) :]: data for path, data in files.items() if path.startswith(prefix)}
    )


def listing_digest_of_zip(content: bytes) -> str:
    """The identity of a package, computed from its zip."""
    return listing_digest(listing_of(open_zip(content)))


def _safe(path: str) -> None:
    parts = path.split("/")
    if path.startswith("/") or "\\" in path or "\0" in path or ".." in parts or "" in parts:
        raise InvalidInput("package.unsafe_path", f"The zip holds an unsafe path: {path!r}.")


def _check(files: int, unzipped: int, zipped: int) -> None:
    for value, limit, unit in (
        (files, MAX_FILES, "files"),
        (unzipped, MAX_UNZIPPED, "bytes unzipped"),
        (zipped, MAX_ZIP, "bytes as a zip"),
    ):
        if value > limit:
            raise InvalidInput(
                "package.too_large",
                f"The package has {value:,} {unit}; Salesforce takes at most {limit:,}. "
                "Split the release or take large files out.",
            )
