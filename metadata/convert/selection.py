"""Pick the files of a commit that are metadata, and read them safely."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from core.errors import InvalidInput
from metadata.convert import ignore
from metadata.later import Later
from metadata.objects import LINK, SUBMODULE, TreeEntry
from metadata.projects import Layout
from metadata.repository import Repository
from metadata.search import Listing

MAX_BYTES = 629_145_600
"""More can never be deployed at once (600 MB unzipped)."""

_SIGNS = bytes(range(32)) + b"\\"
_UNUSABLE = "[\x00-\x09\x0b-\x1f\\\\\udc80-\udcff]"
_LFS = b"version https://git-lfs.github.com/spec/"


class Part(NamedTuple):
    """One package directory with the ``.forceignore`` that counts for it, where it has one."""

    prefix: str
    ignored: tuple[str, bytes] | None

    def keeps(self, path: str) -> bool:
        """Whether it chooses a path."""
        out = self.ignored is not None and ignore.rules(*self.ignored).ignores(path)
        return path.startswith(self.prefix) and not out

    def out(self, listing: Listing) -> set[str]:
        """The paths of a listing that it does not choose."""
        out = ignore.rules(*self.ignored).out(listing) if self.ignored else set()
        return out | listing.outside(self.prefix)


class Selection(NamedTuple):
    """Which paths of a commit are metadata; two equal ones choose the same paths."""

    parts: tuple[Part, ...]

    def kept(self, paths: Collection[str]) -> list[str]:
        """The paths below the package directories that no ``.forceignore`` takes out."""
        out = self.out(Listing(paths))
        return [path for path in paths if path not in out]

    def keeps(self, path: str) -> bool:
        """Whether a path is one of these."""
        return any(part.keeps(path) for part in self.parts)

    def out(self, listing: Listing) -> set[str]:
        """The other paths of a listing."""
        first, *others = (part.out(listing) for part in self.parts)
        return first.intersection(*others)


def selection(layout: Layout, directories: Sequence[str], find: ignore.Find) -> Selection:
    """What a commit's layout chooses; ``find`` reads one of its plain files."""
    return Selection(
        tuple(
            Part(
                f"{directory}/" if directory else "",
                ignore.nearest(directory, find) if layout.name == "source" else None,
            )
            for directory in directories
        )
    )


def directories_of(layout: Layout, asked: Sequence[str]) -> Sequence[str]:
    """The package directories to look at: all, or the asked ones among them.

    Raises InvalidInput ``metadata.no_directory``.
    """
    if not asked:
        return layout.directories
    clean = [directory.strip("/").removeprefix("./") for directory in asked]
    known = layout.directories
    for directory in clean:
        if not any(
            directory == own or directory.startswith(f"{own}/") or own == "" for own in known
        ):
            raise InvalidInput(
                "metadata.no_directory",
                f"“{directory}” is not one of the project's package directories "
                f"({', '.join(own or '.' for own in known)}).",
            )
    return clean


def lacking(directories: Sequence[str], paths: Collection[str]) -> list[str]:
    """A sentence for each package directory of which the commit holds no file.

    Raises InvalidInput ``metadata.no_directory`` when it holds none of any: a mistyped name would
    make an empty package, and a delta against it would delete everything.
    """
    lost = [
        directory
        for directory in directories
        if directory and not any(path.startswith(f"{directory}/") for path in paths)
    ]
    if lost and len(lost) == len(directories):
        raise InvalidInput(
            "metadata.no_directory",
            f"The commit has no file in the project's package directories ({', '.join(lost)}).",
        )
    return [f"The commit has no file in the package directory {directory}." for directory in lost]


def check(modes: Mapping[str, str]) -> None:
    """Refuse what cannot be read as a plain file; ``modes`` are octal, by path.

    Raises InvalidInput ``metadata.link`` for a link or submodule, ``metadata.path`` for a name that
    is not UTF-8 or has control characters.
    """
    if not {LINK, SUBMODULE}.isdisjoint(modes.values()) or not usable(modes):
        for path in sorted(modes):
            _check_path(path, modes[path])


def usable(paths: Collection[str]) -> bool:
    """Whether all paths are plain UTF-8 text in one line."""
    raw = "\n".join(paths).encode("utf-8", "backslashreplace")
    return len(raw) - len(raw.translate(None, _SIGNS)) == max(len(paths), 1) - 1


def _check_path(path: str, mode: str) -> None:
    if mode in (LINK, SUBMODULE):
        kind = "symbolic link" if mode == LINK else "submodule"
        raise InvalidInput(
            "metadata.link",
            f"{_shown(path)} is a {kind}; Gatehouse reads plain files only.",
            path=_shown(path),
        )
    if re.search(_UNUSABLE, path) or "\n" in path:
        raise InvalidInput(
            "metadata.path", f"The path {_shown(path)!r} is not usable: it is not plain UTF-8 text."
        )


def _shown(path: str) -> str:
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def reading(
    repository: Repository, entries: Sequence[tuple[str, TreeEntry]]
) -> Later[dict[str, bytes]]:
    """What ``contents`` yields, by path, read in a thread while the caller does something else."""

    def read() -> dict[str, bytes]:
        found = dict(contents(repository, entries))
        return {path: found[path] for path, _entry in entries}

    return Later(read)


def contents(
    repository: Repository, entries: Sequence[tuple[str, TreeEntry]]
) -> Iterator[tuple[str, bytes]]:
    """Yield paths with their contents as git hands them over, what several share only once.

    Raises InvalidInput ``metadata.too_large`` as soon as the files are more than Salesforce takes,
    and ``metadata.lfs`` for a Git LFS pointer, which would replace the real content.
    """
    paths: dict[str, list[str]] = {}
    for path, entry in entries:
        paths.setdefault(entry[1], []).append(path)
    left = MAX_BYTES
    for own, content in zip(paths.values(), repository.blobs(paths), strict=True):
        left -= len(content) * len(own)
        if left < 0:
            raise InvalidInput(
                "metadata.too_large",
                f"The package directories hold more than {MAX_BYTES // 1024**2} MB, which is "
                "what Salesforce takes in one deployment.",
            )
        if len(content) < 1024 and content.startswith(_LFS):
            raise InvalidInput(
                "metadata.lfs",
                f"{own[0]} is a Git LFS pointer, not the file; Gatehouse reads plain files only.",
                path=own[0],
            )
        for path in own:
            yield path, content
