"""Branches and tags of a repository as the commits that they name."""

from __future__ import annotations

from dataclasses import dataclass

from metadata.runner import Runner

_FORMAT = "--format=%(objecttype)%00%(*objecttype)%00%(objectname)%00%(*objectname)%00%(refname)"


@dataclass(frozen=True, slots=True)
class Refs:
    """Branches and tags with the commit that each names; annotated tags are peeled."""

    branches: dict[str, str]
    tags: dict[str, str]


def parse_refs(run: Runner) -> Refs:
    """Read the refs of a repository; a tag on a tree, a file or another tag names no commit."""
    branches: dict[str, str] = {}
    tags: dict[str, str] = {}
    for line in run.text("for-each-ref", _FORMAT, "refs/heads", "refs/tags").split("\n"):
        if not line:
            continue
        kind, peeled_kind, sha, peeled, name = line.split("\0")
        if "commit" not in (kind, peeled_kind):
            continue
        target = peeled if peeled_kind == "commit" else sha
        if name.startswith("refs/heads/"):
            branches[name.removeprefix("refs/heads/")] = target
        else:
            tags[name.removeprefix("refs/tags/")] = target
    return Refs(branches, tags)
