"""Let the refs of a built repository lag behind: show it as it was at a moment of its history.

The finished refs are set aside under `refs/northwind/`, which nobody fetches, so the tide survives
an interruption. When all is shown they are removed, and the repository is an ordinary one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from demo.content.repositories import git

ASIDE = "refs/northwind/"
MAIN = "refs/heads/main"


@dataclass(frozen=True)
class Appearance:
    """From this moment on a ref names this object, until a later appearance of the same ref."""

    at: datetime
    ref: str
    sha: str


class Tide:
    """One repository whose history appears step by step."""

    def __init__(self, repository: Path) -> None:
        self._repository = repository
        self._set_aside()
        self._appearances = sorted(self._read(), key=lambda one: one.at)
        self._shown: dict[str, str] | None = None

    def moments(self) -> list[datetime]:
        """Name the moments at which something appears, the earliest first."""
        return [one.at for one in self._appearances]

    def rise(self, until: datetime) -> bool:
        """Show branches and tags as they were at the moment; say whether anything changed."""
        wanted = {one.ref: one.sha for one in self._appearances if one.at <= until}
        if wanted == self._shown:
            return False
        lines = [f"update {ref} {sha}" for ref, sha in wanted.items()]
        present = _refs(self._repository, "refs/heads", "refs/tags")
        lines += [f"delete {ref}" for ref in present if ref not in wanted]
        git(self._repository, "update-ref", "--stdin", stdin="\n".join([*lines, ""]).encode())
        self._shown = wanted
        return True

    def flood(self) -> None:
        """Show everything and forget what was set aside."""
        lines = []
        for aside, (sha, _) in _refs(self._repository, ASIDE).items():
            lines += [f"update refs/{aside.removeprefix(ASIDE)} {sha}", f"delete {aside}"]
        git(self._repository, "update-ref", "--stdin", stdin="\n".join([*lines, ""]).encode())

    def _set_aside(self) -> None:
        if _refs(self._repository, ASIDE):
            return
        lines = [
            f"update {ASIDE}{ref.removeprefix('refs/')} {sha}"
            for ref, (sha, _) in _refs(self._repository, "refs/heads", "refs/tags").items()
        ]
        git(self._repository, "update-ref", "--stdin", stdin="\n".join([*lines, ""]).encode())

    def _read(self) -> list[Appearance]:
        main = f"{ASIDE}heads/main"
        log = git(self._repository, "log", "--first-parent", "--format=%ct %H", main)
        found = [
            Appearance(_moment(at), MAIN, sha)
            for at, sha in (line.split() for line in log.splitlines())
        ]
        others = _refs(self._repository, ASIDE)
        others.pop(main)
        return found + [
            Appearance(_moment(at), f"refs/{aside.removeprefix(ASIDE)}", sha)
            for aside, (sha, at) in others.items()
        ]


def _refs(repository: Path, *below: str) -> dict[str, tuple[str, str]]:
    """Read refs with the object each names and the moment at which that was made."""
    wanted = "--format=%(refname) %(objectname) %(creatordate:unix)"
    lines = (line.split() for line in git(repository, "for-each-ref", wanted, *below).splitlines())
    return {ref: (sha, at) for ref, sha, at in lines}


def _moment(seconds: str) -> datetime:
    return datetime.fromtimestamp(int(seconds), tz=UTC)
