"""What the production org lists: read by a deploy worker on a schedule and on demand.

A sandbox belongs to the environment whose organisation it is, or whose address it has by the
platform's rule; from then on it stays that environment's, since a refresh changes the organisation.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.db import transaction

from core.db import database_now
from core.errors import DomainError, ExternalFault, InvalidInput, NotNow
from environments import rules_sandboxes as rules
from environments.gateways import open_org
from environments.models import Environment, Sandbox, SandboxLicence, SandboxReading
from environments.selectors_sandboxes import production
from environments.states import Connection, Kind, Licence
from governance import audit
from governance.permissions import acting_person, demand
from jobs.registry import Claim, Next
from jobs.wake import wake
from salesforce import sandboxes as platform
from salesforce.sandboxes import Phase, SandboxCopy, Sandboxes, SandboxInfo

KIND: Final = "environments.sandboxes"
SWEEP_KIND: Final = "environments.sandboxes_sweep"
SWEEP_SUBJECT: Final = 1
EVERY_SECONDS: Final = 900.0
TOTAL_MAX: Final = 1000
LISTED: Final = (
    "name", "licence_type", "description", "source_info_id", "template_id", "apex_class_id",
    "organization_id", "copy_id", "phase", "status", "progress", "copy_asked_at", "copied_at",
    "copy_seconds", "seen_at", "gone_at", "environment",
)  # fmt: skip


def require_production() -> Environment:
    """The production org. Codes: ``sandbox.no_production``."""
    found = production()
    if found is None or not found.organization_id:
        raise NotNow(
            "sandbox.no_production",
            "Sandboxes are managed in the production org, which is not connected yet. Register and "
            "connect it first.",
        )
    return found


# People ------------------------------------------------------------------------------------------


@transaction.atomic
def ask() -> SandboxReading:
    """Ask a deploy worker to read the sandboxes now. Codes: ``sandbox.no_production``."""
    demand("sandbox.read")
    owner = require_production()
    reading, _ = SandboxReading.objects.get_or_create(production=owner)
    reading.requested_at = database_now()
    reading.save(update_fields=["requested_at"])
    audit.record("sandbox.list_asked", owner)
    wake(KIND, owner.pk)
    return reading


@transaction.atomic
def enter_total(*, licence_type: str, total: int) -> SandboxLicence:
    """Write down how many sandboxes of a type the contract allows; the platform does not tell.

    Codes: ``sandbox.licence``, ``sandbox.total``, ``sandbox.no_production``.
    """
    demand("sandbox.licences")
    owner, person = require_production(), acting_person()
    if licence_type not in rules.REFRESH_DAYS:
        raise InvalidInput("sandbox.licence", "There is no such type.", field="licence_type")
    if not 0 <= total <= TOTAL_MAX:
        raise InvalidInput("sandbox.total", f"Enter a number from 0 to {TOTAL_MAX}.", field="total")
    row, _ = SandboxLicence.objects.get_or_create(
        production=owner,
        licence_type=licence_type,
        defaults={"total": total, "entered_by": person},
    )
    row.total, row.entered_by, row.entered_at = total, person, database_now()
    row.save(update_fields=["total", "entered_by", "entered_at"])
    kind = Licence(licence_type).title
    audit.record("sandbox.licences_entered", owner, facts={"total": total, "type": kind})
    return row


@transaction.atomic
def link(*, sandbox_id: int, environment: Environment) -> Sandbox:
    """Say that a sandbox is an environment's; the caller has demanded the right to.

    Codes: ``sandbox.owned``.
    """
    sandbox = Sandbox.objects.select_for_update(no_key=True, of=("self",)).get(pk=sandbox_id)
    other = Sandbox.objects.filter(environment=environment, gone_at=None).exclude(pk=sandbox.pk)
    if sandbox.environment_id not in (None, environment.pk) or other.exists():
        raise NotNow("sandbox.owned", f"{sandbox.name} or {environment} is taken already.")
    sandbox.environment = environment
    sandbox.save(update_fields=["environment"])
    facts = {"name": sandbox.name}
    audit.record("sandbox.adopted", environment, team=environment.team, facts=facts)
    return sandbox


# Workers -----------------------------------------------------------------------------------------


def sweep(claim: Claim) -> Next:
    """Wake the reading of the production org, when it can be reached."""
    owner = production()
    if owner is not None and owner.connection == Connection.OK:
        with transaction.atomic():
            claim.guard()
            wake(KIND, owner.pk)
    return Next.done()


def advance(claim: Claim) -> Next:
    """Read the sandboxes of the production org that the claim names."""
    owner = Environment.objects.select_related("track__team").get(pk=claim.subject_id)
    if owner.retired_at is not None or owner.kind != Kind.PRODUCTION:
        return Next.done()
    try:
        with open_org(owner) as org:
            found = platform.read(org)
    except DomainError as fault:
        return _failed(claim, owner, fault)
    with transaction.atomic():
        claim.guard()
        store(owner, found)
    return Next.done()


@transaction.atomic
def _failed(claim: Claim, owner: Environment, fault: DomainError) -> Next:
    claim.guard()
    reading, _ = SandboxReading.objects.get_or_create(production=owner)
    news = reading.code != fault.code
    reading.tried_at, reading.code, reading.message = database_now(), fault.code, fault.message
    reading.save(update_fields=["tried_at", "code", "message"])
    if news:
        audit.record("sandbox.list.failed", owner, facts={"problem": fault.message})
    again = isinstance(fault, ExternalFault) and fault.retryable
    return Next.after(60) if again else Next.done()


def store(owner: Environment, found: Sandboxes) -> None:
    """Write what the platform listed; in the caller's transaction, in a deploy worker's role."""
    now = database_now()
    kept = {row.info_id: row for row in _locked(owner)}
    environments = _unowned(owner)
    for info in found.infos:
        row = kept.pop(info.id, None)
        is_new = row is None
        if row is None:
            row = Sandbox(production=owner, info_id=info.id)
        _describe(row, info, found.copies_of(info.id), now)
        if row.environment is None or row.environment.retired_at is not None:
            row.environment = _owner_of(row, owner, environments)
        row.save(update_fields=None if is_new else LISTED)
        if is_new:
            audit.record("sandbox.seen", owner, facts={"name": row.name, "type": row.licence})
    for row in kept.values():
        if row.gone_at is None:
            row.gone_at = now
            row.save(update_fields=["gone_at"])
            audit.record("sandbox.gone", owner, facts={"name": row.name})
    reading, _ = SandboxReading.objects.get_or_create(production=owner)
    reading.tried_at = reading.read_at = now
    reading.code = reading.message = ""
    reading.save(update_fields=["tried_at", "read_at", "code", "message"])


def _locked(owner: Environment) -> list[Sandbox]:
    rows = Sandbox.objects.filter(production=owner).select_related("environment")
    return list(rows.order_by("pk").select_for_update(no_key=True, of=("self",)))


def _describe(
    row: Sandbox, info: SandboxInfo, copies: tuple[SandboxCopy, ...], now: datetime
) -> None:
    row.name = info.name[: rules.NAME_MAX]
    row.licence_type = rules.licence_of(info.licence_type)
    row.description = info.description
    row.source_info_id = info.source_id
    row.template_id = info.template_id
    row.apex_class_id = info.apex_class_id
    row.seen_at, row.gone_at = now, None
    newest = copies[0] if copies else None
    row.copy_id = newest.id if newest else ""
    row.phase = newest.phase.value if newest else ""
    row.status = newest.status[:80] if newest else ""
    row.progress = min(100, max(0, newest.progress)) if newest else 0
    row.copy_asked_at = newest.created_at if newest else info.created_at
    done = next((copy for copy in copies if copy.phase is Phase.COMPLETED), None)
    if done is not None and done.ended_at is not None:
        row.organization_id = done.organization_id
        row.copied_at = done.ended_at
        row.copy_seconds = max(0, round((done.ended_at - done.created_at).total_seconds()))


def _unowned(owner: Environment) -> list[Environment]:
    """The environments on sandboxes that no listed sandbox belongs to yet."""
    owned = Sandbox.objects.filter(production=owner, gone_at=None).exclude(environment=None)
    rows = Environment.objects.live().filter(kind=Kind.SANDBOX)
    return list(rows.exclude(pk__in=owned.values("environment_id")))


def _owner_of(
    row: Sandbox, owner: Environment, environments: list[Environment]
) -> Environment | None:
    host = rules.host_of(owner.login_host, row.name)
    for environment in environments:
        same_org = row.organization_id and row.organization_id in (
            environment.organization_id,
            environment.expected_organization_id,
        )
        if same_org or environment.login_host == host:
            environments.remove(environment)
            return environment
    return None
