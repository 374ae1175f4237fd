"""The connection check: a deploy worker opens the org and writes down which one it is.

Only what the org itself said in that session is written, and only if the row is still the one
that was looked at. An organisation fills one live environment: a second one is refused with the
name of the first, and the database's unique constraint decides between two checks at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import IntegrityError, transaction

from core import clock
from core.errors import ExternalFault
from environments import gateways
from environments.models import Environment
from environments.services.sandboxes import copying
from environments.states import Connection, Kind
from governance import audit
from jobs.registry import Claim, Next
from salesforce.types import Limit, Organization

KEPT_LIMITS = (
    "DailyApiRequests",
    "DailyAsyncApexExecutions",
    "DataStorageMB",
    "FileStorageMB",
    "HourlyPublishedPlatformEvents",
)
"""Limits worth a glance on the board (docs page resources_limits.htm)."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What one check saw."""

    organization: Organization
    instance_url: str
    newest_api_version: str
    limits: dict[str, Limit]


def run(claim: Claim) -> Next:
    """Check the connection of the environment that the claim names."""
    environment = Environment.objects.select_related("track__team").get(pk=claim.subject_id)
    if environment.retired_at is not None:
        return Next.done()
    try:
        seen = look(environment)
        _refuse_unfit(environment, seen)
        return _write(claim, environment, seen)
    except ExternalFault as fault:
        return _write_failure(claim, environment, fault)


def look(environment: Environment) -> Seen:
    """Open the org and read what a check needs. Raises ExternalFault."""
    opened = gateways.open_for_check(environment)
    with opened.org as org:
        versions = org.api_versions()
        if environment.api_version not in versions:
            newest = versions[-1] if versions else "none"
            raise ExternalFault(
                "org.version_gone",
                f"{environment.name} is set to API version {environment.api_version}, which "
                f"{org.host} does not offer; its newest is {newest}. Change the API version.",
                retryable=False,
            )
        return Seen(opened.organization, f"https://{org.host}", versions[-1], org.limits())


def _refuse_unfit(environment: Environment, seen: Seen) -> None:
    found = seen.organization
    if found.id != environment.expected_organization_id:
        raise ExternalFault(
            "org.mismatch",
            f"{found.name} says it is organisation {found.id}, not "
            f"{environment.expected_organization_id} as entered for {environment.name}.",
            retryable=False,
        )
    if environment.kind == Kind.PRODUCTION and found.is_sandbox:
        raise ExternalFault(
            "org.not_production",
            f"{environment.name} is to be the production org, but {found.name} is a sandbox. "
            "Enter the address of production.",
            retryable=False,
        )
    holder = _holder_of(found.id, besides=environment)
    if holder is not None:
        raise _taken(found, holder)
    if environment.kind != Kind.PRODUCTION and not found.is_sandbox:
        raise ExternalFault(
            "org.is_production",
            f"{found.name} ({found.id}) says that it is no sandbox, so it does not fill "
            f"{environment.stage}. Enter the address and the organisation id of the sandbox.",
            retryable=False,
        )


def _holder_of(organization_id: str, *, besides: Environment) -> Environment | None:
    others = Environment.objects.live().filter(organization_id=organization_id)
    return others.exclude(pk=besides.pk).first()


def _taken(found: Organization, holder: Environment | None) -> ExternalFault:
    name = f"{holder.name} ({holder.stage})" if holder else "another environment"
    return ExternalFault(
        "org.taken",
        f"{found.name} ({found.id}) is registered already: it is {name}. An org fills one stage "
        "only, so this environment is not connected.",
        retryable=False,
    )


def _same(locked: Environment, looked_at: Environment) -> bool:
    """Say whether the row is still the one whose org was opened."""
    return (
        locked.login_host,
        locked.expected_organization_id,
        locked.api_version,
        locked.retired_at,
    ) == (
        looked_at.login_host,
        looked_at.expected_organization_id,
        looked_at.api_version,
        looked_at.retired_at,
    )


def _write(claim: Claim, looked_at: Environment, seen: Seen) -> Next:
    found = seen.organization
    columns: dict[str, object] = {
        "organization_id": found.id,
        "is_sandbox": found.is_sandbox,
        "organization_name": found.name[:80],
        "organization_type": found.type[:80],
        "instance_url": seen.instance_url,
        "instance_name": found.instance_name[:80],
        "newest_api_version": seen.newest_api_version,
        "limits": {
            name: [seen.limits[name].maximum, seen.limits[name].remaining]
            for name in KEPT_LIMITS
            if name in seen.limits
        },
        "connection": Connection.OK.value,
        "connection_code": "",
        "connection_message": "",
    }
    sort = "sandbox" if found.is_sandbox else "production"
    facts = {"organization": found.name, "organization_id": found.id, "sort": sort}
    try:
        return _settle(claim, looked_at, columns, "environment.connection.passed", facts)
    except IntegrityError as error:
        if "environment_organization_is_unique" not in str(error):
            raise
        holder = _holder_of(found.id, besides=looked_at)
        raise _taken(found, holder) from None


def _write_failure(claim: Claim, looked_at: Environment, fault: ExternalFault) -> Next:
    refused = fault.code in ("org.refused_login", "org.credential_elsewhere", "sealing.no_key")
    connection = Connection.RECONNECT if refused else Connection.FAILED
    columns = {
        "connection": connection.value,
        "connection_code": fault.code,
        "connection_message": fault.message,
    }
    facts = {"problem": fault.message, "code": fault.code}
    return _settle(claim, looked_at, columns, "environment.connection.failed", facts)


@transaction.atomic
def _settle(
    claim: Claim,
    looked_at: Environment,
    seen: Mapping[str, object],
    event: str,
    facts: Mapping[str, object],
) -> Next:
    """Write the result with its event, or look again when the row changed meanwhile."""
    claim.guard()
    locked = (
        Environment.objects.select_for_update(no_key=True, of=("self",))
        .select_related("track__team")
        .get(pk=looked_at.pk)
    )
    if not _same(locked, looked_at):
        return Next.now()
    columns = {**seen, "checked_at": clock.now()}
    for name, value in columns.items():
        setattr(locked, name, value)
    locked.save(update_fields=list(columns))
    audit.record(event, locked, team=locked.team, facts=facts)
    if locked.connection == Connection.OK:
        copying.reconnected(locked)
    return Next.done()
