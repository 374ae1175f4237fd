"""The zip of a pack: files are streamed into it and digested on the way, then listed and signed.

Memory stays flat however long a file is. Names, order and time stamps inside the zip are fixed, so
that equal contents give equal bytes. CSV rows keep a short digest each, so that a reader is told
which row was changed and not only which file.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import IO, Any, Final, Self

from core import csvfile
from core.digests import canonical_json

ROW_DIGITS: Final = 16
EPOCH: Final = (1980, 1, 1, 0, 0, 0)
MODE: Final = 0o644


@dataclass(slots=True)
class Entry:
    """One file of the pack as the manifest lists it."""

    path: str
    sha256: str = ""
    size: int = 0
    rows: int | None = None
    row_digests: list[str] | None = None

    def listed(self) -> dict[str, Any]:
        """The entry as JSON; what a file does not have is left out."""
        found: dict[str, Any] = {"path": self.path, "sha256": self.sha256, "size": self.size}
        if self.rows is not None:
            found["rows"] = self.rows
        if self.row_digests is not None:
            found["row_digests"] = self.row_digests
        return found


@dataclass(slots=True)
class Archive:
    """A zip under construction; ``folder`` is the one directory that it unpacks into."""

    target: IO[bytes]
    folder: str
    entries: list[Entry] = field(default_factory=list)
    _zip: zipfile.ZipFile = field(init=False)

    def __post_init__(self) -> None:
        self._zip = zipfile.ZipFile(self.target, "w", zipfile.ZIP_DEFLATED, allowZip64=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        """Write the zip's directory; nothing may be added afterwards."""
        self._zip.close()

    def chunks(self, path: str, content: Iterable[bytes], *, listed: bool = True) -> Entry:
        """Add a file from pieces."""
        member = zipfile.ZipInfo(f"{self.folder}/{path}", EPOCH)
        member.compress_type = zipfile.ZIP_DEFLATED
        member.external_attr = MODE << 16
        entry, digest = Entry(path), hashlib.sha256()
        with self._zip.open(member, "w", force_zip64=True) as opened:
            for piece in content:
                opened.write(piece)
                digest.update(piece)
                entry.size += len(piece)
        entry.sha256 = digest.hexdigest()
        if listed:
            self.entries.append(entry)
        return entry

    def text(self, path: str, content: str) -> Entry:
        """Add a text file."""
        return self.chunks(path, [content.encode("utf-8")])

    def document(self, path: str, value: Any) -> Entry:
        """Add a JSON file that people can read, its keys in the order given."""
        return self.chunks(path, [readable_json(value)])

    def lines(self, path: str, values: Iterable[Any]) -> Entry:
        """Add a file of canonical JSON, one value a line."""
        entry = Entry(path)

        def pieces() -> Iterator[bytes]:
            entry.rows = 0
            for value in values:
                entry.rows += 1
                yield canonical_json(value) + b"\n"

        written = self.chunks(path, pieces())
        written.rows = entry.rows
        return written

    def table(self, path: str, head: Iterable[str], rows: Iterable[Iterable[object]]) -> Entry:
        """Add a CSV file whose cells no spreadsheet takes for formulas."""
        return self.table_lines(path, csvfile.lines(head, rows))

    def table_lines(self, path: str, lines: Iterable[str]) -> Entry:
        """Add a CSV file from its lines, the head first."""
        digests: list[str] = []

        def pieces() -> Iterator[bytes]:
            for line in lines:
                piece = line.encode("utf-8")
                digests.append(hashlib.sha256(piece).hexdigest()[:ROW_DIGITS])
                yield piece

        entry = self.chunks(path, pieces())
        entry.rows, entry.row_digests = max(0, len(digests) - 1), digests
        return entry

    def listing(self) -> list[dict[str, Any]]:
        """Every file so far, by path."""
        return [entry.listed() for entry in sorted(self.entries, key=lambda entry: entry.path)]


def readable_json(value: Any) -> bytes:
    """JSON with indents, in the order given; moments and such must be text already."""
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8") + b"\n"
