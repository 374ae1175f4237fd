"""The content-addressed store: bytes under the name of their SHA-256.

Anything large lives here: artefact zips, snapshots, long logs. A blob is written once, never
changed, and hashed again whenever it is read, so a flipped bit on the disk is found before the
bytes are used.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from pathlib import Path
from typing import IO

from django.core.exceptions import SuspiciousFileOperation
from django.core.files.base import ContentFile, File
from django.core.files.storage import Storage, storages
from django.utils.deconstruct import deconstructible

from core.errors import ExternalFault

BLOCK = 1 << 20
HEXSHA = re.compile(r"[0-9a-f]{64}")


def put(content: bytes) -> str:
    """Store bytes and return their SHA-256 in hex; storing the same bytes again is free."""
    hexsha = hashlib.sha256(content).hexdigest()
    store = storages["blobs"]
    if not store.exists(hexsha):
        store.save(hexsha, ContentFile(content))
    return hexsha


def put_file(opened: IO[bytes]) -> str:
    """Store a file that may be larger than memory and return its SHA-256 in hex."""
    opened.seek(0)
    hexsha = _hash(opened)
    store = storages["blobs"]
    if not store.exists(hexsha):
        opened.seek(0)
        store.save(hexsha, File(opened))
    return hexsha


def open_file(hexsha: str) -> File[bytes]:
    """Open a blob that may be larger than memory, after its bytes were hashed again.

    Raises ExternalFault like ``get``.
    """
    if not HEXSHA.fullmatch(hexsha):
        raise ValueError("a blob is named by 64 lower-case hex digits")
    try:
        stored: File[bytes] = storages["blobs"].open(hexsha, "rb")
    except FileNotFoundError as error:
        raise _missing(hexsha) from error
    if _hash(stored) != hexsha:
        stored.close()
        raise _corrupt(hexsha)
    stored.seek(0)
    return stored


def get(hexsha: str) -> bytes:
    """Return the bytes of a blob.

    Raises ExternalFault ``blob.missing`` when the store has none of that name, ``blob.corrupt``
    when the bytes no longer match their name.
    """
    if not HEXSHA.fullmatch(hexsha):
        raise ValueError("a blob is named by 64 lower-case hex digits")
    try:
        with storages["blobs"].open(hexsha, "rb") as stored:
            content: bytes = stored.read()
    except FileNotFoundError as error:
        raise _missing(hexsha) from error
    if hashlib.sha256(content).hexdigest() != hexsha:
        raise _corrupt(hexsha)
    return content


def _hash(opened: IO[bytes] | File[bytes]) -> str:
    total = hashlib.sha256()
    while block := opened.read(BLOCK):
        total.update(block)
    return total.hexdigest()


def _missing(hexsha: str) -> ExternalFault:
    return ExternalFault(
        "blob.missing",
        f"The stored file {hexsha[:7]} is missing from the blob store. "
        "Restore it from the backup of that store.",
        hexsha=hexsha,
    )


def _corrupt(hexsha: str) -> ExternalFault:
    return ExternalFault(
        "blob.corrupt",
        f"The stored file {hexsha[:7]} no longer matches its checksum and was not used. "
        "Restore it from the backup of the blob store.",
        hexsha=hexsha,
    )


@deconstructible
class BlobDirectory(Storage):
    """A directory as blob store: ``ab/abcdef…``, written under a temporary name, synced, renamed.

    A reader therefore sees a whole blob or none, also after a crash.
    """

    def __init__(self, location: str | os.PathLike[str]) -> None:
        self.location = Path(location)

    def _path(self, name: str) -> Path:
        if not HEXSHA.fullmatch(name):
            raise SuspiciousFileOperation(f"not the name of a blob: {name!r}")
        return self.location / name[:2] / name

    def exists(self, name: str) -> bool:
        """Tell whether the blob is stored."""
        return self._path(name).is_file()

    def size(self, name: str) -> int:
        """Return the size in bytes."""
        return self._path(name).stat().st_size

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        """Keep the name: it is the content's."""
        return name

    def _open(self, name: str, mode: str = "rb") -> File[bytes]:
        return File(self._path(name).open("rb"))

    def _save(self, name: str, content: File[bytes]) -> str:
        path = self._path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{name}.{secrets.token_hex(8)}")
        try:
            with temporary.open("xb") as target:
                for chunk in content.chunks():
                    target.write(chunk)
                _sync(target)
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        _sync_directory(path.parent)
        return name


def _sync(target: IO[bytes]) -> None:
    target.flush()
    os.fsync(target.fileno())


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
