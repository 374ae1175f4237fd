"""Following a copy that the platform has taken, to its end.

Where a copy stands is read from dates and numbers, never from its label
(``salesforce.sandboxes``). The end of a refresh makes the environment wait for its connection: the
database takes its credential away in the same statement.
"""

from __future__ import annotations

from typing import Final

from django.db import transaction

from core.db import database_now
from core.errors import ExternalFault, FaultUnknown
from environments import rules_sandboxes as rules
from environments.gateways import open_org
from environments.models import Environment, SandboxRequest
from environments.services import leases
from environments.services.sandboxes import inventory, requests, telling
from environments.states import SandboxAction, SandboxState
from jobs.registry import Claim, Next
from salesforce import sandboxes as platform
from salesforce.sandboxes import Phase, SandboxCopy, Sandboxes

HOLDER: Final = "sandbox_request"
FASTEST, SLOWEST = 1.0, 60.0


def follow(claim: Claim, request: SandboxRequest) -> Next:
    """Look at the copy once, and activate it when somebody asked for that."""
    with open_org(request.production) as org:
        seen = platform.read(org)
        copy = _copy_of(request, seen)
        wants = request.state == SandboxState.TO_ACTIVATE and request.settle_wish
        if wants and copy is not None and copy.phase is Phase.TO_ACTIVATE:
            _intend(claim, request)
            try:
                activate = request.settle_wish == "activate"
                platform.settle(org, copy.id, activate=activate)
            except FaultUnknown:
                return Next.after(FASTEST)
            except ExternalFault as fault:
                return _settle_refused(claim, request, fault)
            return Next.after(FASTEST)
    return _write(claim, request, seen, copy)


def _copy_of(request: SandboxRequest, seen: Sandboxes) -> SandboxCopy | None:
    """The copy that this request is about: the one it knows, else the newest of the sandbox."""
    copies = seen.copies_of(request.info_id)
    if request.copy_id:
        return next((copy for copy in copies if copy.id == request.copy_id), None)
    newest = copies[0] if copies else None
    return None if newest is not None and newest.id == request.known_copy_id else newest


@transaction.atomic
def _intend(claim: Claim, request: SandboxRequest) -> None:
    claim.guard()
    locked = requests.lock(request.pk)
    requests.move(locked, SandboxState.ACTIVATING, settle_intended_at=database_now())
    telling.record("sandbox.request.settling", locked, wish=locked.settle_wish)


@transaction.atomic
def _settle_refused(claim: Claim, request: SandboxRequest, fault: ExternalFault) -> Next:
    claim.guard()
    locked = requests.lock(request.pk)
    requests.move(
        locked,
        SandboxState.TO_ACTIVATE,
        settle_wish="",
        message=fault.message,
        code="sandbox.refused",
    )
    telling.record("sandbox.request.held", locked, reason=fault.message)
    return Next.after(SLOWEST)


def _write(
    claim: Claim, request: SandboxRequest, seen: Sandboxes, copy: SandboxCopy | None
) -> Next:
    with transaction.atomic():
        claim.guard()
        if request.environment_id is not None:
            Environment.objects.select_for_update(no_key=True, of=("self",)).get(
                pk=request.environment_id
            )
        locked = requests.lock(request.pk)
        inventory.store(locked.production, seen)
        if locked.action == SandboxAction.DELETE:
            return _deleted(locked, seen)
        if copy is None:
            return _missing(locked)
        _progress(locked, copy)
        match copy.phase:
            case Phase.COMPLETED:
                return _finish(locked, copy)
            case Phase.DISCARDED | Phase.DELETED:
                text = "The copy was discarded, so the sandbox is what it was before."
                return _fail(locked, text, "sandbox.copy_discarded")
            case Phase.TO_ACTIVATE:
                return _waits_for_activation(locked)
            case Phase.ACTIVATING if locked.state == SandboxState.COPYING:
                requests.move(locked, SandboxState.ACTIVATING)
        return Next.after(_pause(locked))


def _progress(request: SandboxRequest, copy: SandboxCopy) -> None:
    request.copy_id = copy.id
    request.status = copy.status[:80]
    request.progress = min(100, max(0, copy.progress))
    request.missing_since = None
    request.save(update_fields=["copy_id", "status", "progress", "missing_since"])


def _pause(request: SandboxRequest) -> float:
    """Look often at first and rarely at a copy that takes days."""
    begun = request.started_at or database_now()
    age = (database_now() - begun).total_seconds()
    return min(SLOWEST, max(FASTEST, age / 20))


def _missing(request: SandboxRequest) -> Next:
    """The platform lists no such copy: at first it may not yet, later it is gone."""
    now = database_now()
    if request.missing_since is None:
        request.missing_since = now
        request.save(update_fields=["missing_since"])
    if now - request.missing_since < rules.GONE:
        return Next.after(_pause(request))
    text = (
        "The platform no longer lists the copy, so nobody knows how it ends. Look at the sandbox "
        "in Setup. The copy is looked for until it appears again, for a day at most; nothing is "
        "sent to the environment meanwhile."
    )
    requests.move(request, SandboxState.UNKNOWN, message=text, code="sandbox.process_gone")
    telling.record("sandbox.request.lost", request)
    telling.tell(request, f"Outcome unknown: {request.words}", text)
    return Next.after(SLOWEST)


def _waits_for_activation(request: SandboxRequest) -> Next:
    if request.state == SandboxState.COPYING:
        requests.move(request, SandboxState.TO_ACTIVATE)
        telling.record("sandbox.request.to_activate", request)
        text = "The copy is ready. The old one lives until somebody activates or discards it."
        telling.tell(request, f"Waits for activation: {request.words}", text)
    elif request.state == SandboxState.ACTIVATING:
        since = request.settle_intended_at
        if since is not None and database_now() - since > rules.NO_TRACE:
            text = "The platform did not take the last answer. Give it again."
            requests.move(
                request,
                SandboxState.TO_ACTIVATE,
                settle_wish="",
                message=text,
                code="sandbox.not_activated",
            )
            telling.record("sandbox.request.held", request, reason=text)
    return Next.after(SLOWEST / 4)


def _finish(request: SandboxRequest, copy: SandboxCopy) -> Next:
    waits = request.environment_id is not None
    requests.move(
        request,
        SandboxState.RECONNECT if waits else SandboxState.DONE,
        new_organization_id=copy.organization_id,
        finished_at=database_now(),
        progress=100,
        message="",
        code="",
    )
    _release(request)
    telling.record(
        "sandbox.request.copied",
        request,
        organization_id=copy.organization_id,
        next="it waits to be connected anew" if waits else "it can be adopted",
    )
    text = "Connect it anew; until then nothing is sent to it." if waits else "Adopt it now."
    telling.tell(request, f"Copied: {request.words}", text)
    return Next.done()


def _deleted(request: SandboxRequest, seen: Sandboxes) -> Next:
    info = seen.named(request.name)
    if info is not None and info.id == request.info_id:
        return Next.after(_pause(request))
    requests.move(request, SandboxState.DONE, finished_at=database_now(), closed_at=database_now())
    _release(request)
    telling.record("sandbox.request.deleted", request)
    telling.tell(request, f"Done: {request.words}", "The licence is free again.")
    return Next.done()


def _fail(request: SandboxRequest, text: str, code: str) -> Next:
    _release(request)
    requests.close(request, SandboxState.FAILED, "sandbox.request.failed", text, code)
    return Next.done()


def _release(request: SandboxRequest) -> None:
    if request.environment_id is not None:
        leases.release(
            environment_id=request.environment_id, holder_kind=HOLDER, holder_id=request.pk
        )


def reconnected(environment: Environment) -> None:
    """Close what waited for the connection; called by the check that found the new organisation."""
    rows = SandboxRequest.objects.filter(environment=environment, state=SandboxState.RECONNECT)
    for pk in rows.order_by("pk").values_list("pk", flat=True):
        request = requests.lock(pk)
        requests.move(request, SandboxState.DONE, closed_at=database_now())
        telling.record("sandbox.request.reconnected", request)
        telling.tell(request, f"Ready: {request.words}", "It is connected and can be used.")
