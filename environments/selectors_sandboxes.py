"""What pages and services read about sandboxes and their licences."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from environments import rules_sandboxes as rules
from environments.models import (
    Environment,
    Sandbox,
    SandboxLicence,
    SandboxReading,
    SandboxRequest,
)
from environments.models.sandboxes import LIVE
from environments.states import Kind, Licence, SandboxState

LONGEST_COPY = timedelta(days=3)
"""A copy that somebody left unactivated for weeks says nothing about copying."""


def production() -> Environment | None:
    """The production org, whose Tooling API knows the sandboxes; None before it is registered."""
    rows = Environment.objects.live().filter(kind=Kind.PRODUCTION).select_related("track__team")
    return rows.first()


def overrides() -> dict[str, int]:
    """Days between refreshes that this installation sets (GATEHOUSE_SANDBOX_REFRESH_DAYS)."""
    return dict(settings.GATEHOUSE.sandbox_refresh_days)


def next_refresh(sandbox: Sandbox) -> datetime | None:
    """The earliest moment at which the platform takes a refresh of a sandbox."""
    return rules.next_refresh(sandbox.licence_type, sandbox.copy_asked_at, overrides())


def expected_seconds(owner: Environment, licence_type: str) -> int | None:
    """How long a copy of this type usually takes here, from the platform's own dates."""
    rows = Sandbox.objects.filter(production=owner, licence_type=licence_type)
    past = rows.filter(copy_seconds__gt=0, copy_seconds__lt=LONGEST_COPY.total_seconds())
    seconds = past.values_list("copy_seconds", flat=True)
    return rules.expected_seconds([each for each in seconds if each])


def reading_of(owner: Environment | None) -> SandboxReading | None:
    """When the sandboxes were last read."""
    return SandboxReading.objects.filter(production=owner).first() if owner else None


def sandbox_of(environment: Environment) -> Sandbox | None:
    """The listed sandbox of an environment."""
    rows = Sandbox.objects.filter(environment=environment, gone_at=None)
    return rows.select_related("production").first()


def total_of(owner: Environment, licence_type: str) -> int | None:
    """How many sandboxes of a type the contract allows; None when nobody has entered it."""
    row = SandboxLicence.objects.filter(production=owner, licence_type=licence_type).first()
    return row.total if row else None


def used_of(owner: Environment, licence_type: str) -> int:
    """How many sandboxes of a type are listed."""
    return Sandbox.objects.filter(production=owner, licence_type=licence_type, gone_at=None).count()


@dataclass(frozen=True, slots=True)
class LicenceUse:
    """The licences of one type: ``total`` None when nobody has entered it."""

    licence_type: str
    title: str
    days: int
    used: int
    total: int | None
    entered: SandboxLicence | None

    @property
    def free(self) -> int | None:
        """How many more there may be."""
        return None if self.total is None else max(0, self.total - self.used)


def licences(owner: Environment) -> tuple[LicenceUse, ...]:
    """Every type of sandbox with its licences."""
    rows = SandboxLicence.objects.filter(production=owner).select_related("entered_by")
    entered = {row.licence_type: row for row in rows}
    listed = Sandbox.objects.filter(production=owner, gone_at=None)
    used = Counter(listed.values_list("licence_type", flat=True))
    found = []
    for kind in rules.REFRESH_DAYS:
        row = entered.get(kind)
        found.append(
            LicenceUse(
                kind,
                Licence(kind).title,
                rules.refresh_days(kind, overrides()),
                used.get(kind, 0),
                row.total if row else None,
                row,
            )
        )
    return tuple(found)


@dataclass(frozen=True, slots=True)
class SandboxRow:
    """A sandbox as the list shows it."""

    sandbox: Sandbox
    source: str
    next_refresh: datetime | None
    is_due: bool
    request: SandboxRequest | None
    share: int

    @property
    def is_copying(self) -> bool:
        """Whether the platform copies it now."""
        return self.sandbox.phase in ("copying", "activating")


def rows_of(owner: Environment, now: datetime, query: str = "") -> tuple[SandboxRow, ...]:
    """Every listed sandbox by name, those that match the words of ``query``."""
    listed = list(
        Sandbox.objects.filter(production=owner, gone_at=None)
        .select_related("environment__track__team")
        .order_by("name")
    )
    names = {row.info_id: row.name for row in listed}
    live = {
        row.sandbox_id: row
        for row in SandboxRequest.objects.filter(production=owner, state__in=LIVE)
        .select_related("environment", "requested_by")
        .order_by("pk")
    }
    found = []
    for row in listed:
        earliest = next_refresh(row)
        source = names.get(row.source_info_id, "") if row.source_info_id else ""
        item = SandboxRow(
            sandbox=row,
            source=source or ("a deleted sandbox" if row.source_info_id else "Production"),
            next_refresh=earliest,
            is_due=earliest is None or earliest <= now,
            request=live.get(row.pk),
            share=rules.share(row.progress, 0, None),
        )
        if _matches(item, query):
            found.append(item)
    return tuple(found)


def _matches(row: SandboxRow, query: str) -> bool:
    owner = row.sandbox.environment
    words = (row.sandbox.name, row.sandbox.licence, owner.name if owner else "unknown", row.source)
    return all(any(part in word.lower() for word in words) for part in query.lower().split())


def live_request(environment: Environment) -> SandboxRequest | None:
    """The request about an environment's sandbox that waits or is under way."""
    rows = SandboxRequest.objects.filter(environment=environment, state__in=LIVE)
    return rows.select_related("environment", "requested_by").first()


def to_reconnect(environment: Environment) -> SandboxRequest | None:
    """The finished refresh after which an environment waits for its connection."""
    rows = SandboxRequest.objects.filter(environment=environment, state=SandboxState.RECONNECT)
    return rows.select_related("environment", "sandbox").order_by("-pk").first()


def find_request(request_id: int) -> SandboxRequest | None:
    """One request with everything its page names."""
    rows = SandboxRequest.objects.select_related(
        "environment__track__team", "production", "sandbox", "source", "team", "requested_by"
    )
    return rows.filter(pk=request_id).first()


def find_sandbox(sandbox_id: int) -> Sandbox | None:
    """One listed sandbox."""
    rows = Sandbox.objects.select_related("production", "environment")
    return rows.filter(pk=sandbox_id, gone_at=None).first()
