"""A release that everybody who must has approved, for attacks on the gate."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from core.digests import digest_json
from governance import approvals
from governance.models import ApprovalRequest, Policy, PolicyVersion
from governance.services.founding import FIRST_POLICIES
from releases import gate
from releases.models import Deployment, Release
from releases.rules.reasons import Verdict
from releases.selectors import policies, subject
from releases.services import approval
from tests.support.company import Company, acting
from tests.support.databases import as_role


@dataclass
class Approved:
    """The October train with every approval given; the gate is open in its window."""

    company: Company
    release: Release
    request: ApprovalRequest
    deployment: Deployment

    @property
    def in_window(self) -> datetime:
        """A moment at which nothing but the decisions matters."""
        return self.company.now + timedelta(days=2, minutes=5)

    def fresh(self) -> Deployment:
        """The deployment as a worker would read it now."""
        return Deployment.objects.select_related("release", "preparation", "environment").get(
            pk=self.deployment.pk
        )

    def verdict(self, at: datetime | None = None) -> Verdict:
        """The gate's answer in the window."""
        return gate.evaluate(self.fresh(), at or self.in_window)

    def in_force(self) -> bool:
        """Whether the approvals count for the subject as it is now."""
        deployment = self.fresh()
        version = policies.of_deployment(deployment, deployment.environment)
        now = subject.current(deployment, version) if version else None
        request = ApprovalRequest.objects.get(pk=self.request.pk)
        digest = now.digest() if now else "sha256:" + "0" * 64
        return approvals.progress(request, current_digest=digest).satisfied


def approve(company: Company, release: Release, *names: str) -> None:
    """Have people approve exactly what is asked now."""
    for name in names:
        with acting(company.people[name]):
            card = approval.card(release)
            approval.decide(
                release_id=release.pk,
                verdict="approve",
                comment="",
                shown_digest=card.shown_digest,
                auth_strength="password",
            )


def approved(company: Company) -> Approved:
    """Let Ana and Ben approve the October train."""
    release = company.releases["October train"]
    approve(company, release, "ana", "ben")
    request = approval.request_of(release)
    assert request is not None
    deployment = approval.deployment_of(request)
    assert deployment is not None
    release.refresh_from_db()
    return Approved(company, release, request, deployment)


def first_policy(company: Company, name: str) -> PolicyVersion:
    """One of the policies that founding makes, made as owner because it comes later here."""
    body = FIRST_POLICIES[name]
    with as_role("owner"):
        return PolicyVersion.objects.create(
            policy=Policy.objects.create(name=name),
            number=1,
            body=body,
            digest=digest_json(body),
            proposed_by=company.people["ana"],
            confirmed_by=company.people["ben"],
        )
