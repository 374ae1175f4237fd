"""What an auditor finds: a pack, a sample, and a change past Gatehouse nobody has explained.

And what only some tests of pages need: an emergency.
"""

from __future__ import annotations

from datetime import timedelta

from releases.models import BreakGlass, OrgDeployment, OrgObservation
from releases.services import evidence as evidence_services
from tests.support.company.rows import Company, acting
from tests.support.databases import as_role


def evidence(company: Company) -> None:
    since, until = company.ago(days=300), company.now + timedelta(days=1)
    with acting(company.people["paul"]):
        pack = evidence_services.request_for_period(since=since, until=until)
        sample = evidence_services.draw_sample(since=since, until=until, size=3, seed="walnut")
    with as_role("deploy"):
        OrgObservation.objects.create(
            environment=company.orgs["Production"],
            state="done",
            since=company.ago(days=90),
            taken_at=company.ago(minutes=4),
            listed=2,
        )
        reported = OrgDeployment.objects.create(
            environment=company.orgs["Production"],
            organization_id=company.orgs["Production"].expected_organization_id,
            remote_id="0Af900000000001AAA",
            status="Succeeded",
            check_only=False,
            components_total=3,
            created_by_id="005900000000001AAA",
            created_by_name="Ada Admin",
            created_at=company.ago(hours=7),
            completed_at=company.ago(hours=7),
            first_seen_at=company.ago(hours=6),
            seen_at=company.ago(minutes=4),
            standing="unexplained",
        )
    company.evidence = {"pack": pack.pk, "sample": sample.pk, "unexplained": reported.pk}


def emergency(company: Company) -> BreakGlass:
    """An emergency that was used and waits for its review."""
    with as_role("owner"):
        return BreakGlass.objects.create(
            release=company.releases["September train"],
            reason="Orders fail for every customer since noon; each hour costs a day of sales.",
            incident="INC-4711",
            asked_by=company.people["marek"],
            used_at=company.ago(hours=3),
            review_due_at=company.now + timedelta(days=2),
        )
