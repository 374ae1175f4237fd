"""Hand a credential to git for one fetch: never in the address, never in an argument list.

A token is answered by a ``GIT_ASKPASS`` script that reads it from a file only this user can read;
a deploy key is such a file, used with a ``known_hosts`` that holds exactly the pinned key. Both
lie in a directory that is gone when the fetch ends.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from core.errors import InvalidInput
from metadata.locations import host_of

CONNECT_SECONDS = 10
STALL_SECONDS = 30
"""A transfer slower than 1 kB/s for this long has stalled."""

_ASKPASS = """#!/bin/sh
case "$1" in
Username*) cat "{directory}/username" ;;
*) cat "{directory}/secret" ;;
esac
"""
_KEY_LINE = re.compile(r"(ssh-|ecdsa-|sk-)\S+ [A-Za-z0-9+/=]+")


@dataclass(frozen=True, slots=True)
class GitCredential:
    """What opens a repository: ``https_token`` with a token, or ``ssh_key`` with a private key.

    ``known_host`` is the host's public key line, with or without the host's name before it.
    """

    kind: str
    username: str = ""
    secret: str = field(default="", repr=False)
    known_host: str = ""


@contextmanager
def prepared(url: str, credential: GitCredential | None) -> Iterator[dict[str, str]]:
    """Yield the environment in which git can reach the address, and nothing else.

    Codes: ``git.credential_kind`` when the credential does not fit the address, and
    ``git.known_host`` when a deploy key comes without a usable host key.
    """
    with tempfile.TemporaryDirectory(prefix="gatehouse-git-") as name:
        directory = Path(name)
        _write(directory / "config", _configuration(url), 0o600)
        environment = {
            "GIT_CONFIG_GLOBAL": str(directory / "config"),
            "GIT_ALLOW_PROTOCOL": _protocol(url),
            "HOME": name,
            "GIT_SSH_COMMAND": "false",
        }
        if _protocol(url) == "ssh":
            environment["GIT_SSH_COMMAND"] = _ssh(directory, url, credential)
        elif credential is not None:
            environment["GIT_ASKPASS"] = _askpass(directory, url, credential)
        yield environment


def _protocol(url: str) -> str:
    return "file" if url.startswith("/") else url.split(":", 1)[0]


def _configuration(url: str) -> str:
    lines = [
        "[http]",
        "    followRedirects = false",
        "    lowSpeedLimit = 1000",
        f"    lowSpeedTime = {STALL_SECONDS}",
        "[credential]",
        "    helper =",
    ]
    if url.startswith("/"):
        # A path below an allowed root may belong to another user; git asks for this word.
        lines += [
            "[safe]",
            f'    directory = "{_quoted(url)}"',
            f'    directory = "{_quoted(url)}/.git"',
        ]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _askpass(directory: Path, url: str, credential: GitCredential) -> str:
    if credential.kind != "https_token" or _protocol(url) != "https":
        raise InvalidInput(
            "git.credential_kind",
            "The credential does not fit the address: https takes a token, ssh a deploy key.",
        )
    _write(directory / "username", credential.username or "x-access-token", 0o600)
    _write(directory / "secret", credential.secret.strip(), 0o600)
    _write(directory / "askpass", _ASKPASS.format(directory=directory), 0o700)
    return str(directory / "askpass")


def _ssh(directory: Path, url: str, credential: GitCredential | None) -> str:
    if credential is None or credential.kind != "ssh_key":
        raise InvalidInput(
            "git.credential_kind", "An ssh address needs a deploy key; store one as the credential."
        )
    _write(directory / "key", credential.secret.replace("\r\n", "\n").strip() + "\n", 0o600)
    _write(directory / "known_hosts", _known_host(url, credential.known_host), 0o600)
    options = (
        "-F none -o BatchMode=yes -o IdentitiesOnly=yes -o IdentityAgent=none "
        "-o StrictHostKeyChecking=yes -o GlobalKnownHostsFile=none -o UpdateHostKeys=no "
        f"-o ConnectTimeout={CONNECT_SECONDS} -o ServerAliveInterval=15 "
        "-o PasswordAuthentication=no -o KbdInteractiveAuthentication=no "
        "-o ForwardAgent=no -o ClearAllForwardings=yes -o PermitLocalCommand=no"
    )
    return f"ssh {options} -o UserKnownHostsFile={directory}/known_hosts -i {directory}/key"


def _known_host(url: str, line: str) -> str:
    """The pinned key under the name by which ssh looks it up."""
    found = _KEY_LINE.search(line)
    if found is None:
        raise InvalidInput(
            "git.known_host",
            "The host's public key line is missing or unreadable; paste it as the host shows it.",
        )
    host, port = host_of(url)
    name = host if port == 22 else f"[{host}]:{port}"
    return f"{name} {found.group(0)}\n"


def _write(path: Path, text: str, mode: int) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)
