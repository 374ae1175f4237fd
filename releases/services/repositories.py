"""A team's Git repository: address, sealed credential, webhook and fetching."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

from core import db
from core.errors import Conflict, InvalidInput, NotAllowed, NotFound
from core.sealing import seal
from governance import audit
from governance.models import Team
from governance.permissions import demand
from jobs.wake import wake
from metadata.locations import check_location
from releases.models import Repository, WebhookDelivery
from releases.selectors.locations import git_rules

KIND = "releases.fetch"


def lock(repository_id: int) -> Repository:
    """The repository's row, locked until the transaction ends."""
    rows = Repository.objects.select_related("team")
    return rows.select_for_update(of=("self",), no_key=True).get(pk=repository_id)


def record(event: str, repository: Repository, **facts: Any) -> None:
    """Write an event about a repository."""
    audit.record(event, repository, team=repository.team, facts=facts)


@transaction.atomic
def connect(*, team: Team, url: str, main_branch: str = "main") -> Repository:
    """Connect a team's repository and ask for a first fetch.

    Codes: ``repository.exists``, and those of ``metadata.locations.check_location`` for an
    address outside the allow-list.
    """
    demand("repository.connect", team=team)
    location = check_location(url.strip(), git_rules())
    if Repository.objects.filter(team=team).exists():
        raise Conflict("repository.exists", f"{team.name} has a repository already; edit it.")
    repository = Repository.objects.create(
        team=team, url=location, main_branch=_branch(main_branch)
    )
    record("repository.connected", repository, url=location)
    wake(KIND, repository.pk)
    return repository


def _branch(name: str) -> str:
    cleaned = name.strip()
    if not cleaned or cleaned.startswith("-") or ".." in cleaned or " " in cleaned:
        raise InvalidInput(
            "repository.branch", "Name the main branch as Git does.", field="main_branch"
        )
    return cleaned


@transaction.atomic
def edit(*, repository_id: int, url: str, main_branch: str, build_scope: str = "") -> Repository:
    """Change address, main branch or what builds carry; a new address discards the credential."""
    repository = lock(repository_id)
    demand("repository.connect", team=repository.team)
    location = check_location(url.strip(), git_rules())
    changed = []
    if location != repository.url:
        repository.url = location
        _forget_credential(repository)
        changed.append("address (its credential was discarded)")
    if _branch(main_branch) != repository.main_branch:
        repository.main_branch = _branch(main_branch)
        repository.main_sha = ""
        changed.append("main branch")
    if build_scope and build_scope != repository.build_scope:
        repository.build_scope = Repository.BuildScope(build_scope)
        changed.append(f"builds send: {repository.get_build_scope_display().lower()}")
    if changed:
        repository.save()
        record("repository.edited", repository, changed=", ".join(changed))
        wake(KIND, repository.pk)
    return repository


def _forget_credential(repository: Repository) -> None:
    repository.access = Repository.Access.NONE
    repository.credential_key_id = ""
    repository.credential_ciphertext = None
    repository.credential_set_at = None


@transaction.atomic
def set_credential(
    *, repository_id: int, access: str, username: str = "", secret: str, known_host: str = ""
) -> Repository:
    """Seal a token or deploy key to the build workers; nobody can read it back here."""
    repository = lock(repository_id)
    demand("repository.connect", team=repository.team)
    if access not in (Repository.Access.TOKEN, Repository.Access.SSH_KEY):
        raise InvalidInput("repository.access", "Choose a token or a deploy key.", field="access")
    if not secret.strip():
        raise InvalidInput("repository.secret", "Paste the token or the key.", field="secret")
    if access == Repository.Access.SSH_KEY and not known_host.strip():
        raise InvalidInput(
            "repository.known_host",
            "Paste the host's public key line, so that nobody can play the host.",
            field="known_host",
        )
    sealed = seal(
        "git",
        {
            "repository": repository.pk,
            "url": repository.url,
            "access": access,
            "username": username.strip(),
            "secret": secret,
            "known_host": known_host.strip(),
        },
    )
    repository.access = access
    repository.credential_key_id = sealed.key_id
    repository.credential_ciphertext = sealed.ciphertext
    repository.credential_set_at = db.database_now()
    repository.save()
    record("repository.credential_set", repository)
    wake(KIND, repository.pk)
    return repository


@transaction.atomic
def remove_credential(*, repository_id: int) -> Repository:
    """Forget the credential."""
    repository = lock(repository_id)
    demand("repository.connect", team=repository.team)
    _forget_credential(repository)
    repository.save()
    record("repository.credential_removed", repository)
    return repository


@transaction.atomic
def fetch_now(*, repository_id: int) -> None:
    """Have a build worker fetch at once instead of at the next poll."""
    repository = lock(repository_id)
    demand("repository.fetch", team=repository.team)
    record("repository.fetch_asked", repository)
    wake(KIND, repository.pk)


@transaction.atomic
def rotate_webhook(*, repository_id: int) -> str:
    """Make the old webhook secret worthless and return the new one."""
    repository = lock(repository_id)
    demand("repository.connect", team=repository.team)
    repository.webhook_generation += 1
    repository.save(update_fields=["webhook_generation"])
    record("repository.webhook_rotated", repository)
    return webhook_secret(repository)


def webhook_secret(repository: Repository) -> str:
    """The shared secret of a repository's webhook, derived and so stored nowhere."""
    text = f"webhook:{repository.uuid}:{repository.webhook_generation}"
    key = settings.SECRET_KEY.encode()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


@transaction.atomic
def webhook(*, repository: Repository, signature: str, delivery_id: str, body: bytes) -> bool:
    """Accept a signed push notice once; returns whether it was new.

    The body is not believed: it only wakes the fetch. Codes: ``webhook.signature``,
    ``webhook.delivery``.
    """
    wanted = hmac.new(webhook_secret(repository).encode(), body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(signature.removeprefix("sha256="), wanted):
        raise NotAllowed(
            "webhook.signature", "The signature does not match this repository's secret."
        )
    if not delivery_id or len(delivery_id) > 100:
        raise NotFound("webhook.delivery", "The delivery has no id.")
    try:
        with transaction.atomic():
            WebhookDelivery.objects.create(
                repository=repository, delivery_id=delivery_id, received_at=db.database_now()
            )
    except IntegrityError:
        return False
    record("repository.webhook_received", repository)
    wake(KIND, repository.pk)
    return True
