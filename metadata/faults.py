"""What a failed fetch means, in a sentence that names neither secret nor path."""

from __future__ import annotations

from urllib.parse import urlsplit

from core.errors import ExternalFault

_REFUSED = "The host refused the credential; store a valid one."
_ABSENT = "There is no Git repository at this address, or the credential may not see it."
_MOVED = "The address leads elsewhere; use the address that it leads to."
_SILENT = "The host does not answer. It is tried again."

_CAUSES: tuple[tuple[str, str, str, bool], ...] = (
    ("host key verification failed", "git.host_key",
     "The host's key is not the pinned one; nothing was sent. Check the key line.", False),
    ("permission denied (publickey", "git.refused", "The host refused the deploy key.", False),
    ("authentication failed", "git.refused", _REFUSED, False),
    ("could not read username", "git.refused",
     "The repository needs a credential; store a token for it.", False),
    ("could not read password", "git.refused", _REFUSED, False),
    ("returned error: 401", "git.refused", _REFUSED, False),
    ("returned error: 403", "git.refused", _REFUSED, False),
    ("from redirection", "git.redirect", _MOVED, False),
    ("returned error: 30", "git.redirect", _MOVED, False),
    ("returned error: 5", "git.unreachable", "The host has a fault. It is tried again.", True),
    ("could not resolve host", "git.unreachable", "The host's name is not known.", True),
    ("connection refused", "git.unreachable", _SILENT, True),
    ("failed to connect", "git.unreachable", _SILENT, True),
    ("timed out", "git.unreachable", _SILENT, True),
    ("operation too slow", "git.unreachable", "The transfer stalled. It is tried again.", True),
    ("certificate", "git.certificate", "The host's certificate is not trusted.", False),
    ("dubious ownership", "git.no_repository", _ABSENT, False),
    ("not found", "git.no_repository", _ABSENT, False),
    ("does not appear to be a git repository", "git.no_repository", _ABSENT, False),
    ("does not exist", "git.no_repository", _ABSENT, False),
    ("no such file or directory", "git.no_repository", _ABSENT, False),
    ("bad object", "git.broken", "The repository lacks objects that its history names.", False),
    ("missing", "git.broken", "The repository lacks objects that its history names.", False),
)  # fmt: skip


def explained(fault: ExternalFault, location: str) -> ExternalFault:
    """The fault of a fetch with its cause; one that is known already is left as it is."""
    if fault.code != "git.failed":
        return fault
    said = str(fault.facts.get("stderr", "")).lower()
    where = urlsplit(location).hostname or "The repository"
    for sign, code, sentence, retryable in _CAUSES:
        if sign in said:
            return ExternalFault(code, f"{where}: {sentence}", retryable=retryable)
    last = (said.splitlines() or ["no message"])[-1][:200]
    return ExternalFault("git.failed", f"{where}: Git said “{last}”.", retryable=False)
