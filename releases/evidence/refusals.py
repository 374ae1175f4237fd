"""Negative evidence: every attempt that was refused, one row each, and why."""

from __future__ import annotations

import json
from collections.abc import Iterator
from zoneinfo import ZoneInfo

from django.db.models import Q

from governance.models import AuditEvent
from releases.evidence.access import Span
from releases.evidence.times import local, utc

REFUSALS = "refusals.csv"
HEAD = ("event", "at (UTC)", "at (local)", "kind", "who", "about", "what", "event type")
KINDS = {
    "canary.refused": "canary refused",
    "approval.rejected": "rejected by a person",
    "deployment.held": "held at the gate",
    "release.decisions_voided": "decisions voided",
    "release.composition_refused": "release not composed",
    "repository.webhook_refused": "foreign message refused",
    "security.decision_refused": "decision refused",
    "security.job_refused": "foreign job refused",
}
OTHERWISE = "refused"
STREAM = 2000
REFUSED = Q(event__startswith="security.") | Q(event__contains="refused") | Q(event__in=list(KINDS))
BREACHES = {
    "canary.allowed": "canary NOT refused",
    "canary.silent": "canary not tried",
    "database.changed": "changed past Gatehouse",
}
"""Events that no control explains; they are exceptions, and not refusals."""


def refusal_rows(span: Span, zone: ZoneInfo) -> Iterator[tuple[object, ...]]:
    """Every refusal of the period in the order of the history."""
    rows = AuditEvent.objects.filter(REFUSED, at__gte=span.since, at__lt=span.until)
    for row in rows.order_by("pk").iterator(chunk_size=STREAM):
        body = json.loads(row.body)
        yield (
            row.public_id, utc(row.at), local(row.at, zone),
            KINDS.get(str(row.event), OTHERWISE), body["actor"]["name"],
            body["subject"]["label"], row.sentence, row.event,
        )  # fmt: skip


def breaches(span: Span) -> Iterator[tuple[str, AuditEvent]]:
    """What happened past every control, with what kind of departure it is."""
    rows = AuditEvent.objects.filter(event__in=BREACHES, at__gte=span.since, at__lt=span.until)
    for row in rows.order_by("pk").iterator(chunk_size=STREAM):
        yield BREACHES[str(row.event)], row
