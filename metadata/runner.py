"""Run git in a bare repository, cut off from the machine's configuration and from its own hooks.

GitPython starts what changes a repository or leaves this machine. What only reads objects is
started straight from here: importing GitPython takes longer than a whole delta (ADR 42), and its
object API is hundreds of times slower than git on large trees. Every argument list is built here or
by the callers from checked values; names that came from outside are resolved to object ids first
and never stand where git reads an option.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, NamedTuple

from core.errors import ExternalFault
from metadata import spawned

if TYPE_CHECKING:
    import subprocess  # GitPython loads it; what only reads does without

    Started = spawned.Spawned | subprocess.Popen[bytes]

READING = frozenset({"cat-file", "diff-tree", "for-each-ref", "log", "ls-tree", "rev-parse"})
"""Commands that only read objects of the repository."""

SECONDS = 120.0
"""How long a local command may take; fetches have their own limit."""


class Running(NamedTuple):
    """A started command with its pipes."""

    process: Started
    stdout: IO[bytes]
    stderr: IO[bytes]
    stdin: IO[bytes] | None
    asked: Sequence[str] = ()
    """What it has been asked already."""


class Runner:
    """git in one bare repository."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)

    def text(
        self,
        *arguments: str,
        given: bytes | None = None,
        env: Mapping[str, str] | None = None,
        seconds: float = SECONDS,
    ) -> str:
        """Run a command and return what it prints, decoded as UTF-8.

        Raises ExternalFault ``git.failed`` or ``git.timeout``.
        """
        return self.output(*arguments, given=given, env=env, seconds=seconds).decode(
            "utf-8", "surrogateescape"
        )

    def output(
        self,
        *arguments: str,
        given: bytes | None = None,
        env: Mapping[str, str] | None = None,
        seconds: float = SECONDS,
    ) -> bytes:
        """Run a command, give it bytes on standard input, and return the bytes it prints."""
        with self.process(*arguments, stdin=given is not None, env=env, seconds=seconds) as process:
            feeder = feed(process, given) if given is not None else None
            printed = process.stdout.read()
            if feeder is not None:
                feeder.join()
        return printed

    @contextmanager
    def process(
        self,
        *arguments: str,
        stdin: bool = False,
        env: Mapping[str, str] | None = None,
        seconds: float = SECONDS,
    ) -> Iterator[Running]:
        """Run a command whose output is read as it comes; a failure raises when the block ends.

        The process is killed when the block raises or the time is over. EOFError in the block says
        that git ended too early.
        """
        running = self._start(arguments, stdin, env)
        late = threading.Event()
        timer = threading.Timer(seconds, _stop, (running, late))
        timer.start()
        errors: list[bytes] = []
        reader = _collect(running.stderr, errors)
        try:
            yield running
            while running.stdout.read(1 << 16):
                pass
            status = running.process.wait()
        except EOFError:  # it ended before it had answered
            status = running.process.wait() or 1
        finally:
            timer.cancel()
            _close(running, reader)
        if late.is_set():
            raise ExternalFault(
                "git.timeout", f"Git took longer than {seconds:.0f} seconds and was stopped.",
                retryable=True,
            )  # fmt: skip
        if status != 0:
            raise failed(arguments, status, b"".join(errors))

    def _start(
        self, arguments: Sequence[str], stdin: bool, env: Mapping[str, str] | None
    ) -> Running:
        process: Started | None
        try:
            if arguments[0] in READING:
                process = spawned.reading(self.path, arguments, env, stdin=stdin)
            else:
                process = _by_gitpython(arguments, self.path, stdin, spawned.environment(env))
        except FileNotFoundError:
            raise ExternalFault(
                "git.missing", "Git is not installed on this machine.", retryable=False
            ) from None
        except OSError as fault:
            raise ExternalFault(
                "git.failed", f"Git did not start: {fault}", retryable=True
            ) from None
        if process is None or process.stdout is None or process.stderr is None:
            raise ExternalFault("git.failed", "Git did not start.", retryable=True)
        asked = process.asked if isinstance(process, spawned.Spawned) else ()
        return Running(process, process.stdout, process.stderr, process.stdin, asked)


def _by_gitpython(
    arguments: Sequence[str], path: str, stdin: bool, env: Mapping[str, str]
) -> subprocess.Popen[bytes] | None:
    import subprocess

    from git.cmd import Git
    from git.exc import GitCommandError, GitCommandNotFound

    try:
        given = subprocess.PIPE if stdin else None
        wrapped = Git(path if os.path.isdir(path) else None).execute(
            spawned.command(path, arguments),
            istream=given,
            as_process=True,
            env=dict(env),
            start_new_session=True,
        )
    except GitCommandNotFound:
        raise FileNotFoundError("git") from None
    except GitCommandError as fault:
        raise OSError(str(fault)) from None
    process, wrapped.proc = wrapped.proc, None  # ended here, not by GitPython's finaliser
    return process


def failed(arguments: Sequence[str], status: int, errors: bytes) -> ExternalFault:
    """The fault of a command that ended badly; ``facts["stderr"]`` holds what it said."""
    said = errors.decode("utf-8", "replace").strip()
    verb = next((word for word in arguments if not word.startswith("-") and "=" not in word), "git")
    last = said.splitlines()[-1].removeprefix("fatal: ") if said else f"it ended with {status}"
    return ExternalFault(
        "git.failed", f"Git could not do “{verb}”: {last}", retryable=False, stderr=said
    )


def feed(running: Running, given: bytes) -> threading.Thread:
    """Write in a thread, so that a full pipe on either side cannot stall the two."""

    def write() -> None:
        if running.stdin is not None:
            with suppress(BrokenPipeError, ValueError), running.stdin:
                running.stdin.write(given)

    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    return thread


def _collect(stream: IO[bytes], into: list[bytes]) -> threading.Thread:
    def read() -> None:
        for line in stream:
            into.append(line)
            if len(into) > 200:  # the last lines tell what went wrong
                del into[:100]

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    return thread


def _stop(running: Running, late: threading.Event) -> None:
    late.set()
    _kill(running.process)


def _kill(process: Started) -> None:
    """End git with the ssh or https child that it started; they share a session of their own."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _close(running: Running, reader: threading.Thread) -> None:
    if running.process.poll() is None:
        _kill(running.process)
        running.process.wait()
    reader.join(timeout=5)
    for stream in (running.stdin, running.stdout, running.stderr):
        if stream is not None:
            with suppress(BrokenPipeError):
                stream.close()
