"""Bare mirrors of repositories: fetched by address, read without a work tree.

GitPython runs the git commands; its object API is not used. Only https, ssh and paths below the
installation's roots are fetched, redirects are refused, secrets never stand in an address or in
arguments.
"""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import git

from core.errors import ExternalFault, InvalidInput, NotFound
from metadata.locations import GitRules, check_location

FETCH_SECONDS = 600
READ_SECONDS = 120
MAX_FILES = 200_000
SHA = re.compile(r"^[0-9a-f]{40}([0-9a-f]{24})?$")
CO_AUTHOR = re.compile(r"^co-authored-by:\s*(.+?)\s*<([^>]+)>\s*$", re.I | re.M)
_FIELDS = "%H%x00%P%x00%an%x00%ae%x00%at%x00%cn%x00%ce%x00%ct%x00%B%x01"


@dataclass(frozen=True, slots=True)
class GitCredential:
    """How to sign in to a Git host; ``known_host`` is the host key line for ssh."""

    kind: str
    username: str
    secret: str
    known_host: str

    def __repr__(self) -> str:
        return f"GitCredential(kind={self.kind!r})"


@dataclass(frozen=True, slots=True)
class Refs:
    """Branches and tags with the commits that they name; annotated tags are peeled."""

    branches: dict[str, str]
    tags: dict[str, str]


@dataclass(frozen=True, slots=True)
class CommitInfo:
    """One commit; times are aware UTC."""

    sha: str
    parents: tuple[str, ...]
    author_name: str
    author_email: str
    authored_at: datetime
    committer_name: str
    committer_email: str
    committed_at: datetime
    co_authors: tuple[tuple[str, str], ...]
    message: str


@dataclass(frozen=True, slots=True)
class Layout:
    """How a commit lays out its metadata; directories relative to the repository's root."""

    name: Literal["source", "metadata"]
    directories: tuple[str, ...]
    api_version: str


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """A file of a commit: mode, blob and size in bytes."""

    mode: str
    blob: str
    size: int


class Mirror:
    """A bare mirror at a path of this host."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def fetch(self, url: str, credential: GitCredential | None, rules: GitRules) -> None:
        """Bring all branches and tags up to date; raises ExternalFault ``git.*``."""
        location = check_location(url, rules)
        if not (self.path / "HEAD").exists():
            self.path.mkdir(parents=True, exist_ok=True)
            git.Repo.init(self.path, bare=True)
        with _environment(credential) as environment:
            self._run(
                [
                    *_SAFE,
                    "fetch",
                    "--prune",
                    "--force",
                    "--no-tags",
                    "--no-recurse-submodules",
                    "--quiet",
                    "--end-of-options",
                    location,
                    "+refs/heads/*:refs/heads/*",
                    "+refs/tags/*:refs/tags/*",
                ],
                environment=environment,
                seconds=FETCH_SECONDS,
            )

    def refs(self) -> Refs:
        """Every branch and tag."""
        form = "%(refname)%00%(objectname)%00%(*objectname)%00%(objecttype)%00%(*objecttype)"
        branches: dict[str, str] = {}
        tags: dict[str, str] = {}
        for line in self._text("for-each-ref", f"--format={form}").splitlines():
            name, sha, peeled, kind, peeled_kind = line.split("\0")
            if "commit" not in (kind, peeled_kind):
                continue
            if name.startswith("refs/heads/"):
                branches[name.removeprefix("refs/heads/")] = sha
            elif name.startswith("refs/tags/"):
                tags[name.removeprefix("refs/tags/")] = peeled or sha
        return Refs(branches, tags)

    def resolve(self, ref: str) -> str:
        """The commit that a ref or SHA names; raises NotFound ``git.unknown_ref``."""
        try:
            return self._text(
                "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}"
            ).strip()
        except ExternalFault:
            raise NotFound("git.unknown_ref", f"The repository has no “{ref}”.") from None

    def commits(
        self, rev: str, *, not_in: Iterable[str] = (), limit: int | None = None
    ) -> list[CommitInfo]:
        """Commits reachable from ``rev`` and not from ``not_in``, newest first."""
        options = [f"--max-count={limit}"] if limit else []
        negative = [f"^{self._sha(sha)}" for sha in not_in if self._has(sha)]
        out = self._text("log", *options, f"--format={_FIELDS}", self._sha(rev), *negative, "--")
        return [_commit(record) for record in out.split("\x01") if record.strip()]

    def contributors(self, rev: str, *, not_in: Iterable[str] = ()) -> set[tuple[str, str]]:
        """Name and e-mail of authors, committers and co-authors."""
        people: set[tuple[str, str]] = set()
        for commit in self.commits(rev, not_in=not_in):
            people.add((commit.author_name, commit.author_email))
            people.add((commit.committer_name, commit.committer_email))
            people.update(commit.co_authors)
        return people

    def tree(self, rev: str, under: str = "") -> dict[str, TreeEntry]:
        """Files of a commit by path; raises InvalidInput ``git.too_many_files``."""
        args = ["ls-tree", "-r", "-z", "-l", "--full-tree", self._sha(rev)]
        out = self._bytes(*args, "--", *([under] if under else []))
        entries: dict[str, TreeEntry] = {}
        for record in out.split(b"\0"):
            if not record:
                continue
            facts, _, path = record.partition(b"\t")
            mode, _kind, blob, size = facts.decode().split()
            name = path.decode("utf-8", "surrogateescape")
            entries[name] = TreeEntry(mode, blob, int(size) if size.isdigit() else 0)
            if len(entries) > MAX_FILES:
                raise InvalidInput(
                    "git.too_many_files", f"The commit has more than {MAX_FILES:,} files."
                )
        return entries

    def blobs(self, shas: Iterable[str]) -> Iterator[bytes]:
        """Contents of blobs in the order asked, by one ``cat-file --batch``."""
        wanted = list(shas)
        if not wanted:
            return
        with tempfile.TemporaryFile() as questions:
            questions.write(("\n".join(wanted) + "\n").encode())
            questions.seek(0)
            with subprocess.Popen(
                ["git", "-C", str(self.path), "cat-file", "--batch", "--buffer"],
                stdin=questions,
                stdout=subprocess.PIPE,
                env=base_environment(),
            ) as process:
                stdout = process.stdout or io.BytesIO()
                for sha in wanted:
                    head = stdout.readline().split()
                    if len(head) != 3:
                        raise ExternalFault(
                            "git.missing_object",
                            f"The mirror lacks object {sha[:12]}; fetch again.",
                            retryable=False,
                        )
                    yield stdout.read(int(head[2]))
                    stdout.read(1)

    def file(self, rev: str, path: str) -> bytes | None:
        """Content of one file; ``None`` when the commit has none."""
        entry = self.tree(rev, path).get(path)
        return next(self.blobs([entry.blob])) if entry else None

    def format(self, rev: str) -> Layout:
        """How a commit lays out its metadata; raises InvalidInput ``metadata.none``."""
        tree = self.tree(rev)
        project = self._project(tree)
        if project is not None:
            return project
        manifests = [path for path in tree if path.split("/")[-1] == "package.xml"]
        for path in sorted(manifests, key=lambda item: (item.count("/"), item)):
            directory = path.rsplit("/", 1)[0] if "/" in path else ""
            prefix = f"{directory}/" if directory else ""
            if any(name.startswith(prefix) and "/" in name[len(prefix) :] for name in tree):
                text = next(self.blobs([tree[path].blob])).decode("utf-8", "replace")
                found = re.search(r"<version>\s*([0-9.]+)\s*</version>", text)
                return Layout("metadata", (directory,), found[1] if found else "")
        raise InvalidInput(
            "metadata.none",
            "The commit has no Salesforce metadata: neither sfdx-project.json nor package.xml.",
        )

    def _project(self, tree: Mapping[str, TreeEntry]) -> Layout | None:
        entry = tree.get("sfdx-project.json")
        if entry is None:
            return None
        try:
            project = json.loads(next(self.blobs([entry.blob])).decode("utf-8-sig"))
            directories = tuple(
                item["path"].removeprefix("./").strip("/") for item in project["packageDirectories"]
            )
            version = str(project.get("sourceApiVersion", ""))
        except (ValueError, KeyError, TypeError, AttributeError) as fault:
            raise InvalidInput(
                "metadata.project_file", f"sfdx-project.json cannot be read: {fault}."
            ) from None
        return Layout("source", directories, version)

    def bundle(self) -> bytes:
        """All refs as one bundle file."""
        with tempfile.TemporaryDirectory() as directory:
            target = Path(directory) / "all.bundle"
            self._run(["bundle", "create", "--quiet", str(target), "--all"])
            return target.read_bytes()

    def _sha(self, rev: str) -> str:
        return rev if SHA.match(rev) else self.resolve(rev)

    def _has(self, sha: str) -> bool:
        try:
            self._run(["cat-file", "-e", f"{sha}^{{commit}}"])
        except ExternalFault:
            return False
        return True

    def _text(self, *args: str) -> str:
        return self._bytes(*args).decode("utf-8", "replace")

    def _bytes(self, *args: str) -> bytes:
        return self._run(list(args))

    def _run(
        self,
        args: list[str],
        *,
        environment: Mapping[str, str] | None = None,
        seconds: int = READ_SECONDS,
    ) -> bytes:
        runner = git.Git(self.path)
        try:
            out = runner.execute(
                ["git", *args],
                env={**base_environment(), **(environment or {})},
                kill_after_timeout=seconds,
                stdout_as_string=False,
                strip_newline_in_stdout=False,
            )
        except git.GitCommandError as fault:
            raise _fault(fault) from None
        return bytes(out) if isinstance(out, bytes) else str(out).encode()


_SAFE = [
    "-c", "protocol.allow=never",
    "-c", "protocol.https.allow=always",
    "-c", "protocol.ssh.allow=always",
    "-c", "protocol.file.allow=always",
    "-c", "http.followRedirects=false",
    "-c", "fetch.fsckObjects=true",
    "-c", "core.hooksPath=/dev/null",
    "-c", "credential.helper=",
]  # fmt: skip


def base_environment() -> dict[str, str]:
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": os.devnull,
        "LC_ALL": "C.UTF-8",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": "*",
    }


@contextmanager
def _environment(credential: GitCredential | None) -> Iterator[dict[str, str]]:
    """Environment that hands the credential to git by a file that only we can read."""
    if credential is None:
        yield {"GIT_SSH_COMMAND": "false"}
        return
    with tempfile.TemporaryDirectory() as directory:
        base = Path(directory)
        if credential.kind == "ssh_key":
            key, hosts = base / "key", base / "known_hosts"
            _write(key, credential.secret.strip() + "\n")
            _write(hosts, credential.known_host + "\n")
            yield {
                "GIT_SSH_COMMAND": f"ssh -i {key} -o IdentitiesOnly=yes -o BatchMode=yes "
                f"-o StrictHostKeyChecking=yes -o UserKnownHostsFile={hosts}"
            }
            return
        _write(base / "user", credential.username or "x-access-token")
        _write(base / "secret", credential.secret.strip())
        script = base / "askpass"
        _write(
            script,
            f'#!/bin/sh\ncase "$1" in Username*) cat {base}/user ;; *) cat {base}/secret ;; esac\n',
        )
        script.chmod(0o700)
        yield {"GIT_ASKPASS": str(script), "GIT_SSH_COMMAND": "false"}


def _write(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")


def _commit(record: str) -> CommitInfo:
    sha, parents, an, ae, at, cn, ce, ct, body = record.lstrip("\n").split("\0", 8)
    return CommitInfo(
        sha=sha,
        parents=tuple(parents.split()),
        author_name=an,
        author_email=ae,
        authored_at=datetime.fromtimestamp(int(at), UTC),
        committer_name=cn,
        committer_email=ce,
        committed_at=datetime.fromtimestamp(int(ct), UTC),
        co_authors=tuple(CO_AUTHOR.findall(body)),
        message=body.strip("\n"),
    )


def _fault(fault: git.GitCommandError) -> ExternalFault:
    """A sentence for what git said, without addresses or secrets."""
    said = str(fault.stderr or "").lower()
    for words, code, text, retryable in (
        (("authentication failed", "could not read username", "permission denied", "403", "401"),
         "git.refused", "The Git host refused the credential. Store a valid one.", False),
        (("could not resolve host", "timed out", "connection refused", "timeout:"),
         "git.unreachable", "The Git host could not be reached. It is tried again.", True),
        (("does not appear to be a git repository", "not found", "does not exist"),
         "git.no_repository", "There is no Git repository at that address.", False),
        (("host key verification failed",),
         "git.host_key", "The Git host's key is not the one that was stored.", False),
    ):  # fmt: skip
        if any(word in said for word in words):
            return ExternalFault(code, text, retryable=retryable)
    last = said.strip().strip("'").splitlines()[-1:] or ["no message"]
    return ExternalFault("git.failed", f"Git failed: {last[0][:200]}", retryable=False)
