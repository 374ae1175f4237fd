"""Build the teams' Git repositories on disk: bare, with history, branches, merges and tags.

The whole history goes through one `git fast-import` per repository: a few milliseconds instead of a
process per commit. Authors are the demo's people and moments count back from today.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from demo.content.components import Component, Components, Key
from demo.content.layout import metadata_format, source_format
from demo.content.loyalty import LOYALTY
from demo.content.people import Person
from demo.content.sales import SALES
from demo.content.service import SERVICE
from demo.content.story import Branch, Commit, Step, Story, Tag, When, components_of

STORIES: Mapping[str, Story] = {story.team: story for story in (SALES, SERVICE, LOYALTY)}

#: Git reads no configuration of the machine, so every build gives the same kind of repository.
QUIET: Mapping[str, str] = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}


def build(root: Path, today: datetime | None = None) -> dict[str, Path]:
    """Make the repositories below the root that are not there yet; give each team's path."""
    moment = today or datetime.now(tz=UTC)
    root.mkdir(parents=True, exist_ok=True)
    return {team: _build_one(root, story, moment) for team, story in STORIES.items()}


def git(repository: Path, *arguments: str, stdin: bytes | None = None) -> str:
    """Run git in a repository and give what it printed; a failure raises with git's own words."""
    finished = subprocess.run(
        ["git", "-C", str(repository), *arguments],
        input=stdin,
        capture_output=True,
        check=False,
        env={**os.environ, **QUIET},
    )
    if finished.returncode:
        raise RuntimeError(f"git {arguments[0]} failed: {finished.stderr.decode().strip()}")
    return finished.stdout.decode()


def files_of(story: Story, components: Components, plain: Mapping[str, str]) -> dict[str, bytes]:
    """Lay a state of the story out as the files of its repository."""
    files = {path: text.encode() for path, text in plain.items()}
    if not story.is_source:
        return files | {f"src/{path}": body for path, body in metadata_format(components).items()}
    for package in story.packages:
        mine = {key: one for key, one in components.items() if _package(story, key) == package}
        files |= source_format(mine, package)
    return files


def _package(story: Story, key: Key) -> str:
    """Give the package directory of a component: what people see goes to the last one."""
    seen = {
        "LightningComponentBundle",
        "AuraDefinitionBundle",
        "StaticResource",
        "CustomApplication",
    }
    return story.packages[-1] if key.type in seen else story.packages[0]


def _build_one(root: Path, story: Story, today: datetime) -> Path:
    path = root / f"{story.team}.git"
    if path.is_dir():
        return path
    unfinished = root / f".{story.team}.git.{os.getpid()}"
    unfinished.mkdir()
    git(unfinished, "init", "--quiet", "--bare", "--initial-branch=main")
    stream = Stream(story, today).write()
    git(unfinished, "fast-import", "--quiet", "--done", stdin=stream)
    unfinished.rename(path)
    return path


@dataclass
class State:
    """What a branch holds at a point of the history."""

    mark: int = 0
    components: dict[Key, Component] = field(default_factory=dict)
    plain: dict[str, str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)


class Stream:
    """Writes a story as input of `git fast-import`."""

    def __init__(self, story: Story, today: datetime) -> None:
        self._story = story
        self._today = today
        self._out = bytearray(b"feature done\n")
        self._mark = 0

    def write(self) -> bytes:
        """Give the whole stream."""
        main = State()
        for step in self._story.steps:
            main = self._step(main, step)
        self._out += b"done\n"
        return bytes(self._out)

    def _step(self, main: State, step: Step) -> State:
        if isinstance(step, Tag):
            self._tag(step, main)
            return main
        if isinstance(step, Commit):
            return self._commit(main, step, "main", merged=None)
        return self._branch(main, step)

    def _branch(self, main: State, branch: Branch) -> State:
        tip = main
        for commit in branch.commits:
            tip = self._commit(tip, commit, branch.name, merged=None)
        if branch.merged_by is None or branch.merged_when is None:
            return main
        merge = Commit(branch.merged_by, branch.merged_when, f"Merge branch '{branch.name}'")
        self._out += f"reset refs/heads/{branch.name}\nfrom {'0' * 40}\n\n".encode()
        joined = State(main.mark, main.components, main.plain, main.files)
        return self._commit(joined, merge, "main", merged=tip)

    def _commit(self, before: State, commit: Commit, branch: str, *, merged: State | None) -> State:
        self._mark += 1
        after = State(
            self._mark,
            {**before.components, **components_of(self._story.team, commit)},
            {**before.plain, **commit.plain},
        )
        if merged:
            after.components |= merged.components
            after.plain |= merged.plain
        after.files = files_of(self._story, after.components, after.plain)
        self._head(commit, branch)
        if before.mark:
            self._out += f"from :{before.mark}\n".encode()
        if merged:
            self._out += f"merge :{merged.mark}\n".encode()
        self._changes(before.files, after.files)
        return after

    def _head(self, commit: Commit, branch: str) -> None:
        who = self._who(commit.by, commit.when)
        self._out += f"commit refs/heads/{branch}\nmark :{self._mark}\n".encode()
        self._out += f"author {who}\ncommitter {who}\n".encode()
        self._blob(commit.message.strip().encode() + b"\n")

    def _changes(self, before: Mapping[str, bytes], after: Mapping[str, bytes]) -> None:
        for path in sorted(before.keys() - after.keys()):
            self._out += f'D "{path}"\n'.encode()
        for path in sorted(after):
            if before.get(path) != after[path]:
                self._out += f'M 100644 inline "{path}"\n'.encode()
                self._blob(after[path])
        self._out += b"\n"

    def _tag(self, tag: Tag, main: State) -> None:
        self._out += f"tag {tag.name}\nfrom :{main.mark}\n".encode()
        self._out += f"tagger {self._who(tag.by, tag.when)}\n".encode()
        self._blob(tag.message.encode() + b"\n")

    def _who(self, person: Person, when: When) -> str:
        return f"{person.signature} {int(when.on(self._today).timestamp())} +0000"

    def _blob(self, content: bytes) -> None:
        self._out += f"data {len(content)}\n".encode() + content + b"\n"
