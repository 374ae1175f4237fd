"""Bare mirrors of teams' repositories: fetched by address, read without a work tree.

A mirror is a cache of one host and may be deleted at any time.
"""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from os import PathLike
from pathlib import Path

from core.errors import ExternalFault, InvalidInput
from metadata import commits
from metadata.commits import CommitInfo
from metadata.faults import explained
from metadata.locations import GitRules, check_location
from metadata.objects import TreeEntry
from metadata.projects import Layout
from metadata.refs import Refs
from metadata.repository import SHA, Repository
from metadata.transport import GitCredential, prepared

__all__ = ["CommitInfo", "GitCredential", "GitRules", "Layout", "Mirror", "Refs", "TreeEntry"]

REFSPECS = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")


class Mirror(Repository):
    """A bare repository on this host that follows another one."""

    def __init__(self, path: str | PathLike[str]) -> None:
        super().__init__(path)
        self.path = Path(path)

    def fetch(self, url: str, credential: GitCredential | None, rules: GitRules) -> None:
        """Bring branches and tags to what the address has now; refs that are gone go here too.

        The address is checked again: a row may be older than the rules. Codes: those of
        ``check_location``, ``git.refused``, ``git.no_repository``, ``git.unreachable``,
        ``git.host_key``, ``git.certificate``, ``git.redirect``, ``git.timeout``, ``git.broken``,
        ``git.too_large``, ``git.failed``, ``git.credential_kind``, ``git.known_host``.
        """
        location = check_location(url, rules)
        with self._locked():
            self._create()
            with prepared(location, credential) as environment:
                try:
                    self.run.output(
                        "fetch", "--quiet", "--prune", "--force", "--no-tags",
                        "--no-recurse-submodules", "--no-write-fetch-head", "--no-auto-gc",
                        "--end-of-options", location, *REFSPECS,
                        env=environment, seconds=rules.seconds,
                    )  # fmt: skip
                except ExternalFault as fault:
                    raise explained(fault, location) from None
            self._bounded(rules)

    def commits(
        self, rev: str, *, not_in: Iterable[str] = (), limit: int | None = None
    ) -> list[CommitInfo]:
        """Commits that ``rev`` reaches and none of ``not_in`` does, newest first.

        Ids in ``not_in`` that the mirror lacks (after a forced push) are left out.
        """
        arguments = ["log", "-z", f"--format={commits.FORMAT}", "--no-show-signature"]
        if limit is not None:
            arguments.append(f"--max-count={int(limit)}")
        start = self.resolve(rev)
        excluded = [f"^{sha}" for sha in self._present(not_in)]
        return list(commits.parse(self.run.output(*arguments, start, *excluded, "--")))

    def contributors(self, rev: str, *, not_in: Iterable[str] = ()) -> set[tuple[str, str]]:
        """(name, address) of everybody who wrote, committed or co-authored those commits."""
        return {person for commit in self.commits(rev, not_in=not_in) for person in commit.people}

    def bundle(self, *revs: str) -> bytes:
        """The repository, or what the named commits reach, as one Git bundle file."""
        names = [self.resolve(rev) for rev in revs]
        return self.run.output("bundle", "create", "-", *(names or ["--all"]))

    def _present(self, shas: Iterable[str]) -> Sequence[str]:
        clean = [sha for sha in shas if SHA.fullmatch(sha)]
        if not clean:
            return []
        given = "".join(f"{sha}\n" for sha in clean).encode("ascii")
        printed = self.run.output("cat-file", "--batch-check", given=given).decode("ascii")
        return [line.split()[0] for line in printed.splitlines() if " commit " in line]

    def _create(self) -> None:
        if (self.path / "HEAD").is_file():
            return
        self.path.mkdir(parents=True, exist_ok=True)
        self.run.output("init", "--bare", "--quiet", "--template=", str(self.path))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One fetch at a time in one mirror on this host."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.with_name(f"{self.path.name}.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _bounded(self, rules: GitRules) -> None:
        held = sum(file.stat().st_size for file in self.path.rglob("*") if file.is_file())
        if held > rules.max_bytes:
            shutil.rmtree(self.path, ignore_errors=True)
            raise InvalidInput(
                "git.too_large",
                f"The repository takes {held // 1024**2:,} MB; "
                f"this installation mirrors at most {rules.max_bytes // 1024**2:,} MB.",
                field="url",
            )
