"""The normal form: one entry per component, whatever layout its repository has.

Whole components keep their metadata-format files (``classes/Foo.cls``); children of custom objects,
labels, workflows and the like are entries of their own. XML is canonical (``metadata.xml``), every
other content is byte for byte the team's.

A component's digest is over what the platform keeps of it: line ends and blanks at the end of Apex
do not count, since an org gives them back changed, nor does the id that each org puts into a layout
by itself, and an archive counts by the files in it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import quote, unquote

from core.errors import InvalidInput
from metadata.components import ComponentKey

Files = dict[str, bytes]
CHILD = ""
"""Path of the single file of a child entry."""

APEX = frozenset({"ApexClass", "ApexTrigger", "ApexPage", "ApexComponent"})
OWN_ID = re.compile(
    rb"(<summaryLayout>\s*<masterLabel>)00h[0-9A-Za-z]{12}(?:[0-9A-Za-z]{3})?(</masterLabel>)"
)
"""What an org puts into a layout is its own id of it, another one in every org."""

MAX_ARCHIVE = 100_000_000
"""Archives that would unpack to more bytes are compared as they are."""

_ARCHIVE, _FILE = b"archive\0", b"file\0"
"""What an archive counts as begins with the first, which no plain file then does."""

_BOM = b"\xef\xbb\xbf"
_SAFE = " -_()!'@+,="


class NormalForm(Mapping[ComponentKey, Files]):
    """Components with their files; equal contents give equal digests."""

    def __init__(self, entries: Mapping[ComponentKey, Files]) -> None:
        self._entries = {key: dict(sorted(entries[key].items())) for key in sorted(entries)}
        self._digests: dict[ComponentKey, str] = {}

    def __getitem__(self, key: ComponentKey) -> Files:
        return self._entries[key]

    def __iter__(self) -> Iterator[ComponentKey]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def component_digests(self) -> dict[ComponentKey, str]:
        """SHA-256 (64 hex characters) of each component."""
        return {key: self.component_digest(key) for key in self._entries}

    def component_digest(self, key: ComponentKey) -> str:
        """SHA-256 (64 hex characters) of one component; KeyError when it is absent."""
        found = self._digests.get(key)
        if found is None:
            found = self._digests[key] = digest_of(key, self._entries[key])
        return found

    def digest(self, keys: Iterable[ComponentKey] | None = None) -> str:
        """``sha256:…`` over all components or the named ones; an absent one counts as absent."""
        wanted = self._entries if keys is None else sorted(set(keys))
        from core.digests import listing_digest  # many other things that one delta can do without

        absent = digest_of(ComponentKey("", ""), {})
        return listing_digest(
            (str(key), 0, self.component_digest(key) if key in self._entries else absent)
            for key in wanted
        )

    def only(self, keys: Iterable[ComponentKey]) -> NormalForm:
        """The part of this form that the keys name."""
        return NormalForm({key: self._entries[key] for key in keys if key in self._entries})

    def files(self) -> Files:
        """Paths of a Git tree, one folder per type, with their contents."""
        tree: Files = {}
        for key, files in self._entries.items():
            folder = f"{key.type}/{escaped(key.name)}"
            for path, content in files.items():
                tree[f"{folder}.xml" if path == CHILD else f"{folder}/{path}"] = content
        return tree

    @classmethod
    def from_files(cls, tree: Mapping[str, bytes]) -> NormalForm:
        """Read back what ``files`` wrote; raises InvalidInput ``metadata.not_a_form``."""
        entries: dict[ComponentKey, Files] = {}
        for path, content in tree.items():
            type_name, slash, rest = path.partition("/")
            name, deeper, inner = rest.partition("/")
            if not slash or (not deeper and not name.endswith(".xml")):
                raise InvalidInput(
                    "metadata.not_a_form", f"{path} is no file of a normal form's tree.", path=path
                )
            if deeper:
                entries.setdefault(ComponentKey(type_name, unquote(name)), {})[inner] = content
            else:
                key = ComponentKey(type_name, unquote(name.removesuffix(".xml")))
                entries.setdefault(key, {})[CHILD] = content
        return cls(entries)


def escaped(name: str) -> str:
    """A full name as one path segment: no separator, and no name that means a directory."""
    text = quote(name, safe=_SAFE)
    return text.replace(".", "%2E", 1) if text.startswith(".") else text


def digest_of(key: ComponentKey, files: Mapping[str, bytes]) -> str:
    """SHA-256 (64 hex characters) of one component's files."""
    whole = hashlib.sha256()
    for path in sorted(files):
        kept = what_counts(key, path, files[path])
        whole.update(f"{path}\0{len(kept)}\0".encode())
        whole.update(hashlib.sha256(kept).digest())
    return whole.hexdigest()


def what_counts(key: ComponentKey, path: str, content: bytes) -> bytes:
    """The part of a file's content that makes it this content and not another."""
    if key.type in APEX and not path.endswith("-meta.xml"):
        return content.removeprefix(_BOM).replace(b"\r\n", b"\n").rstrip()
    if key.type == "StaticResource":
        return _archive(content) if content[:4] == b"PK\x03\x04" else _plain(content)
    if key.type == "Layout":
        return OWN_ID.sub(rb"\1\2", content)
    return content


def _archive(content: bytes) -> bytes:
    from metadata import zips  # brings compression, which most components do not need

    try:
        held = zips.read(content, MAX_ARCHIVE)
    except InvalidInput:
        return content
    lines = (f"{path}\0{hashlib.sha256(held[path]).hexdigest()}\n" for path in sorted(held))
    return _ARCHIVE + "".join(lines).encode()


def _plain(content: bytes) -> bytes:
    """A file that is no archive; one that reads as an archive counts stays another one."""
    return _FILE + content if content.startswith((_ARCHIVE, _FILE)) else content
