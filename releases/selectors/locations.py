"""Where repositories may lie, as this installation was told."""

from __future__ import annotations

from django.conf import settings

from metadata.locations import GitRules


def git_rules() -> GitRules:
    """The allow-list of Git hosts and the roots of local repositories."""
    env = settings.GATEHOUSE
    return GitRules(hosts=env.git_hosts, roots=env.repository_roots)
