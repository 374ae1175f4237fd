"""Where a repository may lie: the rules on addresses, held before anything is stored or fetched.

An address is https, ssh or a path on this machine. Hosts must be on the installation's list, with
their port when it is not the usual one; paths must lie below one of its roots after symbolic links
are followed. An address never carries a secret: the credential travels apart.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from core.errors import InvalidInput

USUAL_PORTS = {"https": 443, "ssh": 22}
_SCP = re.compile(r"(?P<user>[A-Za-z0-9._-]+)@(?P<host>[A-Za-z0-9.-]+):(?!//)(?P<path>[^\s]+)")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f\\]")


@dataclass(frozen=True, slots=True)
class GitRules:
    """What an installation allows: hosts (``name`` or ``name:port``), roots of paths, bounds."""

    hosts: tuple[str, ...] = ()
    roots: tuple[Path, ...] = ()
    seconds: float = 300.0
    max_bytes: int = 4 * 1024**3


def check_location(url: str, rules: GitRules) -> str:
    """Return the address in its one form, or refuse it.

    The short form ``git@host:team/app.git`` becomes an ssh address. Codes: ``git.address``,
    ``git.secret_in_address``, ``git.protocol``, ``git.host``, ``git.path``.
    """
    text = url.strip()
    if not text:
        raise _refusal("git.address", "Give the address of the repository.")
    if text.startswith(("/", "file:")):
        return _path(text, rules)
    if text.startswith("-") or _FORBIDDEN.search(text):
        raise _refusal("git.address", "The address contains characters that no address has.")
    scp = _SCP.fullmatch(text)
    if scp:
        text = f"ssh://{scp['user']}@{scp['host']}/{scp['path'].lstrip('/')}"
    return _remote(text, rules)


def host_of(url: str) -> tuple[str, int]:
    """The host and port that an address of a checked form names; ("", 0) for a path."""
    parts = urlsplit(url)
    if parts.scheme not in USUAL_PORTS:
        return "", 0
    return parts.hostname or "", parts.port or USUAL_PORTS[parts.scheme]


def _remote(text: str, rules: GitRules) -> str:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise _refusal("git.address", "The address cannot be read as a URL.") from None
    if parts.scheme not in USUAL_PORTS:
        raise _refusal(
            "git.protocol",
            "Repositories are fetched over https, ssh or from an allowed path; "
            f"“{parts.scheme or text.split(':')[0]}” is none of these.",
        )
    _no_secret(parts)
    host = (parts.hostname or "").lower()
    if not _HOST.fullmatch(host) or not parts.path.strip("/"):
        raise _refusal("git.address", "The address needs a host and a path.")
    if parts.query or parts.fragment:
        raise _refusal("git.address", "The address of a repository has no “?” or “#”.")
    usual = USUAL_PORTS[parts.scheme]
    name = host if port in (None, usual) else f"{host}:{port}"
    if name not in {entry.lower() for entry in rules.hosts}:
        raise _refusal(
            "git.host",
            f"The host {name} is not on this installation's list of Git hosts; "
            "an admin adds it to GIT_HOSTS.",
        )
    user = f"{parts.username}@" if parts.scheme == "ssh" and parts.username else ""
    return f"{parts.scheme}://{user}{name}{parts.path}"


def _no_secret(parts: SplitResult) -> None:
    """Refuse a password, and any user in an https address: tokens are often put there."""
    if parts.password is not None or (parts.scheme == "https" and parts.username is not None):
        raise _refusal(
            "git.secret_in_address",
            "Leave user name and token out of the address and store them as the credential.",
        )
    if parts.username is not None and not re.fullmatch(
        r"[A-Za-z0-9._][A-Za-z0-9._-]*", parts.username
    ):
        raise _refusal("git.address", "The user name in the address is not usual.")


def _path(text: str, rules: GitRules) -> str:
    raw = text.removeprefix("file://") if text.startswith("file:") else text
    if not raw.startswith("/") or "\0" in raw or "\n" in raw:
        raise _refusal("git.path", "A path on this machine is absolute.")
    path = Path(raw).resolve()
    roots = [root.resolve() for root in rules.roots]
    if not any(path.is_relative_to(root) for root in roots):
        raise _refusal(
            "git.path",
            "The path does not lie below a directory of this installation's REPOSITORY_ROOTS.",
        )
    return str(path)


def _refusal(code: str, sentence: str) -> InvalidInput:
    return InvalidInput(code, sentence, field="url")
