"""Packages as zips: read within limits, with their manifests, and written again."""

import io
import zipfile
from dataclasses import dataclass, field

from simulator import xmltree
from simulator.xmltree import Element

MAX_FILES = 10_000
MAX_ZIP = 39 * 1024 * 1024
MAX_UNZIPPED = 629_145_600
MANIFEST = "package.xml"
DESTRUCTIVE = ("destructiveChangesPre.xml", "destructiveChanges.xml", "destructiveChangesPost.xml")
_ZIP_TIME = (2020, 1, 1, 0, 0, 0)


class BadArchive(Exception):
    """The zip is refused as a whole; carries the platform's status code and message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Manifest:
    """The members by type that a package.xml or a destructive manifest lists."""

    types: dict[str, list[str]] = field(default_factory=dict)
    version: str = ""
    _folded: dict[str, frozenset[str]] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        """Fold the names once: large manifests are asked thousands of times."""
        for kind, members in self.types.items():
            self._folded[kind] = frozenset(name.rstrip("/").lower() for name in members)

    def lists(self, kind: str, name: str) -> bool:
        """Say whether the manifest names the member or all of its type."""
        members = self._folded.get(kind, frozenset())
        return "*" in members or name.lower() in members


@dataclass(frozen=True, slots=True)
class Package:
    """One package directory of a zip: its files without the prefix, and its manifests' bytes."""

    prefix: str
    files: dict[str, bytes]
    manifests: dict[str, bytes]


def unzip(content: bytes) -> dict[str, bytes]:
    """Return the files of a zip by path; BadArchive over the limits or when it is none."""
    if len(content) > MAX_ZIP:
        raise BadArchive(
            "LIMIT_EXCEEDED",
            "Maximum size of request reached. Maximum size of request is 52428800 bytes.",
        )
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            if len(entries) > MAX_FILES:
                raise BadArchive("INVALID_OPERATION", "Too many files in zip")
            if sum(entry.file_size for entry in entries) > MAX_UNZIPPED:
                raise BadArchive("LIMIT_EXCEEDED", "The unzipped files exceed 600 MB")
            return {_path(entry): archive.read(entry) for entry in entries}
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise BadArchive("INVALID_OPERATION", f"Unable to read zip: {error}") from error


def _path(entry: zipfile.ZipInfo) -> str:
    path = entry.filename.replace("\\", "/")
    if path.startswith("/") or ".." in path.split("/"):
        raise BadArchive("INVALID_OPERATION", f"Illegal path in zip: {path}")
    return path


def packages(files: dict[str, bytes], *, single: bool) -> list[Package]:
    """Find the package directories: the root, or with single=False every top directory."""
    if MANIFEST in files:
        return [_package(files, "")]
    tops = sorted({path.split("/", 1)[0] + "/" for path in files if "/" in path})
    with_manifest = [top for top in tops if top + MANIFEST in files]
    if single and len(with_manifest) > 1:
        with_manifest = with_manifest[:1]
    return [_package(files, top) for top in with_manifest]


def _package(files: dict[str, bytes], prefix: str) -> Package:
    own = {path[len(prefix) :]: data for path, data in files.items() if path.startswith(prefix)}
    names = (MANIFEST, *DESTRUCTIVE)
    return Package(
        prefix,
        {path: data for path, data in own.items() if path not in names},
        {path: data for path, data in own.items() if path in names},
    )


def read_manifest(content: bytes) -> Manifest:
    """Parse a manifest; xmltree.NotWellFormed when it is no XML."""
    return manifest_of(xmltree.parse(content))


def manifest_of(root: Element) -> Manifest:
    """Read a manifest's element, whatever its namespace."""
    found: dict[str, list[str]] = {}
    for entry in root.all("types"):
        members = [member.text.strip() for member in entry.all("members") if member.text.strip()]
        found.setdefault(entry.value("name"), []).extend(members)
    return Manifest(found, root.value("version"))


def write_manifest(types: dict[str, list[str]], version: str, package: str = "") -> bytes:
    """Write a package.xml with types and members in order, that of a package with its name."""
    children = [Element("fullName", text=package)] if package else []
    for kind in sorted(types):
        members = [Element("members", text=name) for name in sorted(set(types[kind]))]
        children.append(Element("types", children=[*members, Element("name", text=kind)]))
    children.append(Element("version", text=version))
    return xmltree.document("Package", children)


def zip_files(files: dict[str, bytes]) -> bytes:
    """Write files as a zip; the same files give the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(files):
            entry = zipfile.ZipInfo(path, _ZIP_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, files[path])
    return buffer.getvalue()
