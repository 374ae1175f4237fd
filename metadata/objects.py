"""Read a repository's objects as streams: trees by ``ls-tree``, contents by ``cat-file``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO

from core.errors import ExternalFault, InvalidInput
from metadata.runner import Runner, feed

MAX_FILES = 200_000
"""A tree with more files is refused: the platform takes 10,000 files in one deployment."""

MAX_BLOB_BYTES = 64 * 1024**2
"""No file of a package can be larger: the whole zip may have 39 MB."""

LINK, SUBMODULE = "120000", "160000"


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """One entry of a tree: octal mode, object id, bytes (0 for a submodule or a lost object)."""

    mode: str
    blob: str
    size: int


def tree(run: Runner, sha: str, paths: Sequence[str] = ()) -> dict[str, TreeEntry]:
    """Every entry of a commit below ``paths``, by path, links and submodules included.

    Bytes that are not UTF-8 stay in the path as surrogates; they are refused where the path is
    used. Raises InvalidInput ``git.too_many_files`` beyond ``MAX_FILES``, after that many records.
    """
    found: dict[str, TreeEntry] = {}
    command = ["--literal-pathspecs", "ls-tree", "-r", "-z", "-l", "--full-tree", sha]
    with run.process(*command, *(["--", *paths] if paths else [])) as process:
        for record in _records(process.stdout):
            head, path = record.split(b"\t", 1)
            mode, _kind, blob, size = head.decode("ascii").split()
            found[path.decode("utf-8", "surrogateescape")] = TreeEntry(
                mode, blob, int(size) if size.isdigit() else 0
            )
            if len(found) > MAX_FILES:
                raise InvalidInput(
                    "git.too_many_files",
                    f"The commit holds more than {MAX_FILES:,} files; "
                    "a repository of Salesforce metadata has far fewer.",
                )
    return found


def contents(run: Runner, blobs: Sequence[str]) -> Iterator[bytes]:
    """Yield the contents of blobs in the order asked.

    Raises ExternalFault ``git.missing_object`` when the repository lacks one of them and
    InvalidInput ``git.file_too_large`` before reading one above ``MAX_BLOB_BYTES``.
    """
    if not blobs:
        return
    given = "".join(f"{blob}\n" for blob in blobs).encode("ascii")
    with run.process("cat-file", "--batch", "--buffer", stdin=True) as process:
        stdout = process.stdout
        feeder = feed(process, given)
        for blob in blobs:
            size = _size(stdout.readline(), blob)
            yield stdout.read(size)
            stdout.read(1)
        feeder.join()


def _size(head: bytes, blob: str) -> int:
    fields = head.split()
    if len(fields) != 3:
        raise ExternalFault(
            "git.missing_object",
            f"The repository lacks the object {blob[:12]} that its tree names.",
            retryable=False,
        )
    size = int(fields[2])
    if size > MAX_BLOB_BYTES:
        raise InvalidInput(
            "git.file_too_large",
            f"A file has {size // 1024**2:,} MB; the limit is {MAX_BLOB_BYTES // 1024**2} MB.",
        )
    return size


def _records(stream: IO[bytes]) -> Iterator[bytes]:
    """Split a stream at NUL without holding all of it."""
    rest = b""
    while chunk := stream.read(1 << 16):
        *whole, rest = (rest + chunk).split(b"\0")
        yield from whole
