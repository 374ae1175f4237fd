"""Read a repository's objects as streams: trees by ``ls-tree``, contents by ``cat-file``."""

from __future__ import annotations

import re
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import IO, NamedTuple

from core.errors import ExternalFault, InvalidInput
from metadata.later import Later
from metadata.runner import Runner, Running, feed
from metadata.search import Names
from metadata.spawned import ANSWERING, DIFFERING, LISTING, NAMES

MAX_FILES = 200_000
"""A tree with more files is refused: the platform takes 10,000 files in one deployment."""

SHORTEST = 40
"""A record has more bytes: the mode and the object id."""

MAX_BLOB_BYTES = 64 * 1024**2
"""No file of a package can be larger: the whole zip may have 39 MB."""

FEW = 300
"""More objects than these are asked of a process of their own, which works ahead."""

SESSION_SECONDS = 900.0
"""How long it may take to work with the answers of one process."""

TOGETHER = 8
"""So many of the few are asked for at once; all of them may be in memory together."""

LINK, SUBMODULE = "120000", "160000"
ABSENT = "000000"
_CHANGE_TEXT = ":([0-7]+) ([0-7]+) ([0-9a-f]+) ([0-9a-f]+) [^\0]+\0([^\0]+)\0"
_OF_COMMIT = f"([0-9a-f]{{40,64}})\0|{_CHANGE_TEXT}"


Told = tuple[str, str, bytes]
"""Object id, kind and content."""


class TreeEntry(NamedTuple):
    """One entry of a tree: octal mode and object id."""

    mode: str
    blob: str


class Tree(Mapping[str, TreeEntry]):
    """A commit's entries by path, kept as git prints them until one is looked at."""

    def __init__(self, printed: Mapping[str, str]) -> None:
        self.printed = printed

    def __getitem__(self, path: str) -> TreeEntry:
        mode, _type, blob = self.printed[path].split(" ")
        return TreeEntry(mode, blob)

    def __contains__(self, path: object) -> bool:
        return path in self.printed

    def __iter__(self) -> Iterator[str]:
        return iter(self.printed)

    def __len__(self) -> int:
        return len(self.printed)


class Change(NamedTuple):
    """One path that two commits hold differently; an object id is all zeros where it is absent."""

    old_mode: str
    new_mode: str
    old_blob: str
    new_blob: str
    path: str

    def printed(self) -> str:
        """What git prints before its path."""
        sign = "A" if self.old_mode == ABSENT else "D" if self.new_mode == ABSENT else "M"
        return f":{self.old_mode} {self.new_mode} {self.old_blob} {self.new_blob} {sign}"

    @property
    def old(self) -> TreeEntry | None:
        """What the older commit holds."""
        return None if self.old_mode == ABSENT else TreeEntry(self.old_mode, self.old_blob)

    @property
    def new(self) -> TreeEntry | None:
        """What the newer commit holds."""
        return None if self.new_mode == ABSENT else TreeEntry(self.new_mode, self.new_blob)


class Changes(Mapping[str, Change]):
    """What two commits hold differently, by path, kept as git prints it until one is looked at."""

    def __init__(self, printed: Mapping[str, str]) -> None:
        self.printed = printed

    def __getitem__(self, path: str) -> Change:
        return Change._make((*self.printed[path][1:-2].split(" "), path))

    def __contains__(self, path: object) -> bool:
        return path in self.printed

    def __iter__(self) -> Iterator[str]:
        return iter(self.printed)

    def __len__(self) -> int:
        return len(self.printed)

    def without(self, paths: Collection[str]) -> Changes:
        """The others."""
        if not paths:
            return self
        return Changes({path: told for path, told in self.printed.items() if path not in paths})

    def older(self) -> list[str]:
        """The paths that the older commit holds."""
        return [path for path, told in self.printed.items() if told[-1] != "A"]

    def gone(self) -> list[str]:
        """The paths that the newer commit lacks."""
        return [path for path, told in self.printed.items() if told[-1] == "D"]

    def by_sign(self) -> tuple[list[str], list[str], list[str]]:
        """The paths that both commits hold, those that came, and those that are gone."""
        signs: dict[str, list[str]] = {sign: [] for sign in "MTAD"}
        for path, told in self.printed.items():
            signs[told[-1]].append(path)
        return sorted(signs["M"] + signs["T"]), signs["A"], signs["D"]


def tree(run: Runner, sha: str, paths: Sequence[str] = ()) -> Tree:
    """Every entry of a commit below ``paths``, by path, links and submodules included.

    Bytes that are not UTF-8 stay in the path as surrogates; they are refused where the path is
    used. Raises InvalidInput ``git.too_many_files`` beyond ``MAX_FILES``, after that many records.
    """
    command = [*LISTING, sha, *(["--", *paths] if paths else [])]
    printed = _printed(run, command, 1)  # "100644 blob id", a tabulator, the path
    fields = printed.replace("\t", "\0").split("\0")
    if len(fields) != 2 * printed.count("\0") + 1:  # a path holds a tabulator itself
        records = (record.partition("\t") for record in printed.split("\0")[:-1])
        return Tree({path: told for told, _tab, path in records})
    return Tree(dict(zip(fields[1::2], fields[0:-1:2], strict=True)))


def names(run: Runner, sha: str) -> Names:
    """The path of every entry of a commit; raises as ``tree`` does."""
    return Names(_printed(run, [*NAMES, sha], 1))


def changes(run: Runner, old: str, new: str) -> Changes:
    """Every path whose content or kind differs between two commits; a rename is two of them.

    Raises InvalidInput ``git.too_many_files``.
    """
    fields = _printed(run, [*DIFFERING, old, new], 2).split(
        "\0"
    )  # ":100644 100644 old new M", path
    return Changes(dict(zip(fields[1::2], fields[0:-1:2], strict=True)))


class Comparison(NamedTuple):
    """Two commits by their full ids; git works out what they hold while this goes on."""

    old: str
    new: str
    newer: Later[Names] | Later[Tree]
    changes: Later[Changes]


def comparison(run: Runner, old: str, new: str, *, whole: bool = False) -> Comparison:
    """Start to compare two commits; ``whole`` where files that both hold alike will be read."""
    newer = Later(lambda: tree(run, new)) if whole else Later(lambda: names(run, new))
    return Comparison(old, new, newer, Later(lambda: changes(run, old, new)))


def many_changes(run: Runner, old: str, news: Sequence[str]) -> list[list[Change]]:
    """What ``changes`` says of one commit and each of several others, by one git process."""
    command = ["diff-tree", "--stdin", "-r", "-z", "--raw", "--no-renames"]
    given = "".join(f"{new} {old}\n" for new in news).encode("ascii")  # as if it were its parent
    printed = _printed(run, command, 2 * len(news), given)
    found: dict[str, list[Change]] = {new: [] for new in news}
    for commit, *fields in re.findall(_OF_COMMIT, printed):
        if commit:
            current = found[commit]
        else:
            current.append(Change._make(fields))
    return [found[new] for new in news]


def paths_of_commits(run: Runner, shas: Sequence[str]) -> dict[str, list[str]]:
    """The paths that each commit changes against its parent; a merge commit changes none."""
    command = ["diff-tree", "--stdin", "--root", "-r", "-z", "--raw", "--no-renames"]
    given = "".join(f"{sha}\n" for sha in shas).encode("ascii")
    found: dict[str, list[str]] = {sha: [] for sha in shas}
    current: list[str] = []
    for commit, *fields in re.findall(_OF_COMMIT, _printed(run, command, 2 * len(shas) + 1, given)):
        if commit:
            current = found[commit]
        else:
            current.append(fields[-1])
    return found


def _printed(run: Runner, command: Sequence[str], fields: int, given: bytes | None = None) -> str:
    """What git prints; refused once it has more than ``MAX_FILES`` records."""
    printed = bytearray()  # one piece of memory that grows, since fresh memory is what costs
    left, counted = MAX_FILES * fields, 0
    with run.process(*command, stdin=given is not None) as process:
        if given is not None:
            feed(process, given)
        while chunk := process.stdout.read(1 << 18):
            printed += chunk
            if len(printed) < left * SHORTEST:
                continue
            left -= printed.count(b"\0", counted)
            counted = len(printed)
            if left < 0:
                raise InvalidInput(
                    "git.too_many_files",
                    f"The commit holds or changes more than {MAX_FILES:,} files; "
                    "a repository of Salesforce metadata has far fewer.",
                )
    return printed.decode("utf-8", "surrogateescape")


def contents(run: Runner, blobs: Sequence[str]) -> Iterator[bytes]:
    """Yield the contents of blobs in the order asked.

    Raises ExternalFault ``git.missing_object`` when the repository lacks one of them and
    InvalidInput ``git.file_too_large`` before reading one above ``MAX_BLOB_BYTES``.
    """
    if not blobs:
        return
    given = "".join(f"{blob}\n" for blob in blobs).encode("ascii")
    with run.process("cat-file", "--batch", "--buffer", stdin=True) as process:
        feeder = feed(process, given)
        for blob in blobs:
            yield _there(blob, _file(_told(process.stdout)))
        feeder.join()


def _there(blob: str, content: bytes | None) -> bytes:
    if content is None:
        raise ExternalFault(
            "git.missing_object",
            f"The repository lacks the object {blob[:12]} that its tree names.",
            retryable=False,
        )
    return content


class Reader:
    """One ``cat-file --batch`` that answers question by question, whichever thread asks."""

    def __init__(self, process: Running) -> None:
        self._process = process
        self._lock = threading.Lock()
        self._fault: InvalidInput | None = None
        self._begun = [*process.asked]
        self._taken: dict[str, Told | None] = {}

    def begin(self, blobs: Sequence[str]) -> None:
        """Let git read ``FEW`` blobs at most for which ``contents`` will be asked; wait for none.

        All of them are kept as long as this lasts.
        """
        with self._lock:
            self._take_begun()
            self._ask(blobs)
            self._begun += blobs

    def find(self, sha: str, path: str) -> bytes | None:
        """The content of a commit's file; None when the commit has no such file."""
        if "\n" in path:
            return None
        return _file(next(self._answers([f"{sha}:{path}"])))

    def commits(self, names: Sequence[str]) -> list[str | None]:
        """The full object ids of commits; None for what names none."""
        found = self._answers([f"{name}^{{commit}}" for name in names])
        return [told[0] if told and told[1] == "commit" else None for told in found]

    def contents(self, blobs: Sequence[str]) -> Iterator[bytes]:
        """Yield the contents of ``FEW`` blobs at most; raises as the function ``contents`` does."""
        for start in range(0, len(blobs), TOGETHER):
            asked = blobs[start : start + TOGETHER]
            for blob, told in zip(asked, self._answers(asked), strict=True):
                yield _there(blob, _file(told))

    def _answers(self, names: Sequence[str]) -> Iterator[Told | None]:
        found: list[Told | None] = []
        with self._lock, suppress(InvalidInput):
            self._take_begun()
            self._ask([name for name in names if name not in self._taken])
            for name in names:
                found.append(self._taken[name] if name in self._taken else self._answer())
        yield from found
        if self._fault is not None and len(found) < len(names):
            raise self._fault

    def _take_begun(self) -> None:
        """Read what stands before the next answer."""
        with suppress(InvalidInput):  # told where somebody wants what cannot be read any more
            for name in self._begun:
                self._taken[name] = self._answer()
        self._begun = []

    def _answer(self) -> Told | None:
        if self._fault is None:
            try:
                return _told(self._process.stdout)
            except InvalidInput as fault:
                self._fault = fault  # what git prints next is the file that nobody wants to read
        raise self._fault

    def _ask(self, names: Sequence[str]) -> None:
        if self._process.stdin is not None and self._fault is None:
            given = "".join(f"{name}\n" for name in names)
            with suppress(BrokenPipeError):  # why git ended is told where its answer lacks
                self._process.stdin.write(given.encode("utf-8", "surrogateescape"))
                self._process.stdin.flush()


@contextmanager
def reader(run: Runner) -> Iterator[Reader]:
    """Ask for single objects; raises as ``contents`` does, and what ended git."""
    with run.process(*ANSWERING, stdin=True, seconds=SESSION_SECONDS) as process:
        yield Reader(process)
        if process.stdin is not None:
            process.stdin.close()


def _told(stream: IO[bytes]) -> Told | None:
    """The next answer of ``cat-file --batch``; None for an object that is missing.

    Raises EOFError when git ended; ``Runner.process`` says why.
    """
    head = stream.readline()
    if not head:
        raise EOFError
    fields = head.decode("utf-8", "surrogateescape").rsplit(None, 2)
    if len(fields) != 3 or not fields[2].isdecimal():
        return None
    size = int(fields[2])
    if size > MAX_BLOB_BYTES:
        raise InvalidInput(
            "git.file_too_large",
            f"A file has {size // 1024**2:,} MB; the limit is {MAX_BLOB_BYTES // 1024**2} MB.",
        )
    content = stream.read(size)
    stream.read(1)
    return fields[0], fields[1], content


def _file(told: Told | None) -> bytes | None:
    return told[2] if told and told[1] == "blob" else None
