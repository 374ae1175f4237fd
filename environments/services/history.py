"""History repositories: every snapshot of an environment as a commit of its own repository.

A snapshot that asked for part of the org is laid over what was known before, so each commit is the
whole org as far as Gatehouse has seen it. The repository is a cache of this host: commits are made
from the stored zips with fixed author and time, so any host makes the same ones again. Truth is
the snapshot's row and its blob.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from django.conf import settings
from django.db import transaction

from core import blobs, db
from core.errors import DomainError
from environments.models import Environment, Snapshot
from environments.states import SnapshotState
from governance import audit
from jobs.registry import Claim, Next
from metadata.components import ComponentKey
from metadata.history import commit
from metadata.mirrors import Mirror
from metadata.normal import Files, NormalForm
from metadata.package import read_zip
from metadata.types import registry

logger = logging.getLogger(__name__)

LEASE_SECONDS = 300


def keep(claim: Claim) -> Next:
    """Commit the claimed snapshot, and older ones that still wait. Runs on the build queue."""
    wanted = Snapshot.objects.select_related("environment__track__team").get(pk=claim.subject_id)
    if wanted.state != SnapshotState.DONE or wanted.history_commit:
        return Next.done()
    claim.renew(LEASE_SECONDS)
    with transaction.atomic():
        claim.guard()
        db.advisory_lock(f"environment-history:{wanted.environment_id}")
        tip, known = _newest(wanted.environment)
        for snapshot in _waiting(wanted):
            tip, known = _commit(wanted.environment, snapshot, tip, known)
            snapshot.history_commit = tip
            snapshot.save(update_fields=["history_commit"])
            environment = wanted.environment
            audit.record(
                "snapshot.kept",
                snapshot,
                related=[environment.public_id],
                team=environment.team,
                facts={"environment": environment.name, "commit": tip[:7], "sha": tip},
            )
    return Next.done()


def repository(environment: Environment) -> Path:
    """Return where this host keeps the environment's history."""
    root = Path(settings.GATEHOUSE.mirrors_dir)
    return root / "environments" / f"{environment.uuid}.git"


def lay_over(
    known: Mapping[ComponentKey, Files],
    seen: Mapping[ComponentKey, Files],
    manifest: Mapping[str, Sequence[str]],
) -> NormalForm:
    """Return what is known after a retrieve: what it asked for is replaced, the rest stays.

    A component that was asked for and did not come is gone from the org.
    """
    kept = {key: files for key, files in known.items() if not _asked_for(key, manifest)}
    return NormalForm({**kept, **seen})


def _asked_for(key: ComponentKey, manifest: Mapping[str, Sequence[str]]) -> bool:
    members = manifest.get(key.type, ())
    if "*" in members or key.name in members:
        return True
    if key.type not in registry().children:
        return False
    # A parent comes with all its children: CustomObject Account brings Account.Region__c.
    parent = registry().children[key.type][0].name
    asked = manifest.get(parent, ())
    return "*" in asked or key.name.partition(".")[0] in asked


def _newest(environment: Environment) -> tuple[str | None, NormalForm]:
    """Return the newest commit and what it holds; a lost repository is made again first."""
    done = list(environment.snapshots.exclude(history_commit="").order_by("taken_at", "pk"))
    if not done:
        return None, NormalForm({})
    tip = done[-1].history_commit
    mirror = Mirror(repository(environment))
    try:
        tree = mirror.tree(tip)
        contents = mirror.blobs(entry.blob for entry in tree.values())
        return tip, NormalForm.from_files(dict(zip(tree, contents, strict=True)))
    except (DomainError, OSError) as fault:
        logger.info("history of %s is made again: %s", environment.public_id, fault)
        return _made_again(environment, done)


def _made_again(
    environment: Environment, done: Sequence[Snapshot]
) -> tuple[str | None, NormalForm]:
    tip: str | None = None
    known = NormalForm({})
    for snapshot in done:
        tip, known = _commit(environment, snapshot, tip, known)
    return tip, known


def _commit(
    environment: Environment, snapshot: Snapshot, parent: str | None, known: NormalForm
) -> tuple[str, NormalForm]:
    seen = read_zip(blobs.get(snapshot.blob))
    whole = lay_over(known, seen, snapshot.manifest)
    taken_at = snapshot.taken_at or snapshot.created_at
    message = f"{snapshot.public_id} of {environment.public_id}: {snapshot.purpose}"
    sha = commit(
        repository(environment),
        whole.files(),
        message,
        parent,
        when=int(taken_at.timestamp()),
    )
    return sha, whole


def _waiting(wanted: Snapshot) -> list[Snapshot]:
    rows = wanted.environment.snapshots.filter(
        state=SnapshotState.DONE.value, history_commit="", taken_at__lte=wanted.taken_at
    )
    return list(rows.order_by("taken_at", "pk"))
