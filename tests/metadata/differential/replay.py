"""Merges of public histories that Git could not make, made again and compared with the people's.

``GATEHOUSE_PROJECTS`` names a directory of bare repositories. ``python -m
tests.metadata.differential.replay`` prints the figures of all merges.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lxml import etree

from core.errors import DomainError
from metadata import keys
from metadata.merge.files import merge
from metadata.normal import OWN_ID
from metadata.repository import Repository
from tests.metadata.differential import official

SALESFORCE = re.compile(
    r"(-meta\.xml|\.(object|labels|translation|objectTranslation|layout|profile|permissionset|flow|"
    r"workflow|flexipage|app|tab|sharingRules|md|site|queue|role|group|quickAction))$"
)
MARKER = re.compile(rb"^(<<<<<<<|>>>>>>>)", re.MULTILINE)
_PARSER = etree.XMLParser(resolve_entities=False, remove_blank_text=True)


@dataclass(frozen=True)
class Both:
    """A file that both sides of a merge changed in the same places."""

    merge: str
    path: str
    base: str
    ours: str
    theirs: str


@dataclass
class Score:
    """How many of them were merged, and how many as people merged them."""

    found: int = 0
    unreadable: int = 0
    resolved: int = 0
    compared: int = 0
    equal: int = 0
    alike: int = 0
    doubled: int = 0
    own: int = 0
    dropped: int = 0
    undone: int = 0
    broken: int = 0
    by_root: Counter[str] = field(default_factory=Counter)
    open_roots: Counter[str] = field(default_factory=Counter)
    others: list[Both] = field(default_factory=list)


def conflicts(path: Path, limit: int = 0) -> Iterator[Both]:
    """Both-modified metadata files of the newest merges, as ``git merge-tree`` leaves them."""
    git = ["git", "--git-dir", str(path)]
    count = [f"--max-count={limit}"] if limit else []
    listed = _run([*git, "rev-list", "--all", "--min-parents=2", "--max-parents=2", "--parents",
                   *count]).decode().split("\n")  # fmt: skip
    merges = [line.split() for line in listed if line]
    asked = "".join(f"{one} {two}\n" for _sha, one, two in merges).encode()
    command = [*git, "merge-tree", "--write-tree", "--stdin", "-z", "--no-messages"]
    told = subprocess.run(command, input=asked, capture_output=True, check=False).stdout
    tokens = iter(told.decode("utf-8", "replace").split("\0"))
    for sha, _one, _two in merges:
        stages: dict[str, dict[str, str]] = {}
        if next(tokens, "") == "":
            return
        next(tokens, "")
        for token in tokens:
            if not token:
                break
            about, _, name = token.partition("\t")
            _mode, blob, stage = about.split()
            stages.setdefault(name, {})[stage] = blob
        for name, held in stages.items():
            if set(held) == {"1", "2", "3"} and SALESFORCE.search(name):
                yield Both(sha, name, held["1"], held["2"], held["3"])


def replay(path: Path, limit: int = 0) -> Score:
    """Merge every conflict of a history anew."""
    score = Score()
    found = list(dict.fromkeys(conflicts(path, limit)))
    repository = Repository(path)
    seen: set[tuple[str, str, str]] = set()
    for both in found:
        sides = (both.base, both.ours, both.theirs)
        if sides in seen:
            continue
        seen.add(sides)
        try:
            base, ours, theirs = repository.blobs(sides)
        except DomainError:
            continue  # a snapshot of a project may lack contents
        if b"<?xml" not in ours[:8]:
            continue
        score.found += 1
        root = _root(ours)
        score.by_root[root] += 1
        try:
            merged = merge(base, ours, theirs, both.path)
        except DomainError:
            score.unreadable += 1
            continue
        if not merged.clean:
            score.open_roots[root] += 1
            continue
        score.resolved += 1
        _compare(score, both, merged.content, _human(path, both), (base, ours, theirs))
    return score


def _compare(
    score: Score, both: Both, made: bytes, human: bytes | None, sides: tuple[bytes, bytes, bytes]
) -> None:
    """Count a merge as equal or not, and say why people have something else.

    A result of people that holds one key twice is compared with nothing: the platform refuses it.
    """
    try:
        mine = _said(made)
    except etree.XMLSyntaxError:
        score.broken += 1
        return
    if human is None or MARKER.search(human):
        return
    try:
        theirs = _said(human)
    except etree.XMLSyntaxError:
        return
    held = _entries(human)
    if any(len(contents) > 1 for contents in held.values()):
        score.doubled += 1
        return
    score.compared += 1
    if mine == theirs:
        score.equal += 1
    if mine == theirs or _kept(made) == _kept(human):
        score.alike += 1
        return
    score.others.append(both)
    known = [_entries(side) for side in sides]
    if any(all(side.get(key) != said for side in known) for key, said in held.items()):
        score.own += 1
    elif any(key not in held and key not in known[0] for side in known[1:] for key in side):
        score.dropped += 1
    elif _undid(held, _entries(made), known):
        score.undone += 1


def _undid(
    people: dict[tuple[str, ...], list[str]],
    made: dict[tuple[str, ...], list[str]],
    known: list[dict[tuple[str, ...], list[str]]],
) -> bool:
    """Whether people put back what one side alone had changed, as who takes one file whole does."""
    base, *sides = known
    differing = [key for key in people.keys() | made.keys() if people.get(key) != made.get(key)]
    return any(
        people.get(key) == base.get(key) and any(side.get(key) == base.get(key) for side in sides)
        for key in differing
    )


def _entries(content: bytes) -> dict[tuple[str, ...], list[str]]:
    """What a file says at each key of a set or keyed list; other elements count once together."""
    root = etree.fromstring(content, _PARSER)
    rule = keys.of_root(str(root.tag).rpartition("}")[2])
    found: dict[tuple[str, ...], list[str]] = {}
    for node in root.iterchildren(etree.Element):
        name = str(node.tag).rpartition("}")[2]
        if name in rule.keys:
            key = (name, *(keys.value(node, part) for part in rule.keys[name]))
            found.setdefault(key, []).append(_sorted(node))
    return found


def _said(content: bytes) -> str:
    """A file without comments' places, formatting and order."""
    return _sorted(etree.fromstring(content, _PARSER))


def _kept(content: bytes) -> str:
    """What of a file the platform keeps: no comments, and no org's own ids in layouts."""
    root = etree.fromstring(OWN_ID.sub(rb"\1\2", content), _PARSER)
    etree.strip_tags(root, etree.Comment)
    return _sorted(root)


def _sorted(node: Any) -> str:
    if not isinstance(node.tag, str):
        return f"<!{(node.text or '').strip()}>"
    children = sorted(_sorted(child) for child in node)
    return f"<{node.tag}>{(node.text or '').strip()}{''.join(children)}</>"


def _human(path: Path, both: Both) -> bytes | None:
    shown = subprocess.run(
        ["git", "--git-dir", str(path), "cat-file", "blob", f"{both.merge}:{both.path}"],
        capture_output=True,
        check=False,
    )
    return shown.stdout if shown.returncode == 0 else None


def _root(content: bytes) -> str:
    found = re.search(rb"<([A-Z]\w+)[\s>]", content)
    return found[1].decode() if found else ""


def _run(command: list[str]) -> bytes:
    return subprocess.run(command, capture_output=True, check=True).stdout


def main(names: list[str]) -> None:
    """Print the figures of every project, or of those named."""
    total = Score()
    for path in official.projects():
        if names and not any(name in str(path) for name in names):
            continue
        score = replay(path)
        for name in ("found", "unreadable", "resolved", "compared", "equal", "alike", "doubled",
                     "own", "dropped", "undone", "broken"):  # fmt: skip
            setattr(total, name, getattr(total, name) + getattr(score, name))
        total.by_root += score.by_root
        total.open_roots += score.open_roots
        sys.stdout.write(f"{path.parent.name}: {told(score)}\n")
        for both in score.others[:400] if "--others" in sys.argv else ():
            sys.stdout.write(f"  other {both}\n")
    sys.stdout.write(f"all: {told(total)}\n")
    for root, count in total.by_root.most_common():
        sys.stdout.write(f"  {root}: {count} found, {total.open_roots[root]} left to a person\n")


def told(score: Score) -> str:
    """The figures in one line."""
    part = score.resolved / score.found if score.found else 1
    same = score.equal / score.compared if score.compared else 1
    alike = score.alike / score.compared if score.compared else 1
    return (
        f"{score.found} both-modified, {score.unreadable} unreadable, {score.resolved} resolved "
        f"({part:.0%}), {score.broken} malformed; {score.compared} compared, {score.equal} as "
        f"people did ({same:.0%}), {score.alike} but for comments and orgs' own ids "
        f"({alike:.0%}); of the others {score.own} hold what no side said, {score.dropped} lost a "
        f"side's addition, {score.undone} undid a side's change; {score.doubled} of people's hold "
        "a key twice"
    )


if __name__ == "__main__":
    main([name for name in sys.argv[1:] if not name.startswith("--")])
