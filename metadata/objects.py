"""Read a repository's objects as streams: trees by ``ls-tree``, contents by ``cat-file``."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO, NamedTuple

from core.errors import ExternalFault, InvalidInput
from metadata.later import Later
from metadata.runner import Runner, Running, feed

MAX_FILES = 200_000
"""A tree with more files is refused: the platform takes 10,000 files in one deployment."""

SHORTEST = 40
"""A record has more bytes: the mode and the object id."""

MAX_BLOB_BYTES = 64 * 1024**2
"""No file of a package can be larger: the whole zip may have 39 MB."""

LINK, SUBMODULE = "120000", "160000"
ABSENT = "000000"
_CHANGE_TEXT = ":([0-7]+) ([0-7]+) ([0-9a-f]+) ([0-9a-f]+) [^\0]+\0([^\0]+)\0"
_OF_COMMIT = re.compile(f"([0-9a-f]{{40,64}})\0|{_CHANGE_TEXT}")


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
    command = ["ls-tree", "-r", "-z", "--full-tree", sha, *(["--", *paths] if paths else [])]
    printed = _printed(run, command, 1)  # "100644 blob id", a tabulator, the path
    fields = printed.replace("\t", "\0").split("\0")
    if len(fields) != 2 * printed.count("\0") + 1:  # a path holds a tabulator itself
        records = (record.partition("\t") for record in printed.split("\0")[:-1])
        return Tree({path: told for told, _tab, path in records})
    return Tree(dict(zip(fields[1::2], fields[0:-1:2], strict=True)))


def changes(run: Runner, old: str, new: str) -> Changes:
    """Every path whose content or kind differs between two commits; a rename is two of them.

    Raises InvalidInput ``git.too_many_files``.
    """
    command = ["diff-tree", "-r", "-z", "--raw", "--no-renames", old, new]
    fields = _printed(run, command, 2).split("\0")  # ":100644 100644 old new M", path
    return Changes(dict(zip(fields[1::2], fields[0:-1:2], strict=True)))


class Comparison(NamedTuple):
    """Two commits by their full ids; git works out what they hold while this goes on."""

    old: str
    new: str
    newer_tree: Later[Tree]
    changes: Later[Changes]


def comparison(run: Runner, old: str, new: str) -> Comparison:
    """Start to compare two commits."""
    return Comparison(
        old, new, Later(lambda: tree(run, new)), Later(lambda: changes(run, old, new))
    )


def many_changes(run: Runner, old: str, news: Sequence[str]) -> list[list[Change]]:
    """What ``changes`` says of one commit and each of several others, by one git process."""
    command = ["diff-tree", "--stdin", "-r", "-z", "--raw", "--no-renames"]
    given = "".join(f"{new} {old}\n" for new in news).encode("ascii")  # as if it were its parent
    printed = _printed(run, command, 2 * len(news), given)
    found: dict[str, list[Change]] = {new: [] for new in news}
    for commit, *fields in _OF_COMMIT.findall(printed):
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
    for commit, *fields in _OF_COMMIT.findall(_printed(run, command, 2 * len(shas) + 1, given)):
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
            content = _content(process.stdout)
            if content is None:
                raise ExternalFault(
                    "git.missing_object",
                    f"The repository lacks the object {blob[:12]} that its tree names.",
                    retryable=False,
                )
            yield content
        feeder.join()


class Reader:
    """One ``cat-file --batch`` that answers question by question."""

    def __init__(self, process: Running) -> None:
        self._process = process

    def find(self, sha: str, path: str) -> bytes | None:
        """The content of a commit's file; None when the commit has no such file."""
        if self._process.stdin is None or "\n" in path:
            return None
        asked = f"{sha}:{path}\n".encode("utf-8", "surrogateescape")
        self._process.stdin.write(asked)
        self._process.stdin.flush()
        return _content(self._process.stdout)


@contextmanager
def reader(run: Runner) -> Iterator[Reader]:
    """Ask for single files of commits; raises as ``contents`` does."""
    with run.process("cat-file", "--batch", stdin=True) as process:
        yield Reader(process)
        if process.stdin is not None:
            process.stdin.close()


def _content(stream: IO[bytes]) -> bytes | None:
    """The next answer of ``cat-file --batch``; None for an object that is missing or no file.

    Raises EOFError when git ended; ``Runner.process`` says why.
    """
    head = stream.readline()
    if not head:
        raise EOFError
    fields = head.rsplit(None, 2)
    if len(fields) != 3 or not fields[2].isdigit():
        return None
    size = int(fields[2])
    if size > MAX_BLOB_BYTES:
        raise InvalidInput(
            "git.file_too_large",
            f"A file has {size // 1024**2:,} MB; the limit is {MAX_BLOB_BYTES // 1024**2} MB.",
        )
    content = stream.read(size)
    stream.read(1)
    return content if fields[1] == b"blob" else None
