"""The globs of ``replacements``, as the official tools read them (minimatch), in bounded time."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from core.errors import InvalidInput
from metadata.convert import ignore
from metadata.projects import PROJECT_FILE

MAX_GLOB, MAX_EXPANDED = 500, 200
EXTENDED = re.compile(r"(?<!\\)[!?+*@]\(")
"""Where a list of alternatives begins that may be there several times, or not at all."""

_NUMBERS = re.compile(r"(-?\d+)\.\.(-?\d+)(?:\.\.(-?\d+))?")
_LETTERS = re.compile(r"([A-Za-z])\.\.([A-Za-z])(?:\.\.(-?\d+))?")
_NOT = re.compile(r"(?<!\\)\[!")


def matcher(glob: str) -> Callable[[str], bool]:
    """Whether a path of the project, or the end of it, is what a glob says.

    Raises InvalidInput ``metadata.replacement`` for a glob that cannot be read, or names too many.
    """
    if len(glob) > MAX_GLOB:
        raise _refusal(f"has a glob of more than {MAX_GLOB} signs")
    try:
        sources = [made for one in expanded(glob) if (made := _source(one))]
        pattern = re.compile("|".join(f"(?:{made})" for made in sources) or "(?!)", re.DOTALL)
    except re.error as fault:
        raise _refusal(f"has the glob {glob[:80]!r}, which cannot be read: {fault}") from None
    hidden = "/." in f"/{glob}"
    return lambda path: (hidden or "/." not in f"/{path}") and bool(pattern.fullmatch(path))


def expanded(glob: str) -> list[str]:
    """The globs that one with braces stands for: ``{a,b}.cls``, ``{1..3}``, one inside another.

    Raises InvalidInput ``metadata.replacement`` for too many.
    """
    found = _expanded(glob)
    if found is None:
        raise _refusal(f"has the glob {glob[:80]!r}, which stands for more than {MAX_EXPANDED}")
    return found


def _expanded(text: str) -> list[str] | None:
    """Like ``expanded``; None for too many."""
    for start, end, inner in _pairs(text):
        made = _within(inner)
        if made == [inner]:
            continue
        rest = _expanded(text[end + 1 :])
        if made is None or rest is None or len(made) * len(rest) > MAX_EXPANDED:
            return None
        return [f"{text[:start]}{own}{behind}" for own in made for behind in rest]
    return [text]


def _pairs(text: str) -> Iterator[tuple[int, int, str]]:
    """Each brace with the one that closes it and what is between; ``${`` is none."""
    for found in re.finditer(r"(?<![\\$])\{", text):
        start, depth = found.start(), 0
        for sign in re.finditer(r"\\.|[{}]", text[start:]):
            depth += {"{": 1, "}": -1}.get(sign[0], 0)
            if depth == 0 and sign[0] == "}":
                end = start + sign.start()
                yield start, end, text[start + 1 : end]
                break


def _within(inner: str) -> list[str] | None:
    """What stands between braces, one by one; itself where it is no list, None for too many."""
    numbers, letters = _NUMBERS.fullmatch(inner), _LETTERS.fullmatch(inner)
    if numbers:
        width = max(map(len, numbers.groups()[:2])) if re.search(r"(?<!\d)0\d", inner) else 0
        values = _span(int(numbers[1]), int(numbers[2]), numbers[3])
        return None if values[MAX_EXPANDED:] else [f"{one:0{width}d}" for one in values]
    if letters:
        return [chr(one) for one in _span(ord(letters[1]), ord(letters[2]), letters[3])]
    options = _options(inner)
    if len(options) == 1:
        return options
    found: list[str] = []
    for option in options:
        own = _expanded(option)
        if own is None or len(found) + len(own) > MAX_EXPANDED:
            return None
        found += own
    return found


def _span(first: int, last: int, step: str | None) -> range:
    """Numbers from one to another, both of them in."""
    stride = abs(int(step or 1)) or 1
    return range(first, last + 1, stride) if first <= last else range(first, last - 1, -stride)


def _options(inner: str) -> list[str]:
    """What commas part that are in no braces of their own."""
    found, depth, begun = [], 0, 0
    for sign in re.finditer(r"\\.|[{},]", inner):
        depth += {"{": 1, "}": -1}.get(sign[0], 0)
        if sign[0] == "," and depth == 0:
            found.append(inner[begun : sign.start()])
            begun = sign.end()
    return [*found, inner[begun:]]


def _source(glob: str) -> str:
    """The expression of a glob without braces; empty for one that no path can be."""
    parts: list[str] = []
    for part in re.split("/+", _NOT.sub("[^", glob).lstrip("/")):
        if part == ".." and parts and parts[-1] not in ("..", "**"):
            parts.pop()
        else:
            parts.append(part)
    if not parts or parts[-1] == "" or not {".", ".."}.isdisjoint(parts):
        return ""
    return ignore.source(parts, floating=True)


def _refusal(what: str) -> InvalidInput:
    return InvalidInput("metadata.replacement", f"“replacements” of {PROJECT_FILE} {what}.")
