"""``replacements`` of ``sfdx-project.json``, without the two ways in which they leak.

The official tools replace text by the value of an environment variable or by the content of any
file of the machine. A team owns that file, so here nothing is read from the environment, and a file
only from the same commit. A replacement that needs more, or a regular expression (which may take
endless time), is not made: the text stays as the commit has it, and a warning says so. A rule with
``replaceWhenEnv`` does not apply: no such variable is set here.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from core.errors import InvalidInput
from metadata.convert import globs
from metadata.objects import LINK, MAX_BLOB_BYTES, SUBMODULE, TreeEntry
from metadata.projects import PROJECT_FILE, Layout, Read


@dataclass(frozen=True, slots=True)
class Replacement:
    """One text to replace in the files that ``concerns`` says."""

    concerns: Callable[[str], bool]
    text: str
    value: str


def applied(
    contents: dict[str, bytes], layout: Layout, tree: Mapping[str, TreeEntry], read: Read
) -> tuple[dict[str, bytes], list[str]]:
    """The contents with the replacements made, in the order of the project file, and warnings.

    Raises InvalidInput ``metadata.replacement`` for an entry that cannot be understood.
    """
    rules: list[Replacement] = []
    warnings: list[str] = []
    for entry in layout.replacements:
        if entry.get("replaceWhenEnv"):
            continue
        problem = _not_made(entry)
        if problem:
            warnings.append(f"A replacement of {PROJECT_FILE} is not made: {problem}.")
        else:
            rules.append(_rule(entry, layout, tree, read))
    if not rules:
        return contents, warnings
    return {path: _replaced(path, content, rules) for path, content in contents.items()}, warnings


def _not_made(entry: Mapping[str, Any]) -> str:
    if "replaceWithEnv" in entry:
        variable = str(entry["replaceWithEnv"])[:60]
        return (
            f"it takes its text from the environment variable {variable}, which is never read here"
        )
    if "regexToReplace" in entry:
        return "it uses a regular expression, which may take endless time"
    if globs.EXTENDED.search(str(entry.get("glob", ""))):
        return (
            f"its glob {str(entry['glob'])[:60]!r} has alternatives in round brackets; use braces"
        )
    return ""


def _rule(
    entry: Mapping[str, Any], layout: Layout, tree: Mapping[str, TreeEntry], read: Read
) -> Replacement:
    text = entry.get("stringToReplace")
    if not isinstance(text, str) or not text:
        raise _refusal("has an entry without stringToReplace")
    return Replacement(_concerns(entry), text, _value(entry, layout, tree, read))


def _value(
    entry: Mapping[str, Any], layout: Layout, tree: Mapping[str, TreeEntry], read: Read
) -> str:
    named = entry.get("replaceWithFile")
    if not isinstance(named, str) or not named:
        raise _refusal("has an entry that does not say what to replace with")
    path = posixpath.normpath(posixpath.join(layout.base, named))
    found = tree.get(path)
    if path.startswith(("..", "/")) or found is None or found.mode in (LINK, SUBMODULE):
        raise _refusal(f"takes a text from {named[:120]!r}, which is no file of the repository")
    value = read(path).decode("utf-8", "replace").strip()
    if not value:
        raise _refusal(f"takes a text from {named[:120]!r}, which is empty")
    return value


def _concerns(entry: Mapping[str, Any]) -> Callable[[str], bool]:
    name, glob = entry.get("filename"), entry.get("glob")
    if isinstance(name, str) and name:
        return lambda path: f"/{path}".endswith(name)
    if isinstance(glob, str) and glob:
        return globs.matcher(glob)
    raise _refusal("has an entry without filename or glob")


def _replaced(path: str, content: bytes, rules: list[Replacement]) -> bytes:
    own = [rule for rule in rules if rule.concerns(path)]
    if not own or b"\0" in content[:8000]:
        return content
    for rule in own:
        text, value = rule.text.encode("utf-8"), rule.value.encode("utf-8")
        if len(content) + content.count(text) * (len(value) - len(text)) > MAX_BLOB_BYTES:
            raise _refusal(f"would make {path} larger than {MAX_BLOB_BYTES // 1024**2} MB")
        content = content.replace(text, value)
    return content


def _refusal(what: str) -> InvalidInput:
    return InvalidInput("metadata.replacement", f"“replacements” of {PROJECT_FILE} {what}.")
