"""The places outside: a directory, e-mail addresses, a branch of a Git remote.

Each takes one checkpoint at a time and never replaces one. Which exist is said by the environment
of the worker (``config.env.Checkpoints``).
"""

from __future__ import annotations

import base64
import json
import os
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from django.conf import settings
from django.core.mail import EmailMessage

from core.errors import Conflict, ExternalFault
from metadata import runner, spawned, transport

BRANCH = "refs/heads/checkpoints"
PUSH_SECONDS = 60.0
AUTHOR = "Gatehouse <gatehouse@localhost>"


@dataclass(frozen=True, slots=True)
class Record:
    """A checkpoint as it is written outside: one line of JSON."""

    number: int
    body: str
    signature: bytes
    key_id: str

    @property
    def file_name(self) -> str:
        """Name of its file; sorted by name is sorted by number."""
        return f"checkpoint-{self.number:08d}.json"

    def line(self) -> str:
        """Write it as JSON."""
        signature = base64.b64encode(self.signature).decode("ascii")
        content = {"body": self.body, "key": self.key_id, "signature": signature}
        return json.dumps(content, ensure_ascii=False, sort_keys=True) + "\n"


class Place(Protocol):
    """Somewhere outside."""

    @property
    def name(self) -> str:
        """How pages and events name it; never a secret."""

    def put(self, record: Record) -> None:
        """Leave the checkpoint there; raises DomainError or OSError."""


@dataclass(frozen=True, slots=True)
class Directory:
    """A directory, best on another machine and written to by this worker alone."""

    path: Path

    @property
    def name(self) -> str:
        """Name the directory."""
        return f"directory {self.path}"

    def put(self, record: Record) -> None:
        """Write a new file and never over an old one; the same content again is fine."""
        self.path.mkdir(parents=True, exist_ok=True)
        target = self.path / record.file_name
        content = record.line().encode("utf-8")
        handle, partial = tempfile.mkstemp(prefix=".checkpoint-", dir=self.path)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(partial, 0o444)
            os.link(partial, target)
        except FileExistsError:
            if target.read_bytes() != content:
                raise Conflict(
                    "checkpoint.exists",
                    f"{target} already holds another checkpoint with this number. "
                    "Find out who wrote it: two databases share this place, or one was restored.",
                ) from None
        finally:
            Path(partial).unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Mail:
    """An e-mail address whose owner keeps what arrives."""

    address: str

    @property
    def name(self) -> str:
        """Name the address."""
        return f"e-mail {self.address}"

    def put(self, record: Record) -> None:
        """Send it as text and as a file."""
        content = json.loads(record.body)
        message = EmailMessage(
            subject=f"Gatehouse: checkpoint {record.number} of the history",
            body=(
                f"The history of {settings.GATEHOUSE.base_url} has {content['position']} events.\n"
                f"It ends with {content['hash']}.\n\n"
                "Keep this message: it shows later that nothing before it was altered.\n"
                f"The line below is the attached file.\n\n{record.line()}"
            ),
            to=[self.address],
            headers={"Auto-Submitted": "auto-generated"},
        )
        message.attach(record.file_name, record.line(), "application/json")
        message.send()


@dataclass(frozen=True, slots=True)
class GitRemote:
    """A branch that only grows, in a repository that others keep.

    The remote should refuse forced pushes and deletions of the branch; this worker never forces.
    """

    url: str
    secret: Path | None = None
    known_host: str = ""

    @property
    def name(self) -> str:
        """Name the remote without what might stand before its host."""
        return f"git {self.url.rpartition('@')[2]}"

    def put(self, record: Record) -> None:
        """Add one commit with one more file on top of the branch, and push it."""
        with (
            tempfile.TemporaryDirectory(prefix="gatehouse-checkpoint-") as name,
            transport.prepared(self.url, self._credential()) as reach,
        ):
            environment = {**spawned.environment(), **reach}
            run = runner.Runner(Path(name))
            run.text("init", "--bare", "--quiet", "--template=", name)
            parent = self._fetch(run, environment)
            if parent and self._holds(run, parent, record):
                return
            run.output("fast-import", "--quiet", "--date-format=raw", given=_commit(record, parent))
            run.text(
                "push", "--quiet", self.url, f"{BRANCH}:{BRANCH}",
                env=environment, seconds=PUSH_SECONDS,
            )  # fmt: skip

    def _fetch(self, run: runner.Runner, environment: dict[str, str]) -> str:
        """Bring the end of the branch here; nothing before the first checkpoint."""
        listed = run.text("ls-remote", self.url, BRANCH, env=environment, seconds=PUSH_SECONDS)
        if not listed:
            return ""
        wanted = ("fetch", "--quiet", "--depth=1", self.url, f"+{BRANCH}:{BRANCH}")
        run.text(*wanted, env=environment, seconds=PUSH_SECONDS)
        return run.text("rev-parse", "--verify", BRANCH).strip()

    def _credential(self) -> transport.GitCredential | None:
        if self.secret is None:
            return None
        return transport.GitCredential(
            kind="https_token" if self.url.startswith("https:") else "ssh_key",
            secret=self.secret.read_text(encoding="utf-8"),
            known_host=self.known_host,
        )

    def _holds(self, run: runner.Runner, parent: str, record: Record) -> bool:
        names = run.text("ls-tree", "--name-only", parent).split()
        if record.file_name not in names:
            return False
        if run.text("show", f"{parent}:{record.file_name}") != record.line():
            raise ExternalFault(
                "checkpoint.exists",
                f"The branch at {self.name} holds another checkpoint {record.number}. "
                "Find out who wrote it: two databases share this place, or one was restored.",
                retryable=False,
            )
        return True


def _commit(record: Record, parent: str) -> bytes:
    at = json.loads(record.body)["at"]
    words = f"Checkpoint {record.number}, {at}".encode()
    content = record.line().encode("utf-8")
    parts = [
        f"commit {BRANCH}\ncommitter {AUTHOR} {_seconds(at)} +0000\n".encode(),
        b"data %d\n%s\n" % (len(words), words),
        f"from {parent}\n".encode() if parent else b"",
        f"M 100644 inline {record.file_name}\ndata {len(content)}\n".encode(),
        content,
        b"\ndone\n",
    ]
    return b"".join(parts)


def _seconds(at: str) -> int:
    return int(datetime.fromisoformat(at).timestamp())


def configured() -> list[Place]:
    """Return the places of this installation."""
    given = settings.GATEHOUSE.checkpoints
    found: list[Place] = [Directory(given.directory)] if given.directory else []
    found += [Mail(address) for address in given.email]
    if given.git_url:
        found.append(GitRemote(given.git_url, given.git_secret_file, given.git_known_host))
    return found
