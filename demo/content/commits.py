"""Add a commit to a demo repository, as a developer of the team would push it.

Each commit adds the team's next small rule with its test. A broken one does not compile; the
next ordinary commit mends whatever is broken first.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from demo.content.components import API_VERSION
from demo.content.next_work import PLANS, Work
from demo.content.people import TEAMS, Person
from demo.content.repositories import STORIES, git
from demo.content.story import FILES
from demo.content.xml import document

BRANCH = "main"
CLASS_MEMBERS = re.compile(
    r"( *<types>\n)((?: *<members>.*</members>\n)+)( *<name>ApexClass</name>)"
)


@dataclass(frozen=True)
class Pushed:
    """The commit that was made."""

    team: str
    sha: str
    author: Person
    message: str
    paths: tuple[str, ...]


class NothingLeft(LookupError):
    """Every work of the team's plan is done."""


class NoRepository(LookupError):
    """The demo's repositories are not where they were looked for."""


def push(
    repositories: Path, team: str, *, message: str | None = None, broken: bool = False
) -> Pushed:
    """Commit the team's next work to its main branch; raises NothingLeft or NoRepository."""
    repository = repositories / f"{team}.git"
    if not repository.is_dir():
        raise NoRepository(
            f"There is no repository {repository}. Start ./script/server once; it makes the demo "
            "company and its repositories."
        )
    held = set(git(repository, "ls-tree", "-r", "--name-only", BRANCH).splitlines())
    mended = {} if broken else _mend(repository, team, held)
    if mended:
        names = ", ".join(Path(path).stem for path in mended)
        return _commit(repository, team, message or f"Close the block in {names}", mended)
    work = _next(team, held)
    return _commit(repository, team, message or work.message, _add(repository, team, work, broken))


def _next(team: str, held: set[str]) -> Work:
    for work in PLANS[team].works:
        if f"{_folder(team)}/{work.name}.cls" not in held:
            return work
    raise NothingLeft(
        f"The {team} team has done all its planned work. Clone its repository and commit your own."
    )


def _mend(repository: Path, team: str, held: set[str]) -> dict[str, str]:
    """Give the classes at the head whose braces do not match, as they should be."""
    right = {f"{work.name}.cls": work.rule() for work in PLANS[team].works}
    for file in sorted((FILES / team).glob("*-mended/classes/*.cls")):
        right[file.name] = file.read_text()
    mended: dict[str, str] = {}
    for path in sorted(held):
        if Path(path).name in right:
            text = git(repository, "show", f"{BRANCH}:{path}")
            if text.count("{") != text.count("}"):
                mended[path] = right[Path(path).name]
    return mended


def _add(repository: Path, team: str, work: Work, broken: bool) -> dict[str, str]:
    folder = _folder(team)
    meta = document("ApexClass", (("apiVersion", API_VERSION), ("status", "Active"))).decode()
    files = {
        f"{folder}/{work.name}.cls": work.broken_rule() if broken else work.rule(),
        f"{folder}/{work.name}.cls-meta.xml": meta,
        f"{folder}/{work.name}Test.cls": work.test(),
        f"{folder}/{work.name}Test.cls-meta.xml": meta,
    }
    if not STORIES[team].is_source:
        manifest = git(repository, "show", f"{BRANCH}:src/package.xml")
        files["src/package.xml"] = _with_members(manifest, work.name, f"{work.name}Test")
    return files


def _with_members(manifest: str, *names: str) -> str:
    """Name more classes in a package.xml, in order."""
    found = CLASS_MEMBERS.search(manifest)
    if found is None:
        raise ValueError("package.xml names no Apex classes")
    lines = found[2].splitlines(keepends=True)
    lines += [f"        <members>{name}</members>\n" for name in names]
    ordered = "".join(sorted(lines))
    return manifest[: found.start(2)] + ordered + manifest[found.end(2) :]


def _folder(team: str) -> str:
    story = STORIES[team]
    return f"{story.packages[0]}/main/default/classes" if story.is_source else "src/classes"


def _commit(repository: Path, team: str, message: str, files: Mapping[str, str]) -> Pushed:
    plan = PLANS[team]
    count = int(git(repository, "rev-list", "--count", "--grep=^Change: ", BRANCH))
    developers = TEAMS[team][1:]
    author = developers[count % len(developers)]
    text = (
        message
        if "Change: " in message
        else f"{message}\n\nChange: {plan.key}-{plan.first + count}"
    )
    moment = f"{int(datetime.now(tz=UTC).timestamp())} +0000"
    stream = bytearray(f"feature done\ncommit refs/heads/{BRANCH}\n".encode())
    stream += (
        f"author {author.signature} {moment}\ncommitter {author.signature} {moment}\n".encode()
    )
    stream += _blob(text + "\n") + f"from refs/heads/{BRANCH}^0\n".encode()
    for path, content in files.items():
        stream += f'M 100644 inline "{path}"\n'.encode() + _blob(content)
    git(repository, "fast-import", "--quiet", "--done", stdin=bytes(stream + b"\ndone\n"))
    sha = git(repository, "rev-parse", BRANCH).strip()
    return Pushed(team, sha, author, text.splitlines()[0], tuple(files))


def _blob(text: str) -> bytes:
    content = text.encode()
    return f"data {len(content)}\n".encode() + content + b"\n"


def main() -> int:
    """Read the command line, push, and say what was pushed."""
    parser = argparse.ArgumentParser(description="Push a new commit to a demo repository.")
    parser.add_argument("team", choices=sorted(PLANS))
    parser.add_argument("message", nargs="?", help="the commit's message")
    parser.add_argument("--broken", action="store_true", help="push Apex that does not compile")
    parser.add_argument("--repositories", type=Path, required=True, help="their directory")
    chosen = parser.parse_args()
    try:
        pushed = push(
            chosen.repositories, chosen.team, message=chosen.message, broken=chosen.broken
        )
    except (NothingLeft, NoRepository, RuntimeError) as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    lines = [f"{pushed.team} {BRANCH} {pushed.sha[:7]} by {pushed.author.name}: {pushed.message}"]
    lines += [f"  {path}" for path in pushed.paths]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
