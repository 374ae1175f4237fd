"""``.forceignore``: which files of a source project are no part of it.

The file has ``.gitignore`` syntax and is looked for from each package directory upwards. Where
there is one, the official tools also pass over hidden files, ``*.dup`` and the two package2 files;
where there is none, they pass over nothing. Unlike Git they take capitals and small letters as one:
``**settings`` takes ``remoteSiteSettings`` out.

A pattern becomes a regular expression. Since nearly every path contains none of the texts that the
patterns are made of, all paths are searched for those texts at once, and the expressions decide
about the few that have one; an expression that decides about none is never compiled.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

from core.errors import InvalidInput
from metadata.search import Listing

NAME = ".forceignore"
ALWAYS = ("package2-descriptor.json", "package2-manifest.json")
_HIDDEN = ("/.", ".dup", "package2-")
"""What a path that is always passed over holds; a slash is where a name begins."""

MAX_LINES, MAX_LINE = 2_000, 500
_WILD = re.compile(r"[*?\[\]\\/]+")

Find = Callable[[str], bytes | None]


class Pattern(NamedTuple):
    """One line: whether it takes a path out or back, and for which directories or files.

    Every path that it is about contains ``text``, whatever its case.
    """

    out: bool
    folders_only: bool
    expression: str
    text: str

    def covers(self, path: str) -> bool:
        """Whether it is about a path or a directory that the path lies in."""
        end = "/" if self.folders_only else "(?:/|$)"
        whole = f"(?:{self.expression}){end}"
        return self._may_be(path) and _compiled(whole).match(path) is not None

    def names(self, path: str) -> bool:
        """Whether it is about this very path."""
        return self._may_be(path) and _compiled(self.expression).fullmatch(path) is not None

    def _may_be(self, path: str) -> bool:
        return self.text in path.lower() or not path.isascii()


class Rules:
    """What one ``.forceignore`` says about paths from the repository's root."""

    def __init__(self, base: str, patterns: Sequence[Pattern]) -> None:
        self._start = len(base) + 1 if base else 0
        self._patterns = patterns
        self._texts = {pattern.text for pattern in patterns if pattern.out}
        self._takes_back = any(not pattern.out for pattern in patterns)

    def out(self, listing: Listing) -> set[str]:
        """The paths that are taken out."""
        known = "" not in self._texts
        doubtful = listing.alike({*self._texts, *_HIDDEN}) if known else listing.paths
        return {path for path in doubtful if self.ignores(path)}

    def ignores(self, path: str) -> bool:
        """Whether a file is taken out."""
        inner = path[self._start :]
        if _hidden(inner):
            return True
        if not any(pattern.covers(inner) for pattern in self._patterns):
            return False
        return not self._takes_back or self._decided(inner)

    def _decided(self, path: str) -> bool:
        """Go down from the top: below a directory that is out nothing can be taken back."""
        at = path.find("/")
        while at >= 0:
            if self._last(path[:at], folder=True):
                return True
            at = path.find("/", at + 1)
        return self._last(path, folder=False)

    def _last(self, path: str, *, folder: bool) -> bool:
        for pattern in reversed(self._patterns):
            if (folder or not pattern.folders_only) and pattern.names(path):
                return pattern.out
        return False


def _hidden(path: str) -> bool:
    name = path.rsplit("/", 1)[-1].lower()
    return path.startswith(".") or "/." in path or name.endswith(".dup") or name in ALWAYS


def nearest(directory: str, find: Find) -> tuple[str, bytes] | None:
    """Path and content of the ``.forceignore`` that counts for a package directory, or None."""
    while True:
        path = posixpath.join(directory, NAME)
        content = find(path)
        if content is not None:
            return path, content
        if not directory:
            return None
        directory = posixpath.dirname(directory)


@lru_cache(maxsize=16)
def rules(path: str, content: bytes) -> Rules:
    """The rules of a ``.forceignore`` file.

    Raises InvalidInput ``metadata.forceignore``.
    """
    text = content.decode("utf-8-sig", "replace").splitlines()
    lines = [line for line in text if line.strip() and not line.startswith("#")]
    if len(lines) > MAX_LINES or any(len(line) > MAX_LINE for line in lines):
        raise InvalidInput("metadata.forceignore", f"{path} is too long to be a list of patterns.")
    patterns: list[Pattern] = []
    for line in lines:
        try:
            found = pattern_of(line)
        except re.error as fault:
            raise InvalidInput(
                "metadata.forceignore", f"{path} cannot be read: “{line[:80]}”: {fault}."
            ) from None
        if found is not None:
            patterns.append(found)
    return Rules(posixpath.dirname(path), patterns)


@lru_cache(maxsize=1024)
def _compiled(expression: str) -> re.Pattern[str]:
    return re.compile(expression, re.DOTALL | re.IGNORECASE)


def pattern_of(line: str) -> Pattern | None:
    """One line of ``.gitignore`` syntax; None for one that matches nothing.

    Raises ``re.error``, which only a set of signs can: everything else is escaped.
    """
    body = re.sub(r"(?<!\\)\s+$", "", line)
    out = not body.startswith("!")
    body = body if out else body[1:]
    folders_only = body.endswith("/")
    body = body.rstrip("/") if folders_only else body
    anchored = "/" in body
    parts = [part for part in body.split("/") if part]
    if not parts:
        return None
    made = source(parts, floating=not anchored or parts[0] == "**")
    text = max(_WILD.split(body.lower()), key=len)
    if "[" in body or not text.isascii():
        text = ""
        _compiled(made)  # the one kind of line that can be faulty
    return Pattern(out, folders_only, made, text)


def source(parts: Sequence[str], *, floating: bool) -> str:
    """The expression of names between slashes; ``floating`` when it may begin in any directory.

    What stands before the last ``**`` is looked for once, where it comes first: a later place could
    not help what follows, and trying every place would take longer than anybody can wait.
    """
    blocks = [list(own) for double, own in groupby(parts, "**".__eq__) if not double]
    open_end = parts[-1] == "**"
    made = ""
    for number, block in enumerate(blocks):
        floats = floating or number > 0
        body = "/".join(map(_segment, block))
        if number == len(blocks) - 1 and not open_end:
            made += f"(?:.*/)?{body}" if floats else body
        else:
            made += f"(?>(?:[^/]*/)*?{body}/)" if floats else f"{body}/"
    return f"{made}.+" if open_end else made


def _segment(part: str) -> str:
    """The expression of one name between slashes; each text between stars is looked for once."""
    pieces = [""]
    at = 0
    while at < len(part):
        sign = part[at]
        if sign == "*":
            if pieces[-1] or len(pieces) == 1:
                pieces.append("")
        elif sign == "?":
            pieces[-1] += "[^/]"
        elif sign == "[" and (end := part.find("]", at + 2)) > 0:
            inner = part[at + 1 : end].replace("\\", "\\\\").replace("[", "\\[")
            pieces[-1] += f"[{inner}]"
            at = end
        elif sign == "\\" and at + 1 < len(part):
            at += 1
            pieces[-1] += re.escape(part[at])
        else:
            pieces[-1] += re.escape(sign)
        at += 1
    first, *others = pieces
    if not others:
        return first
    *middle, last = others
    return first + "".join(f"(?>[^/]*?{piece})" for piece in middle) + f"[^/]*{last}"
