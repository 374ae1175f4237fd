"""``.forceignore``: which files of a source project are no part of it.

The file has ``.gitignore`` syntax and is looked for from each package directory upwards. Where
there is one, the official tools also pass over hidden files, ``*.dup`` and the two package2 files;
where there is none, they pass over nothing.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable

from pathspec import GitIgnoreSpec
from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

from core.errors import InvalidInput

NAME = ".forceignore"
ALWAYS = frozenset({"package2-descriptor.json", "package2-manifest.json"})

MAX_LINES, MAX_LINE = 2_000, 500

Ignored = Callable[[str], bool]


def nothing(path: str) -> bool:
    """Pass over no file."""
    return False


def nearest(directory: str, paths: Iterable[str]) -> str | None:
    """The ``.forceignore`` that counts for a package directory, or None."""
    held = {path for path in paths if path.endswith(NAME)}
    while held:
        candidate = posixpath.join(directory, NAME)
        if candidate in held:
            return candidate
        if not directory:
            return None
        directory = posixpath.dirname(directory)
    return None


def rules(path: str, content: bytes) -> Ignored:
    """The test that a ``.forceignore`` file describes, for paths from the repository's root.

    Raises InvalidInput ``metadata.forceignore``.
    """
    base = posixpath.dirname(path)
    text = content.decode("utf-8-sig", "replace").splitlines()
    lines = [line for line in text if line.strip() and not line.startswith("#")]
    if len(lines) > MAX_LINES or any(len(line) > MAX_LINE for line in lines):
        raise InvalidInput("metadata.forceignore", f"{path} is too long to be a list of patterns.")
    try:
        match = _matcher(lines)
    except (ValueError, re.error) as fault:
        raise InvalidInput("metadata.forceignore", f"{path} cannot be read: {fault}.") from None
    start = len(base) + 1 if base else 0

    def ignored(name: str) -> bool:
        inner = name[start:]
        return _hidden(inner) or match(inner)

    return ignored


def _hidden(path: str) -> bool:
    name = path.rsplit("/", 1)[-1]
    return path.startswith(".") or "/." in path or name.endswith(".dup") or name in ALWAYS


def _matcher(lines: list[str]) -> Ignored:
    """One regular expression when no line takes a file back, which is many times faster."""
    patterns = [GitIgnoreSpecPattern(line) for line in lines]
    kept = [pattern for pattern in patterns if pattern.include is not None]
    if all(pattern.include for pattern in kept):
        sources = [pattern.regex.pattern for pattern in kept if pattern.regex is not None]
        if not sources:
            return nothing
        # The patterns name their group; the name may stand only once in one expression.
        joined = "|".join(f"(?:{re.sub(r'[?]P<[a-z_]+>', '?:', source)})" for source in sources)
        found = re.compile(joined)
        return lambda path: found.match(path) is not None
    return GitIgnoreSpec(patterns).match_file
