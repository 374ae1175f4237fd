"""Commit normal-form trees into bare repositories, by plumbing only."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

import git

from core.errors import ExternalFault
from metadata.mirrors import base_environment

AUTHOR = "Gatehouse <gatehouse@localhost>"
REF = "refs/heads/main"


def commit(
    path: Path,
    files: Mapping[str, bytes],
    message: str,
    parent: str | None = None,
    *,
    when: int = 0,
) -> str:
    """Commit files as the whole tree, on top of ``parent``; returns the SHA.

    Uses ``git fast-import``; the bare repository is made when it is not there. Equal input gives
    an equal SHA (``when`` is in seconds since 1970).
    """
    if not (path / "HEAD").exists():
        path.mkdir(parents=True, exist_ok=True)
        git.Repo.init(path, bare=True)
    stream = bytearray()
    text = message.encode()
    stream += f"commit {REF}\ncommitter {AUTHOR} {when} +0000\ndata {len(text)}\n".encode()
    stream += text + b"\n"
    if parent:
        stream += f"from {parent}\n".encode()
    stream += b"deleteall\n"
    for name in sorted(files):
        data = files[name]
        quoted = name.replace("\\", "\\\\").replace('"', '\\"')
        stream += f'M 100644 inline "{quoted}"\ndata {len(data)}\n'.encode()
        stream += data + b"\n"
    done = subprocess.run(
        ["git", "-C", str(path), "fast-import", "--quiet", "--force"],
        input=bytes(stream),
        capture_output=True,
        env=base_environment(),
        timeout=120,
        check=False,
    )
    if done.returncode:
        raise ExternalFault(
            "git.history", "The history repository could not be written.", retryable=True
        )
    found = subprocess.run(
        ["git", "-C", str(path), "rev-parse", REF],
        capture_output=True,
        env=base_environment(),
        timeout=30,
        check=True,
    )
    return found.stdout.decode().strip()
