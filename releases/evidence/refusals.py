"""Negative evidence: how often something was refused, by kind of refusal."""

from __future__ import annotations

from django.db.models import Count, Q

from governance.models import AuditEvent
from releases.evidence.access import Span

REFUSALS = (
    Q(event__startswith="security.")
    | Q(event__startswith="canary.")
    | Q(event__contains="refused")
    | Q(event__in=("approval.rejected", "deployment.held", "release.decisions_voided"))
)


def refusals(span: Span) -> dict[str, int]:
    """Events of the period that say no, counted by name."""
    rows = (
        AuditEvent.objects.filter(REFUSALS, at__gte=span.since, at__lt=span.until)
        .values("event")
        .annotate(number=Count("pk"))
        .order_by("event")
    )
    return {str(row["event"]): row["number"] for row in rows}
