"""``.forceignore``: which files of a source project are no part of it.

The file has ``.gitignore`` syntax and is looked for from each package directory upwards. Where
there is one, the official tools also pass over hidden files, ``*.dup`` and the two package2 files;
where there is none, they pass over nothing. Unlike Git they take capitals and small letters as one:
``**settings`` takes ``remoteSiteSettings`` out.

A pattern becomes a regular expression. Since nearly every path contains none of the texts that the
patterns are made of, all paths are searched for those texts at once, and the expressions decide
about the few that have one.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

from core.errors import InvalidInput
from metadata.search import holding

NAME = ".forceignore"
ALWAYS = ("package2-descriptor.json", "package2-manifest.json")
_HIDDEN = ("/.", ".dup", *ALWAYS)

_FLAGS = re.DOTALL | re.IGNORECASE
MAX_LINES, MAX_LINE = 2_000, 500
_WILD = re.compile(r"[*?\[\]\\/]+")

Find = Callable[[str], bytes | None]


class Pattern(NamedTuple):
    """One line: whether it takes a path out or back, and for which directories or files."""

    out: bool
    folders_only: bool
    expression: re.Pattern[str]


class Rules:
    """What one ``.forceignore`` says about paths from the repository's root."""

    def __init__(self, base: str, patterns: Sequence[Pattern], texts: frozenset[str]) -> None:
        self._start = len(base) + 1 if base else 0
        self._patterns = patterns
        self._texts = texts
        self._takes_back = any(not pattern.out for pattern in patterns)
        whole = "|".join(
            f"(?:{p.expression.pattern}){'/' if p.folders_only else '(?:/|$)'}" for p in patterns
        )
        self._any = re.compile(whole, _FLAGS) if patterns else None

    def kept(self, paths: Sequence[str]) -> Sequence[str]:
        """The paths that stay."""
        if "" in self._texts:
            return [path for path in paths if not self.ignores(path)]
        doubtful = holding(paths, {*self._texts, *_HIDDEN}, folded=True) if paths else set()
        doubtful |= {path for path in paths if path[self._start : self._start + 1] == "."}
        out = {path for path in doubtful if self.ignores(path)}
        return [path for path in paths if path not in out] if out else paths

    def ignores(self, path: str) -> bool:
        """Whether a file is taken out."""
        inner = path[self._start :]
        if _hidden(inner):
            return True
        if self._any is None or not self._any.match(inner):
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
            if (folder or not pattern.folders_only) and pattern.expression.fullmatch(path):
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
    texts: set[str] = set()
    for line in lines:
        try:
            found = pattern_of(line)
        except re.error as fault:
            raise InvalidInput(
                "metadata.forceignore", f"{path} cannot be read: “{line[:80]}”: {fault}."
            ) from None
        if found is not None:
            patterns.append(found)
            if found.out:
                plain = _WILD.split(line.strip().lower())
                texts.add(max(plain, key=len) if "[" not in line else "")
    return Rules(posixpath.dirname(path), patterns, frozenset(texts))


def pattern_of(line: str) -> Pattern | None:
    """One line of ``.gitignore`` syntax; None for one that matches nothing."""
    body = re.sub(r"(?<!\\)\s+$", "", line)
    out = not body.startswith("!")
    body = body if out else body[1:]
    folders_only = body.endswith("/")
    body = body.rstrip("/") if folders_only else body
    anchored = "/" in body
    parts = [part for part in body.split("/") if part]
    if not parts:
        return None
    source = "" if anchored and parts[0] != "**" else "(?:.*/)?"
    for index, part in enumerate(parts):
        last = index == len(parts) - 1
        if part == "**":
            source += ".+" if last else "" if index == 0 else "(?:.*/)?"
        else:
            source += _segment(part) + ("" if last else "/")
    return Pattern(out, folders_only, re.compile(source, _FLAGS))


def _segment(part: str) -> str:
    """The expression of one name between slashes."""
    made = ""
    at = 0
    while at < len(part):
        sign = part[at]
        if sign == "*":
            made += "" if made.endswith("[^/]*") else "[^/]*"
        elif sign == "?":
            made += "[^/]"
        elif sign == "[" and (end := part.find("]", at + 2)) > 0:
            inner = part[at + 1 : end].replace("\\", "\\\\").replace("[", "\\[")
            made += f"[{inner}]"
            at = end
        elif sign == "\\" and at + 1 < len(part):
            at += 1
            made += re.escape(part[at])
        else:
            made += re.escape(sign)
        at += 1
    return made
