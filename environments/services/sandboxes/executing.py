"""Carrying out a request: a deploy worker, one short thing at a time.

Before a byte is sent the environment is taken, the platform's own list is asked once more, and the
intention is written down with the copy that was the newest then. Whatever happens afterwards, a
request in that state is looked up by its copy before anything else; it is never sent twice
(docs/adr/0021, 0082). A write has ended after 300 seconds, so no trace after that is proof.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from core.context import current_actor
from core.db import database_now
from core.errors import Conflict, DomainError, ExternalFault, FaultUnknown
from environments import rules_sandboxes as rules
from environments import selectors_sandboxes as reads
from environments.gateways import open_org
from environments.models import Environment, SandboxRequest
from environments.services import leases
from environments.services.sandboxes import copying, facts, inventory, requests, telling
from environments.states import SandboxAction, SandboxState
from jobs.registry import Claim, Next
from salesforce import sandboxes as platform
from salesforce.client import Org
from salesforce.sandboxes import Sandboxes

HOLDER: Final = "sandbox_request"
BUSY_SECONDS: Final = 15.0
LOOK_SECONDS: Final = 10.0
LONGEST_NAP: Final = timedelta(hours=1)
UNDER_WAY = frozenset({SandboxState.COPYING, SandboxState.TO_ACTIVATE, SandboxState.ACTIVATING})


def advance(claim: Claim) -> Next:
    """Do the next short thing for the request that the claim names."""
    request = requests.find(claim.subject_id)
    state = SandboxState(request.state)
    if state is SandboxState.APPROVED:
        return _begin(claim, request)
    if state in (SandboxState.STARTING, SandboxState.UNKNOWN):
        return _look_up(claim, request)
    if state in UNDER_WAY:
        return copying.follow(claim, request)
    return Next.done()


# Before anything is sent -------------------------------------------------------------------------


def _begin(claim: Claim, request: SandboxRequest) -> Next:
    """Wait for its time, ask the platform, take the environment, write the intention, send."""
    now = database_now()
    starts = requests.starts_at(request, now)
    if starts > now:
        return Next.after(min(starts - now, LONGEST_NAP).total_seconds())
    if not requests.agreed(request):
        return _disagreed(claim, request)
    try:
        with open_org(request.production) as org:
            seen = platform.read(org)
            with transaction.atomic():
                claim.guard()
                inventory.store(request.production, seen)
            request = requests.find(request.pk)
            obstacle = rules.refusing(
                facts.facts_of(request.production, facts.wish_of(request), database_now()),
                request.not_before,
            )
            if obstacle is not None:
                return _refused(claim, request, obstacle)
            if not requests.agreed(request):
                return _disagreed(claim, request)
            waits = _intend(claim, request, seen)
            if waits is not None:
                return waits
            return _send(claim, requests.find(request.pk), org)
    except ExternalFault as fault:
        return _unreachable(claim, request, fault)


def _disagreed(claim: Claim, request: SandboxRequest) -> Next:
    """What people agreed to is no longer what would be done: they are asked anew."""
    with transaction.atomic():
        claim.guard()
        locked = requests.lock(request.pk)
        if locked.state == SandboxState.APPROVED:
            text = (
                "The sandbox is not the one that people agreed to any more, or an approval no "
                "longer counts. Nothing was started; ask again."
            )
            requests.close(
                locked, SandboxState.FAILED, "sandbox.request.failed", text, "sandbox.changed"
            )
    return Next.done()


def _refused(claim: Claim, request: SandboxRequest, obstacle: rules.Obstacle) -> Next:
    with transaction.atomic():
        claim.guard()
        locked = requests.lock(request.pk)
        requests.close(
            locked, SandboxState.FAILED, "sandbox.request.failed", obstacle.text, obstacle.code
        )
    return Next.done()


def _intend(claim: Claim, request: SandboxRequest, seen: Sandboxes) -> Next | None:
    """Take the environment and write the intention; the answer when that cannot be now."""
    info = seen.named(request.name)
    copies = seen.copies_of(info.id) if info else ()
    with transaction.atomic():
        claim.guard()
        if request.environment is not None:
            busy = _take(request, request.environment)
            if busy:
                return _waits(request, busy)
        requests.hold_question(request)
        locked = requests.lock(request.pk)
        if locked.state != SandboxState.APPROVED:
            _release(locked)
            return Next.now()
        requests.move(
            locked,
            SandboxState.STARTING,
            intended_at=database_now(),
            known_copy_id=copies[0].id if copies else "",
            info_id=info.id if info else "",
            expected_seconds=reads.expected_seconds(locked.production, locked.licence_type),
            worker=current_actor().name[:80],
            message="",
            code="",
        )
        telling.record("sandbox.request.started", locked)
    return None


def _take(request: SandboxRequest, environment: Environment) -> str:
    """Take the environment; the sentence when something else uses it."""
    try:
        leases.take(
            environment_id=environment.pk,
            holder_kind=HOLDER,
            holder_id=request.pk,
            holder_label=f"{request.public_id} {request.action}",
        )
    except Conflict as busy:
        return busy.message
    return ""


def _waits(request: SandboxRequest, text: str) -> Next:
    locked = requests.lock(request.pk)
    if locked.message != text:
        locked.message, locked.code = text, "sandbox.in_use"
        locked.save(update_fields=["message", "code"])
        telling.record("sandbox.request.held", locked, reason=text)
    return Next.after(BUSY_SECONDS)


def _release(request: SandboxRequest) -> None:
    if request.environment_id is not None:
        leases.release(
            environment_id=request.environment_id, holder_kind=HOLDER, holder_id=request.pk
        )


def _unreachable(claim: Claim, request: SandboxRequest, fault: ExternalFault) -> Next:
    """Production cannot be asked: nothing was sent, it is tried again, and the page says why."""
    with transaction.atomic():
        claim.guard()
        locked = requests.lock(request.pk)
        if locked.state == SandboxState.APPROVED and locked.message != fault.message:
            locked.message, locked.code = fault.message, fault.code
            locked.save(update_fields=["message", "code"])
            telling.record("sandbox.request.held", locked, reason=fault.message)
    if fault.retryable:
        raise fault
    return Next.after(LONGEST_NAP.total_seconds() / 12)


# The one write -----------------------------------------------------------------------------------


def _send(claim: Claim, request: SandboxRequest, org: Org) -> Next:
    """Send the request, once; what is not certain is looked up."""
    try:
        info_id = _call(request, org)
    except FaultUnknown as fault:
        return _in_doubt(claim, request, fault)
    except ExternalFault as fault:
        return _not_taken(claim, request, fault)
    with transaction.atomic():
        claim.guard()
        requests.hold_question(request)
        locked = requests.lock(request.pk)
        requests.taken(locked, info_id=info_id, started_at=database_now(), status="")
        telling.record("sandbox.request.taken", locked)
        telling.tell(locked, f"Started: {locked.words}", "The platform has taken it.")
    return Next.after(1.0)


def _call(request: SandboxRequest, org: Org) -> str:
    if request.action == SandboxAction.DELETE:
        platform.delete(org, request.info_id)
        return request.info_id
    fields: dict[str, object] = {"LicenseType": rules.platform_type(request.licence_type)}
    if request.action == SandboxAction.REFRESH or not request.auto_activate:
        fields["AutoActivate"] = request.auto_activate
    # Named in both directions: a refresh from production ends an earlier clone's source.
    if request.source is not None or request.action == SandboxAction.REFRESH:
        fields["SourceId"] = request.source.info_id if request.source else None
    for name, value in (
        ("TemplateId", request.template_id),
        ("ApexClassId", request.apex_class_id),
    ):
        if value:
            fields[name] = value
    if request.action == SandboxAction.CREATE:
        fields["SandboxName"] = request.name
        fields["Description"] = f"Gatehouse {request.public_id}"
        return platform.create(org, fields)
    platform.refresh(org, request.info_id, fields)
    return request.info_id


@transaction.atomic
def _in_doubt(claim: Claim, request: SandboxRequest, fault: DomainError) -> Next:
    claim.guard()
    locked = requests.lock(request.pk)
    requests.move(locked, SandboxState.UNKNOWN, message=fault.message, code="sandbox.unknown")
    telling.record("sandbox.request.unknown", locked, reason=fault.message)
    return Next.after(LOOK_SECONDS)


@transaction.atomic
def _not_taken(claim: Claim, request: SandboxRequest, fault: ExternalFault) -> Next:
    """The platform said no, or nothing left this machine."""
    claim.guard()
    locked = requests.lock(request.pk)
    _release(locked)
    if fault.retryable:
        requests.move(locked, SandboxState.APPROVED, message=fault.message, code=fault.code)
        telling.record("sandbox.request.held", locked, reason=fault.message)
        return Next.after(BUSY_SECONDS)
    text = f"The platform refused it: {fault.facts.get('error_text') or fault.message}"
    requests.close(locked, SandboxState.FAILED, "sandbox.request.failed", text, "sandbox.refused")
    return Next.done()


# After a worker died, or an answer was lost ------------------------------------------------------


def _look_up(claim: Claim, request: SandboxRequest) -> Next:
    """Ask the platform whether it took the request; never send it again."""
    try:
        with open_org(request.production) as org:
            seen = platform.read(org)
    except ExternalFault as fault:
        if request.state == SandboxState.STARTING:
            return _in_doubt(claim, request, fault)
        if fault.retryable:
            raise
        return Next.after(LOOK_SECONDS * 6)
    info = seen.named(request.name)
    taken = _trace_of(request, seen)
    with transaction.atomic():
        claim.guard()
        requests.hold_question(request)
        locked = requests.lock(request.pk)
        if taken:
            found = info.id if info else locked.info_id
            requests.taken(
                locked,
                info_id=found,
                started_at=locked.started_at or locked.intended_at,
                message="",
                code="",
            )
            telling.record("sandbox.request.adopted", locked)
            return Next.now()
        if locked.copy_id:
            return _still_lost(locked)
        if _is_certain(locked, database_now()):
            _release(locked)
            text = (
                "The platform knows of no such order, so nothing was started. Ask again when "
                "production can be reached."
            )
            requests.close(
                locked, SandboxState.FAILED, "sandbox.request.failed", text, "sandbox.not_started"
            )
            return Next.done()
        if locked.state == SandboxState.STARTING:
            text = "The worker ended before the platform's answer was written down."
            requests.move(locked, SandboxState.UNKNOWN, message=text, code="sandbox.unknown")
            telling.record("sandbox.request.unknown", locked, reason=text)
    return Next.after(LOOK_SECONDS)


def _still_lost(request: SandboxRequest) -> Next:
    """Go on looking for a copy that was followed and is listed no more; give up after a day."""
    since = request.missing_since or database_now()
    if database_now() - since < rules.GIVEN_UP:
        return Next.after(LOOK_SECONDS * 6)
    _release(request)
    text = (
        "The copy was not listed for a day, so nobody knows how it ended. The environment is free "
        "again, and it is opened only while its organisation is the one that was connected."
    )
    requests.close(
        request, SandboxState.FAILED, "sandbox.request.failed", text, "sandbox.process_gone"
    )
    return Next.done()


def _trace_of(request: SandboxRequest, seen: Sandboxes) -> bool:
    """Say whether the platform shows what this request asked for and nothing showed before."""
    if request.copy_id:
        return any(copy.id == request.copy_id for copy in seen.copies)
    info = seen.named(request.name)
    if request.action == SandboxAction.DELETE:
        return info is None or info.id != request.info_id
    if request.action == SandboxAction.CREATE:
        return info is not None
    if info is None:
        return False
    copies = seen.copies_of(info.id)
    return bool(copies) and copies[0].id != request.known_copy_id


def _is_certain(request: SandboxRequest, now: datetime) -> bool:
    return request.intended_at is not None and now - request.intended_at > rules.NO_TRACE
