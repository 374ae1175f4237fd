"""I-31: two people, reason, incident, one digest, one use, short life, notice, review."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.context import Actor, acting_as
from core.errors import InvalidInput, NotAllowed, NotNow
from environments.models import Freeze
from environments.selectors_calendar import Target
from environments.services import calendar
from environments.states import FreezeScope
from governance.models import AuditEvent, Notice
from releases import gate
from releases.models import BreakGlass, Deployment, Release
from releases.services import approval, break_glass, emergency, releases, stages
from releases.states import DeploymentState
from tests.invariants.gate_world import approve, first_policy
from tests.support.company import Company, acting
from tests.support.databases import as_role

WHY = "Orders fail for every customer since noon; each hour costs a day of sales."


@pytest.fixture
def train(company: Company) -> Release:
    """A prepared release that may become an emergency."""
    first_policy(company, "Break-glass")
    release = company.releases["October train"]
    with acting(company.people["marek"]):
        stages.withdraw_submission(release_id=release.pk, reason="it cannot wait")
    release.refresh_from_db()
    return release


def declared(company: Company, release: Release) -> BreakGlass:
    with acting(company.people["marek"]):
        return emergency.declare(release_id=release.pk, reason=WHY, incident="INC-4711")


def asked(company: Company, release: Release) -> Deployment:
    row = declared(company, release)
    with acting(company.people["marek"]):
        request = stages.submit(release_id=release.pk)
    row.refresh_from_db()
    assert row.request == request
    assert request.expires_at - request.opened_at <= timedelta(hours=4)
    found = approval.deployment_of(request)
    assert found is not None
    return found


def verdict(deployment: Deployment, company: Company) -> gate.Verdict:
    return gate.evaluate(Deployment.objects.get(pk=deployment.pk), company.now)


def use(deployment: Deployment) -> None:
    """What the worker does when the gate lets the deployment begin."""
    with as_role("deploy"), acting_as(Actor("worker", None, "deploy worker")):
        row = Deployment.objects.get(pk=deployment.pk)
        row.state = DeploymentState.RUNNING
        row.save(update_fields=["state"])
        break_glass.used(row, [])


@pytest.mark.parametrize(
    ("reason", "incident"), [("", "INC-1"), ("broken", "INC-1"), (WHY, ""), (WHY, "  ")]
)
def test_i31_each_missing_ingredient_is_refused(
    company: Company, train: Release, reason: str, incident: str
) -> None:
    """Each missing ingredient → refused."""
    with acting(company.people["marek"]), pytest.raises(InvalidInput):
        emergency.declare(release_id=train.pk, reason=reason, incident=incident)
    assert not BreakGlass.objects.exists()


def test_i31_one_approver_is_not_enough_and_two_open_it_in_a_freeze(
    company: Company, train: Release
) -> None:
    with acting(company.people["ana"]):
        calendar.freeze(
            words=calendar.Words(
                name="Year end",
                reason="Finance closes the books.",
                target=Target(FreezeScope.EVERYTHING),
                zone="UTC",
                starts=company.now.replace(tzinfo=None) - timedelta(hours=1),
                ends=company.now.replace(tzinfo=None) + timedelta(days=2),
            )
        )
    deployment = asked(company, train)
    approve(company, train, "ana")
    assert "gate.approvals_missing" in {row.code for row in verdict(deployment, company).holding}
    approve(company, train, "ben")
    open_now = verdict(deployment, company)
    assert open_now.allowed, open_now.holding
    assert any("Year end" in text for text in open_now.waived)
    assert Freeze.objects.exists()


def test_i31_neither_requester_nor_contributing_team_decides(
    company: Company, train: Release
) -> None:
    asked(company, train)
    for name in ("marek", "priya", "lena"):
        with pytest.raises((NotAllowed, NotNow)):
            approve(company, train, name)


def test_i31_everybody_is_told_at_request_approval_and_use(
    company: Company, train: Release
) -> None:
    deployment = asked(company, train)
    approve(company, train, "ana", "ben")
    use(deployment)
    told = set(Notice.objects.values_list("recipient_email", flat=True))
    assert {company.people[name].email for name in ("ana", "ben", "jonas", "ines")} <= told
    for word in ("is asked for", "is approved", "is used"):
        assert Notice.objects.filter(subject__contains=word).count() >= 4
    story = set(AuditEvent.objects.filter(event__startswith="break_glass").values_list("event"))
    assert len(story) == 4


def test_i31_it_opens_once(company: Company, train: Release) -> None:
    """Second use → refused."""
    deployment = asked(company, train)
    approve(company, train, "ana", "ben")
    use(deployment)
    with as_role("deploy"):
        again = Deployment.objects.get(pk=deployment.pk)
        again.state, again.finished_at = DeploymentState.FAILED, company.now
        again.save(update_fields=["state", "finished_at"])
    assert "gate.break_glass_used" in {
        row.code for row in gate.evaluate(again, company.now).holding
    }
    with pytest.raises(NotNow) as refusal:
        break_glass.newest(train)
    assert refusal.value.code == "break_glass.none"


def test_i31_an_overdue_review_blocks_the_next_and_the_asker_cannot_write_it(
    company: Company, train: Release
) -> None:
    """Overdue review blocks the next."""
    deployment = asked(company, train)
    approve(company, train, "ana", "ben")
    use(deployment)
    row = BreakGlass.objects.get()
    with as_role("owner"):
        BreakGlass.objects.update(review_due_at=company.now - timedelta(days=1))
    with pytest.raises(NotNow) as refusal:
        break_glass.refuse_overdue()
    assert refusal.value.code == "break_glass.review_overdue"
    with acting(company.people["ana"]):
        break_glass.review(break_glass_id=row.pk, review="It was right; the cache is bounded now.")
    break_glass.refuse_overdue()
    assert releases.BREAK_GLASS_KIND == "break_glass"


def test_i31_an_edit_voids_it_like_any_other(company: Company, train: Release) -> None:
    deployment = asked(company, train)
    approve(company, train, "ana", "ben")
    BreakGlass.objects.update(reason=WHY + " And more.")
    assert not verdict(deployment, company).allowed


def test_i31_an_emergency_stop_holds_it_too(company: Company, train: Release) -> None:
    deployment = asked(company, train)
    approve(company, train, "ana", "ben")
    assert verdict(deployment, company).allowed
    with acting(company.people["jonas"]):
        calendar.stop(reason="Data is being destroyed.", typed_word="stop")
    later = company.now + timedelta(minutes=10)
    held = gate.evaluate(Deployment.objects.get(pk=deployment.pk), later)
    assert {row.code for row in held.holding} == {"calendar.stop"}
