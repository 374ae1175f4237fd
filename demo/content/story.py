"""Tell a repository's history as data: commits, branches that are merged, tags.

Ages count back from the day of the build, so the demo is always recent. Components of a commit come
from two places: declared ones stand in the story, code and flows lie as real files in the folder
`files/<team>/<commit's folder>`, laid out as in source format.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath

from demo.content.components import (
    API_VERSION,
    FILE_FOLDERS,
    Component,
    Components,
    Filed,
    Key,
    collect,
)
from demo.content.people import Person
from demo.content.xml import document

FILES = Path(__file__).parent / "files"


@dataclass(frozen=True)
class When:
    """A moment so many days before today, at a time of day in UTC."""

    days: int
    at: str

    def on(self, today: datetime) -> datetime:
        """Give the moment as seen from today; today's own moments never lie ahead."""
        hours, minutes = (int(part) for part in self.at.split(":"))
        day = (today - timedelta(days=self.days)).astimezone(UTC)
        moment = day.replace(hour=hours, minute=minutes, second=0, microsecond=0)
        return min(moment, today)


@dataclass(frozen=True)
class Commit:
    """One commit: who, when, why, and which components it adds or changes."""

    by: Person
    when: When
    message: str
    folder: str | None = None
    declares: Sequence[Component] = ()
    plain: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Branch:
    """Commits on a branch; merged by somebody, or still open when `merged_by` is None."""

    name: str
    commits: Sequence[Commit]
    merged_by: Person | None = None
    merged_when: When | None = None


@dataclass(frozen=True)
class Tag:
    """An annotated tag on the main branch as it is at this point of the story."""

    name: str
    by: Person
    when: When
    message: str


Step = Commit | Branch | Tag


@dataclass(frozen=True)
class Story:
    """A team's repository: its format (source packages or one metadata folder) and its history."""

    team: str
    packages: tuple[str, ...]
    steps: Sequence[Step]

    @property
    def is_source(self) -> bool:
        """Whether the repository is in source format."""
        return self.packages != ("src",)


def components_of(team: str, commit: Commit) -> dict[Key, Component]:
    """Gather what a commit adds or changes: what it declares and what lies in its folder."""
    filed = read_folder(FILES / team / commit.folder) if commit.folder else ()
    return collect(commit.declares, filed)


def components_at(story: Story, tag: str) -> Components:
    """Gather the components that the main branch holds at a tag."""
    held: dict[Key, Component] = {}
    for step in story.steps:
        if isinstance(step, Tag):
            if step.name == tag:
                return held
        elif isinstance(step, Commit):
            held |= components_of(story.team, step)
        elif step.merged_by:
            for commit in step.commits:
                held |= components_of(story.team, commit)
    raise LookupError(f"{story.team} has no tag {tag}")


def read_folder(folder: Path) -> Iterator[Filed]:
    """Read components kept as files; code without its own meta file gets the ordinary one."""
    if not folder.is_dir():
        raise LookupError(f"the demo's content lacks the folder {folder}")
    found: dict[Key, dict[str, bytes]] = defaultdict(dict)
    for path in sorted(one for one in folder.rglob("*") if one.is_file()):
        top, *rest = path.relative_to(folder).parts
        type_ = FILE_FOLDERS[top]
        found[Key(type_, _name(rest))][str(PurePosixPath(*rest))] = path.read_bytes()
    for key, files in found.items():
        yield Filed(key, files | _meta(key, files))


def _name(parts: Sequence[str]) -> str:
    return parts[0].split(".", 1)[0]


def _meta(key: Key, files: Mapping[str, bytes]) -> dict[str, bytes]:
    suffix = {"ApexClass": "cls", "ApexTrigger": "trigger"}.get(key.type)
    if suffix is None:
        return {}
    body = document(key.type, (("apiVersion", API_VERSION), ("status", "Active")))
    return {f"{key.name}.{suffix}-meta.xml": body} | dict(files)
