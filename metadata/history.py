"""Commit normal-form trees into bare repositories, by plumbing only, and bundle them.

Nobody but Gatehouse writes these repositories. Author, time and tree come from the caller, so that
every host makes the same commit of the same content.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from core.errors import ExternalFault, InvalidInput
from metadata.runner import Runner

AUTHOR = "Gatehouse <gatehouse@localhost>"
BRANCH = "refs/heads/main"
_UNSAFE = frozenset({"", ".", "..", ".git"})


def commit(
    path: Path,
    files: Mapping[str, bytes],
    message: str,
    parent: str | None = None,
    *,
    when: int = 0,
) -> str:
    """Commit files as the whole tree, on top of ``parent``; returns the commit's id.

    The bare repository is made when it is not there. Equal input gives an equal id; ``when`` is in
    seconds since 1970. Raises InvalidInput ``git.unsafe_path`` and ExternalFault ``git.history``.
    """
    with _locked(path):
        _create(path)
        run = Runner(path)
        try:
            run.output(
                "fast-import", "--quiet", "--force", "--date-format=raw",
                given=_stream(files, message, parent, when),
            )  # fmt: skip
            return run.text("rev-parse", "--verify", "--quiet", BRANCH).strip()
        except ExternalFault as fault:
            raise ExternalFault(
                "git.history",
                f"The history repository could not be written: {fault.message}",
                retryable=True,
            ) from None


def bundle(path: Path, *revs: str) -> bytes:
    """The repository, or what the named commits reach, as one Git bundle file."""
    return Runner(path).output("bundle", "create", "-", *(revs or (BRANCH,)))


def _stream(files: Mapping[str, bytes], message: str, parent: str | None, when: int) -> bytes:
    """What ``git fast-import`` reads: one commit whose tree is exactly the files."""
    text = message.encode("utf-8")
    parts = [
        f"reset {BRANCH}\n".encode(),
        f"commit {BRANCH}\ncommitter {AUTHOR} {int(when)} +0000\ndata {len(text)}\n".encode(),
        text,
        b"\n",
    ]
    if parent:
        parts.append(f"from {parent}\n".encode("ascii"))
    parts.append(b"deleteall\n")
    for name in sorted(files):
        content = files[name]
        parts.append(f"M 100644 inline {_quoted(name)}\ndata {len(content)}\n".encode())
        parts += [content, b"\n"]
    parts.append(b"done\n")
    return b"".join(parts)


def _quoted(name: str) -> str:
    if any(part.lower() in _UNSAFE for part in name.split("/")) or "\0" in name:
        raise InvalidInput("git.unsafe_path", f"{name[:120]!r} cannot be a path of a Git tree.")
    escaped = name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _create(path: Path) -> None:
    if not (path / "HEAD").is_file():
        path.mkdir(parents=True, exist_ok=True)
        Runner(path).output("init", "--bare", "--quiet", "--template=", "-b", "main", str(path))


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """One commit at a time in one repository on this host."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f"{path.name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
