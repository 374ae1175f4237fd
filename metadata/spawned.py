"""Start git as ``subprocess`` would, without the modules that it brings, and ahead where possible.

This is the first module that a command loads, so it loads hardly any others.
"""

from __future__ import annotations

import fcntl
import io
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress

PIPE = 1 << 20
"""As much as Linux gives a pipe: git goes on writing while Python is busy with something else."""

BUFFER = 1 << 18
"""Read from git at once; with the usual 8 kB every file of a commit would cost calls of its own."""

QUIET = (
    "--literal-pathspecs",
    "-c", "core.hooksPath=/dev/null",
    "-c", "core.fsmonitor=false",
    "-c", "core.quotePath=false",
    "-c", "core.deltaBaseCacheLimit=8m",  # fresh memory costs more than to unpack a base again
    "-c", "gc.auto=0",
    "-c", "maintenance.auto=false",
    "-c", "protocol.ext.allow=never",
    "-c", "submodule.recurse=false",
)  # fmt: skip

DIFFERING = ("diff-tree", "-r", "-z", "--raw", "--no-renames")
LISTING = ("ls-tree", "-r", "-z", "--full-tree")
NAMES = (*LISTING, "--name-only")
ANSWERING = ("cat-file", "--batch")

FIRST = ("sfdx-project.json", ".forceignore", "force-app/.forceignore")
"""What is read first of nearly every commit."""

HARMLESS = (13, 25)
"""Python ignores SIGPIPE and SIGXFSZ; what it starts has them as usual.

Both have one number on Linux and macOS; ``signal`` brings ``enum``, for which git waited 4 ms.
"""


class Spawned:
    """A program that runs in a session of its own; each pipe is closed by who uses it."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str], *, stdin: bool) -> None:
        """Raises OSError where it does not start."""
        pipes: list[tuple[int, int]] = []
        try:
            pipes += (os.pipe() for _number in range(3 if stdin else 2))
            theirs = [(pipes[0][1], 1), (pipes[1][1], 2), *((pipes[2][0], 0) for _ in pipes[2:])]
            actions = [(os.POSIX_SPAWN_DUP2, end, number) for end, number in theirs]
            self.pid = os.posix_spawnp(
                command[0], [*command], env, file_actions=actions, setsid=True, setsigdef=HARMLESS
            )
        except OSError:
            for end in (end for pipe in pipes for end in pipe):
                os.close(end)
            raise
        for end, _number in theirs:
            os.close(end)
        self.stdout = io.BufferedReader(io.FileIO(pipes[0][0], "rb"), BUFFER)
        self.stderr = io.BufferedReader(io.FileIO(pipes[1][0], "rb"))
        self.stdin = io.BufferedWriter(io.FileIO(pipes[2][1], "wb"), BUFFER) if stdin else None
        if sys.platform == "linux":
            with suppress(OSError):  # a user who has many pipes keeps the usual size
                fcntl.fcntl(self.stdout, fcntl.F_SETPIPE_SZ, PIPE)
        self.asked: Sequence[str] = ()
        self._status: int | None = None

    def ask(self, questions: Sequence[str]) -> None:
        """Write what the program reads line by line; raises OSError where it has ended."""
        if self.stdin is not None:
            self.stdin.write("".join(f"{line}\n" for line in questions).encode())
            self.stdin.flush()
        self.asked = questions

    def poll(self) -> int | None:
        """How it ended, negative for a signal; None while it runs."""
        return self._waited(os.WNOHANG)

    def wait(self) -> int:
        """How it ended, once it has."""
        return self._waited(0) or 0

    def _waited(self, options: int) -> int | None:
        if self._status is None:
            pid, status = os.waitpid(self.pid, options)
            if pid == self.pid:
                self._status = os.waitstatus_to_exitcode(status)
        return self._status


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """What git sees: no system or user configuration, no prompt, no repository from outside."""
    return {
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_COUNT": "0",
        "GIT_CONFIG_PARAMETERS": "",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "false",
        "SSH_ASKPASS": "false",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_ALLOW_PROTOCOL": "file",
        "LC_ALL": "C",
        "TZ": "UTC",
        **(extra or {}),
    }


def directory(path: str) -> str:
    """Where a repository, bare or not, has its objects."""
    inner = os.path.join(path, ".git")
    return inner if os.path.exists(inner) else path


def command(path: str, arguments: Sequence[str]) -> list[str]:
    """A command of git in a repository."""
    return ["git", f"--git-dir={path}", *QUIET, *arguments]


_ahead: dict[tuple[str, ...], Spawned] = {}


def ahead(path: str, arguments: Sequence[str]) -> None:
    """Start what only reads objects before it is asked for; whatever is wrong is told then.

    What nobody asks for ends with this process, when nothing takes what it prints.
    """
    with suppress(OSError):
        _ahead[path, *arguments] = Spawned(command(path, arguments), _own(None), stdin=False)


def answering_ahead(path: str, *commits: str) -> None:
    """Start what answers, with the questions that come first about commits of full ids."""
    with suppress(OSError):
        begun = Spawned(command(path, ANSWERING), _own(None), stdin=True)
        begun.ask(
            [f"{sha}^{{commit}}" for sha in commits]
            + [f"{sha}:{name}" for sha in reversed(commits) for name in FIRST]
        )
        _ahead[path, *ANSWERING] = begun


def reading(
    path: str, arguments: Sequence[str], env: Mapping[str, str] | None, *, stdin: bool
) -> Spawned:
    """Start what only reads objects, or take what was started ahead; raises OSError."""
    begun = None if env else _ahead.pop((path, *arguments), None)
    return begun or Spawned(command(path, arguments), _own(env), stdin=stdin)


def _own(env: Mapping[str, str] | None) -> dict[str, str]:
    return {**os.environ, **environment(env)}
