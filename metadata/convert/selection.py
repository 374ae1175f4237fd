"""Pick the files of a commit that are metadata, and read them safely."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Mapping, Sequence

from core.errors import InvalidInput
from metadata.convert import ignore
from metadata.mirrors import Mirror
from metadata.objects import LINK, SUBMODULE, TreeEntry
from metadata.projects import Layout, Read

MAX_BYTES = 629_145_600
"""More can never be deployed at once (600 MB unzipped)."""

_UNUSABLE = re.compile("[\x00-\x1f\\\\\udc80-\udcff]")
_LFS = b"version https://git-lfs.github.com/spec/"


def paths(
    tree: Mapping[str, TreeEntry], layout: Layout, directories: Sequence[str], read: Read
) -> list[str]:
    """Paths below the package directories that no ``.forceignore`` takes out, sorted.

    Raises InvalidInput ``metadata.link`` for a link or submodule among them, ``metadata.path`` for
    a name that is not UTF-8 or has control characters, ``metadata.too_large``, and
    ``metadata.no_directory`` for a package directory without files.
    """
    chosen: dict[str, TreeEntry] = {}
    for directory in directories:
        prefix = f"{directory}/" if directory else ""
        own = {path: entry for path, entry in tree.items() if path.startswith(prefix)}
        if layout.name == "source":
            ignored = _ignored(directory, tree, read)
            own = {path: entry for path, entry in own.items() if not ignored(path)}
        chosen |= own
    for path in sorted(chosen):
        _check_path(path, chosen[path])
    total = sum(entry.size for entry in chosen.values())
    if total > MAX_BYTES:
        raise InvalidInput(
            "metadata.too_large",
            f"The package directories hold {total // 1024**2:,} MB; "
            f"Salesforce takes {MAX_BYTES // 1024**2} MB in one deployment.",
        )
    return sorted(chosen)


def _ignored(directory: str, tree: Mapping[str, TreeEntry], read: Read) -> ignore.Ignored:
    found = ignore.nearest(directory, tree)
    if found is None or tree[found].mode in (LINK, SUBMODULE):
        return ignore.nothing
    return ignore.rules(found, read(found))


def _check_path(path: str, entry: TreeEntry) -> None:
    if entry.mode in (LINK, SUBMODULE):
        kind = "symbolic link" if entry.mode == LINK else "submodule"
        raise InvalidInput(
            "metadata.link",
            f"{_shown(path)} is a {kind}; Gatehouse reads plain files only.",
            path=_shown(path),
        )
    if _UNUSABLE.search(path):
        raise InvalidInput(
            "metadata.path", f"The path {_shown(path)!r} is not usable: it is not plain UTF-8 text."
        )


def _shown(path: str) -> str:
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


class Reading:
    """Contents of files, read in a thread while the caller finds out what the files are."""

    def __init__(self, mirror: Mirror, blobs: Sequence[str]) -> None:
        self._contents: list[bytes] = []
        self._fault: BaseException | None = None
        self._thread = threading.Thread(target=self._run, args=(mirror, blobs), daemon=True)
        self._thread.start()

    def _run(self, mirror: Mirror, blobs: Sequence[str]) -> None:
        try:
            self._contents.extend(mirror.blobs(blobs))
        except BaseException as fault:  # noqa: BLE001 - handed to the caller's thread
            self._fault = fault

    def result(self) -> list[bytes]:
        """The contents in the order asked; raises what reading raised."""
        self._thread.join()
        if self._fault is not None:
            raise self._fault
        return self._contents


def refuse_pointers(contents: Iterable[tuple[str, bytes]]) -> None:
    """Refuse Git LFS pointers; deployed as they are they would replace the real content.

    Raises InvalidInput ``metadata.lfs`` naming the file.
    """
    for path, content in contents:
        if content.startswith(_LFS) and len(content) < 1024:
            raise InvalidInput(
                "metadata.lfs",
                f"{path} is a Git LFS pointer, not the file; Gatehouse reads plain files only.",
                path=path,
            )
