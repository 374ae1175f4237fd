"""Snapshots: an org's metadata as retrieved at a moment.

A snapshot is asked for by anybody's service and taken by a deploy worker in short steps: start the
retrieve, poll it, store the zip under its hash, digest its content. A build worker then keeps it
as a commit of the environment's history repository (``environments.services.history``). Reading
has no effect on the org, so what a crash interrupts is simply asked again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from django.db import transaction

from core import blobs, clock
from core.context import current_actor
from core.errors import DomainError, ExternalFault, InvalidInput, NotNow
from environments import permissions
from environments.gateways import open_org
from environments.models import Environment, Snapshot
from environments.states import SNAPSHOT, SnapshotState
from governance import audit
from jobs.registry import Claim, Next
from jobs.wake import wake
from metadata.normal import NormalForm
from metadata.package import read_zip
from salesforce.types import Retrieve

KIND = "environments.snapshot"
HISTORY_KIND = "environments.history"
GIVE_UP = timedelta(hours=1)
"""After this a retrieve is given up: the platform ends its own long before."""

MAX_MESSAGES = 200

EVERYTHING = (
    "ApexClass",
    "ApexComponent",
    "ApexPage",
    "ApexTrigger",
    "AuraDefinitionBundle",
    "CustomApplication",
    "CustomLabels",
    "CustomMetadata",
    "CustomObject",
    "CustomPermission",
    "CustomTab",
    "FlexiPage",
    "Flow",
    "Layout",
    "LightningComponentBundle",
    "PermissionSet",
    "Profile",
    "QuickAction",
    "StaticResource",
)
"""Types that a person's snapshot asks for; each of them takes the wildcard in a manifest."""


@transaction.atomic
def request(
    *,
    environment: Environment,
    manifest: Mapping[str, Sequence[str]],
    purpose: str,
    wakes: tuple[str, int] | None = None,
    api_version: str = "",
) -> Snapshot:
    """Ask for a snapshot; the caller has demanded the right to.

    ``wakes`` names work (kind, subject) that is woken as soon as the snapshot is settled. It is
    read at ``api_version``, or as the environment is asked otherwise.
    Raises InvalidInput ``snapshot.empty``.
    """
    plain = {kind: sorted(members) for kind, members in sorted(manifest.items()) if members}
    if not plain:
        raise InvalidInput("snapshot.empty", "There is nothing to retrieve: name components first.")
    kind, subject = wakes or ("", None)
    snapshot = Snapshot.objects.create(
        environment=environment,
        purpose=purpose[:80],
        manifest=plain,
        requested_by=current_actor().name[:150],
        wake_kind=kind,
        wake_subject_id=subject,
        api_version=api_version,
    )
    _record("snapshot.requested", snapshot, purpose=purpose)
    wake(KIND, snapshot.pk)
    return snapshot


@transaction.atomic
def ask(*, environment_id: int) -> Snapshot:
    """Ask, as a person, for a snapshot of everything Gatehouse knows how to read.

    Raises NotAllowed and NotNow ``environment.not_connected``.
    """
    environment = Environment.objects.select_related("track__team").get(pk=environment_id)
    permissions.demand_probe(environment)
    _refuse_unconnected(environment)
    everything = {kind: ["*"] for kind in EVERYTHING}
    return request(environment=environment, manifest=everything, purpose="on request")


@transaction.atomic
def keep(
    *,
    environment: Environment,
    manifest: Mapping[str, Sequence[str]],
    zip_bytes: bytes,
    form: NormalForm,
    purpose: str,
) -> Snapshot:
    """Keep what the caller, a deploy worker, has just retrieved itself."""
    snapshot = Snapshot.objects.create(
        environment=environment,
        purpose=purpose[:80],
        manifest={kind: sorted(members) for kind, members in sorted(manifest.items())},
        requested_by=current_actor().name[:150],
    )
    snapshot.started_at = clock.now()
    snapshot.state = SnapshotState.RETRIEVING
    snapshot.save(update_fields=["state", "started_at"])
    _finish(snapshot, blobs.put(zip_bytes), form, ())
    return snapshot


def advance(claim: Claim) -> Next:
    """Do the next short thing for the snapshot that the claim names. Deploy queue."""
    snapshot = Snapshot.objects.select_related("environment__track__team").get(pk=claim.subject_id)
    if snapshot.settled:
        return Next.done()
    overdue = clock.now() - snapshot.created_at > GIVE_UP
    try:
        if overdue:
            raise ExternalFault(
                "snapshot.overdue", "The org did not deliver within an hour.", retryable=False
            )
        with open_org(snapshot.environment) as org:
            if snapshot.state == SnapshotState.REQUESTED:
                remote_id = org.start_retrieve(snapshot.manifest, snapshot.api_version or None)
                return _started(claim, snapshot, remote_id)
            answer = org.retrieve_status(snapshot.remote_id)
        return _received(claim, snapshot, answer)
    except DomainError as fault:
        if isinstance(fault, ExternalFault) and fault.retryable:
            raise
        return _failed(claim, snapshot, fault)


@transaction.atomic
def _started(claim: Claim, snapshot: Snapshot, remote_id: str) -> Next:
    claim.guard()
    _move(snapshot, SnapshotState.RETRIEVING, remote_id=remote_id, started_at=clock.now())
    return Next.after(0.3)


def _received(claim: Claim, snapshot: Snapshot, answer: Retrieve) -> Next:
    if not answer.done:
        age = (clock.now() - (snapshot.started_at or clock.now())).total_seconds()
        return Next.after(min(15.0, max(0.3, age / 10)))
    if not answer.success or answer.zip_bytes is None:
        said = answer.error_message or "; ".join(answer.messages[:3]) or answer.status
        raise ExternalFault(
            "snapshot.refused", f"The org could not give its metadata: {said}", retryable=False
        )
    form = read_zip(answer.zip_bytes)
    blob = blobs.put(answer.zip_bytes)
    with transaction.atomic():
        claim.guard()
        _finish(snapshot, blob, form, answer.messages)
    return Next.done()


def _finish(snapshot: Snapshot, blob: str, form: NormalForm, messages: Sequence[str]) -> None:
    _move(
        snapshot,
        SnapshotState.DONE,
        taken_at=clock.now(),
        organization_id=snapshot.environment.organization_id or "",
        blob=blob,
        component_count=len(form.component_digests()),
        content_digest=form.digest(),
        messages=list(messages[:MAX_MESSAGES]),
    )
    _record("snapshot.taken", snapshot, components=snapshot.component_count)
    wake(HISTORY_KIND, snapshot.pk)
    _wake_waiter(snapshot)


@transaction.atomic
def _failed(claim: Claim, snapshot: Snapshot, fault: DomainError) -> Next:
    claim.guard()
    _move(snapshot, SnapshotState.FAILED, message=fault.message)
    _record("snapshot.failed", snapshot, problem=fault.message)
    _wake_waiter(snapshot)
    return Next.done()


def _move(snapshot: Snapshot, state: SnapshotState, **columns: object) -> None:
    SNAPSHOT.check(SnapshotState(snapshot.state), state)
    for name, value in columns.items():
        setattr(snapshot, name, value)
    snapshot.state = state.value
    snapshot.save(update_fields=["state", *columns])


def _wake_waiter(snapshot: Snapshot) -> None:
    if snapshot.wake_kind and snapshot.wake_subject_id is not None:
        wake(snapshot.wake_kind, snapshot.wake_subject_id)


def _refuse_unconnected(environment: Environment) -> None:
    if environment.retired_at is not None or not environment.organization_id:
        raise NotNow(
            "environment.not_connected",
            f"{environment.name} is not connected. Check its connection first.",
        )


def _record(event: str, snapshot: Snapshot, **facts: object) -> None:
    environment = snapshot.environment
    audit.record(
        event,
        snapshot,
        related=[environment.public_id],
        team=environment.team,
        facts={"environment": environment.name, **facts},
    )
