"""I-4: an approval is for one environment and one context; copying a request copies none."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, transaction

from governance.models import ApprovalRequest, Decision
from releases import gate
from releases.models import Deployment, Step
from releases.states import EFFECTS, PLANS, Purpose
from tests.invariants.gate_world import Approved, approved
from tests.support.company import Company


@pytest.fixture
def world(company: Company) -> Approved:
    return approved(company)


def copy_for(world: Approved, org: str, approval: ApprovalRequest | None) -> Deployment | None:
    """The approved deployment, written once more by hand for an environment."""
    fresh = world.fresh()
    target = world.company.orgs[org]
    try:
        with transaction.atomic():
            copy = Deployment.objects.create(
                purpose=Purpose.RELEASE,
                environment=target,
                organization_id=target.organization_id or "",
                artefact=fresh.artefact,
                release=fresh.release,
                preparation=fresh.preparation,
                requester=fresh.requester,
                plan=fresh.plan,
                policy_version=fresh.policy_version,
                subject_digest=fresh.subject_digest,
                baseline_digest=fresh.baseline_digest,
                state="held",
            )
            Step.objects.bulk_create(
                Step(deployment=copy, position=number, kind=kind, effect=EFFECTS[kind])
                for number, kind in enumerate(PLANS[Purpose.RELEASE], start=1)
            )
            if approval is not None:
                copy.approval = approval
                copy.save(update_fields=["approval"])
    except DatabaseError:
        return None
    return copy


@pytest.mark.parametrize("org", ["Rehearsal", "Integration", "Production"])
def test_i04_a_replayed_approval_opens_no_other_gate(world: Approved, org: str) -> None:
    """Approved for staging is worthless for production, and the other way round."""
    assert world.verdict().allowed
    copy = copy_for(world, org, world.request)
    assert copy is None or not gate.evaluate(copy, world.in_window).allowed


def test_i04_a_copied_request_brings_no_approvals(world: Approved) -> None:
    """Copying a request copies no approvals, and decisions cannot be written by hand."""
    original = ApprovalRequest.objects.get(pk=world.request.pk)
    try:
        with transaction.atomic():
            copied = ApprovalRequest.objects.create(
                subject_kind=original.subject_kind,
                subject_id=original.subject_id + 1,
                digest=original.digest,
                policy_version=original.policy_version,
                requester=original.requester,
                opened_at=original.opened_at,
                expires_at=original.expires_at,
                label=original.label,
                url=original.url,
            )
    except DatabaseError:
        return
    assert not Decision.objects.filter(request=copied).exists()
    copy = copy_for(world, "Production", copied)
    assert copy is None or not gate.evaluate(copy, world.in_window).allowed
