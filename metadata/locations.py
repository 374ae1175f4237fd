"""Where repositories may lie: hosts on the installation's list, paths below its roots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from core.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class GitRules:
    """Allow-list of Git hosts (``host`` or ``host:port``) and roots of local repositories."""

    hosts: Sequence[str]
    roots: Sequence[Path]


def check_location(url: str, rules: GitRules) -> str:
    """Return the address when it may be fetched; raises InvalidInput ``git.*`` otherwise."""
    if not url or url.startswith("-") or any(ord(char) < 33 for char in url):
        raise InvalidInput("git.address", "That is not a repository's address.", field="url")
    if url.startswith("/") or url.startswith("file://"):
        return _local(url.removeprefix("file://"), rules)
    if "://" not in url:
        raise InvalidInput(
            "git.address",
            "Write the address as https://host/path.git or ssh://git@host/path.git.",
            field="url",
        )
    parts = urlsplit(url)
    if parts.scheme not in ("https", "ssh"):
        raise InvalidInput(
            "git.protocol", f"{parts.scheme} is not used; only https and ssh are.", field="url"
        )
    if parts.password or (parts.username and parts.scheme == "https"):
        raise InvalidInput(
            "git.secret_in_address",
            "Take the credential out of the address and store it as a credential.",
            field="url",
        )
    host = parts.hostname or ""
    named = f"{host}:{parts.port}" if parts.port else host
    if named not in rules.hosts:
        raise InvalidInput(
            "git.host",
            f"{named} is not on this installation's list of Git hosts (GIT_HOSTS).",
            field="url",
        )
    return url


def _local(text: str, rules: GitRules) -> str:
    path = Path(text).resolve()
    if not any(path.is_relative_to(Path(root).resolve()) for root in rules.roots):
        raise InvalidInput(
            "git.path",
            f"{text} is not below a directory that this installation allows (REPOSITORY_ROOTS).",
            field="url",
        )
    return str(path)
