"""Zip files: written the same way every time, read with bounds.

Only a file's path and content go in: no directories, no owner, one fixed time, byte order of path.
The bytes still depend on the zlib build that compresses them, so a package is identified by its
listing and never by its zip.
"""

from __future__ import annotations

import io
import stat
import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from queue import SimpleQueue
from typing import TYPE_CHECKING, NamedTuple

from core.errors import InvalidInput
from metadata import huffman
from metadata.later import Later

if TYPE_CHECKING:
    import zipfile

MAX_FILES = 10_000
MAX_ZIP = 39_000_000
MAX_UNZIPPED = 629_145_600
"""The platform's limits for one deployment or retrieve (Metadata API guide, release 262)."""

MAX_RESOURCE = 5_000_000
"""A static resource may have 5 MB."""

MAX_PATH = 400
LEVEL = 3
"""As the official converter compresses: a third less time than usual for 6 % more bytes."""

PLAIN_FILES = 65_535
FIRST_DAY = (1 << 5) | 1
"""1 January 1980, at midnight: the earliest moment that a zip can name."""

_UTF8, _UNIX = 0x800, 3 << 8
_AS_IT_IS, _DEFLATED = 0, 8
_STORED = (
    ".png", ".jpg", ".jpeg", ".gif", ".webp", ".woff", ".woff2", ".zip", ".jar", ".mp4", ".pdf",
)  # fmt: skip
_ARCHIVE = b"PK\x03\x04"


def write(files: Mapping[str, bytes], level: int = LEVEL) -> bytes:
    """Zip files; what is compressed already is stored, and with level 0 everything is.

    Raises InvalidInput ``package.too_large`` for more files than a plain zip can list.
    """
    check(len(files), 0, 0, files_limit=PLAIN_FILES)
    return Packing(level).write(files)


class Packing:
    """Compresses in a second thread what it is given, while the caller goes on making files."""

    def __init__(self, level: int = LEVEL) -> None:
        self._level = level
        self._given: SimpleQueue[bytes | None] = SimpleQueue()
        self._known: dict[int, bytes] = {}
        self._packed: dict[int, bytes] = {}
        self._other = Later(self._work)

    def add(self, path: str, content: bytes) -> None:
        """Take the content of a file that the zip will probably hold."""
        if self._level and id(content) not in self._known and not _packed(path, content):
            self._known[id(content)] = content  # kept, so that no other content gets its id
            self._given.put(content)

    def write(self, files: Mapping[str, bytes]) -> bytes:
        """The zip; what was not given before is compressed now, by both threads. Once only."""
        for name, content in files.items():
            self.add(name, content)
        self._given.put(None)
        self._given.put(None)  # one for each thread
        self._work()
        self._other.result()
        return _assembled(
            [self._entry(name, files[name]) for name in sorted(files, key=str.encode)]
        )

    def _work(self) -> None:
        while (content := self._given.get()) is not None:
            self._packed[id(content)] = zlib.compress(content, self._level, -15)

    def _entry(self, name: str, content: bytes) -> Entry:
        if _packed(name, content) or not self._level:
            return _stored(name, content)
        packed = self._packed[id(content)]
        return _stored(name, content)._replace(method=_DEFLATED, packed=packed)


class Entry(NamedTuple):
    """One file of a zip, ready to be written."""

    name: bytes
    method: int
    checksum: int
    size: int
    packed: bytes


def _stored(name: str, content: bytes) -> Entry:
    return Entry(name.encode("utf-8"), _AS_IT_IS, zlib.crc32(content), len(content), content)


def _assembled(entries: Sequence[Entry]) -> bytes:
    """Local entries, the directory of them, and the end, as the format wants them."""
    parts: list[bytes] = []
    directory: list[bytes] = []
    at = 0
    for entry in entries:
        flags = 0 if entry.name.isascii() else _UTF8
        told = struct.pack(
            "<5H3L2H", 20, flags, entry.method, 0, FIRST_DAY, entry.checksum,
            len(entry.packed), entry.size, len(entry.name), 0,
        )  # fmt: skip
        directory += [b"PK\x01\x02", struct.pack("<H", _UNIX | 20), told]
        directory += [struct.pack("<3H2L", 0, 0, 0, 0o644 << 16, at), entry.name]
        parts += [_ARCHIVE, told, entry.name, entry.packed]
        at += 30 + len(entry.name) + len(entry.packed)
    listed = b"".join(directory)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, *[len(entries)] * 2, len(listed), at, 0)
    return b"".join([*parts, listed, end])


def archive(files: Mapping[str, bytes]) -> bytes:
    """Zip files so that every machine makes the same bytes, whatever zlib it has.

    Compressed bytes differ between zlib builds, and the archive's own hash is part of an identity.
    So files are stored; where that would pass the platform's limit for one resource, the largest
    are compressed by ``huffman``, and only where that is not enough by zlib, if it is one that
    makes the usual bytes. Raises InvalidInput ``package.zlib_differs``.
    """
    names = sorted(files, key=str.encode)
    entries = {name: _stored(name, files[name]) for name in names}
    size = sum(len(entry.packed) + len(entry.name) * 2 + 100 for entry in entries.values())
    for name in sorted(names, key=lambda own: (-len(files[own]), own)):
        if size <= MAX_RESOURCE:
            break
        if _packed(name, files[name]):
            continue
        packed = huffman.deflate(files[name])
        if len(packed) < len(files[name]):
            size -= len(files[name]) - len(packed)
            entries[name] = entries[name]._replace(method=_DEFLATED, packed=packed)
    if size > MAX_RESOURCE:
        if not huffman.searches_as_known():
            raise InvalidInput(
                "package.zlib_differs",
                f"A static resource of {len(files):,} files ({names[0]} is one) fits Salesforce's "
                "5 MB only when zlib compresses it, and this machine's zlib makes other bytes than "
                "zlib 1.2 and 1.3 do. Commit it as one zip file, or build where zlib is the usual.",
            )
        return write(files, 6)
    check(len(files), 0, 0, files_limit=PLAIN_FILES)
    return _assembled([entries[name] for name in names])


def _packed(path: str, content: bytes) -> bool:
    """Whether compressing again would be a waste; an archive of ours is stored and worth it."""
    if content[:4] == _ARCHIVE:
        return content[8:10] != b"\0\0"
    return path.lower().endswith(_STORED)


def read(content: bytes, limit: int | None = None) -> dict[str, bytes]:
    """Files of a zip by path, within the platform's limits or a lower one of unpacked bytes.

    What the zip declares is checked before anything is unpacked, and again while unpacking, since
    it may lie. Raises InvalidInput ``package.not_a_zip``, ``package.unsafe_path``,
    ``package.too_large``.
    """
    check(0, 0, len(content))
    with opened(content) as source:
        entries = [entry for entry in source.infolist() if not entry.is_dir()]
        check(len(entries), sum(entry.file_size for entry in entries), 0, limit)
        return _unpacked(source, entries, MAX_UNZIPPED if limit is None else limit)


@contextmanager
def opened(content: bytes) -> Iterator[zipfile.ZipFile]:
    """A zip to read; whatever its bytes make the library raise is a refusal.

    Memory holds it whole, so no fault of a disk can hide behind it. Raises InvalidInput
    ``package.not_a_zip``.
    """
    import zipfile  # for reading alone; what only writes zips is done sooner without

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as source:
            _refuse_lost_files(content, source.infolist())
            yield source
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as fault:
        raise InvalidInput("package.not_a_zip", f"The zip cannot be read: {fault}.") from None
    except (ValueError, OverflowError, IndexError, zlib.error) as fault:
        raise InvalidInput("package.not_a_zip", f"The zip is damaged: {fault}.") from None


def _refuse_lost_files(content: bytes, entries: Sequence[zipfile.ZipInfo]) -> None:
    """A damaged list of files ends early without a word, or takes a file for a directory."""
    if any(entry.file_size and entry.is_dir() for entry in entries):
        raise InvalidInput("package.not_a_zip", "The zip is damaged: a directory has content.")
    end = content.rfind(b"PK\x05\x06")
    [told] = struct.unpack_from("<H", content, end + 10)
    if told not in (len(entries), PLAIN_FILES):  # of more files the number stands elsewhere
        raise InvalidInput(
            "package.not_a_zip", f"The zip is damaged: it names {len(entries)} of {told} files."
        )


def _unpacked(
    source: zipfile.ZipFile, entries: list[zipfile.ZipInfo], limit: int
) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    left = limit
    for entry in entries:
        safe_path(entry.filename)
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise InvalidInput(
                "package.unsafe_path", f"The zip holds a symbolic link: {entry.filename!r}."
            )
        if entry.filename in files:
            raise InvalidInput("package.not_a_zip", f"The zip names {entry.filename!r} twice.")
        content = unpacked(source, entry)
        left -= len(content)
        if left < 0:
            check(0, limit + 1, 0, limit)
        files[entry.filename] = content
    return files


def unpacked(source: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """One file of a zip, never more of it than the zip says: a longer one is damaged."""
    with source.open(entry) as stream:
        return stream.read(entry.file_size + 1)


def safe_path(path: str) -> None:
    """Refuse a path that could leave its directory or that no repository would hold."""
    parts = path.split("/")
    bad = any(part in ("", ".", "..") for part in parts) or len(path) > MAX_PATH
    if bad or "\\" in path or any(ord(sign) < 32 for sign in path):
        raise InvalidInput("package.unsafe_path", f"The zip holds an unsafe path: {path[:120]!r}.")


def check(
    files: int, unzipped: int, zipped: int, limit: int | None = None, files_limit: int | None = None
) -> None:
    """Hold the platform's limits; raises InvalidInput ``package.too_large`` with the figures."""
    for value, most, unit in (
        (files, MAX_FILES if files_limit is None else files_limit, "files"),
        (unzipped, MAX_UNZIPPED if limit is None else limit, "bytes unzipped"),
        (zipped, MAX_ZIP, "bytes as a zip"),
    ):
        if value > most:
            raise InvalidInput(
                "package.too_large",
                f"The package has {value:,} {unit}; Salesforce takes at most {most:,}. "
                "Split the release or take large files out.",
            )
