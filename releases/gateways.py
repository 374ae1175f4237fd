"""The only place that opens a repository, and the only reader of Git credentials (build workers).

A mirror is a cache of this host: any host rebuilds it.
"""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from core.errors import ExternalFault
from core.unsealing import unseal
from metadata.mirrors import GitCredential, Mirror
from releases.models import Repository
from releases.selectors.locations import git_rules


def mirror_of(repository: Repository) -> Mirror:
    """The bare mirror of a repository on this host, as the last fetch left it."""
    return Mirror(Path(settings.GATEHOUSE.mirrors_dir) / f"{repository.uuid}.git")


def fetch(repository: Repository) -> Mirror:
    """Bring the mirror up to date with the repository's address."""
    mirror = mirror_of(repository)
    mirror.fetch(repository.url, credential(repository), git_rules())
    return mirror


def credential(repository: Repository) -> GitCredential | None:
    """Open the sealed credential and refuse one that was sealed for another row or address.

    Raises ExternalFault ``git.credential_context``.
    """
    if repository.access == Repository.Access.NONE or repository.credential_ciphertext is None:
        return None
    opened = unseal("git", repository.credential_key_id, bytes(repository.credential_ciphertext))
    if opened["repository"] != repository.pk or opened["url"] != repository.url:
        raise ExternalFault(
            "git.credential_context",
            "The stored credential belongs to another address; store it again.",
            retryable=False,
        )
    return GitCredential(
        kind=opened["access"],
        username=opened["username"],
        secret=opened["secret"],
        known_host=opened["known_host"],
    )


def history_path(release_id: int) -> Path:
    """Where a release's integration repository lies on this host."""
    return Path(settings.GATEHOUSE.mirrors_dir) / "releases" / f"{release_id}.git"
