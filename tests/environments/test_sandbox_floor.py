"""The database counts the approvals of a sandbox request anew, whoever writes its state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from core.db import database_now
from environments.models import Sandbox, SandboxRequest
from environments.services.sandboxes import facts, requests
from environments.states import SandboxAction, SandboxState
from governance.models import ApprovalRequest, Decision, PolicyVersion
from tests.invariants.test_i29_raw_sql_weakens_nothing import made
from tests.releases.pages.conftest import company, founded
from tests.support.company import Company, acting, copies
from tests.support.company.house import NOBODY_ASKED, org
from tests.support.cover import execute
from tests.support.databases import as_role

__all__ = ["company", "founded"]


def refusal(request: SandboxRequest, state: SandboxState, role: str) -> str:
    """What the database answers to a state that is written past the services; empty if nothing."""
    try:
        with as_role(role), transaction.atomic():
            changes = {"intended_at": database_now()} if state == SandboxState.STARTING else {}
            SandboxRequest.objects.filter(pk=request.pk).update(state=state, **changes)
            transaction.set_rollback(True)
    except DatabaseError as error:
        return str(error).splitlines()[0].partition("agreed to it, ")[2] or str(error)
    return ""


def approved(company: Company) -> SandboxRequest:
    """The refresh of Service TEST, which Marek lets be."""
    request = copies.requests(company)["asked"]
    with acting(company.people["marek"]):
        requests.decide(
            request_id=request.pk,
            verdict="approve",
            comment="",
            shown_digest=facts.digest_of(requests.find(request.pk)),
            auth_strength="password",
        )
    request.refresh_from_db()
    assert request.state == "approved"
    assert requests.agreed(request)
    assert refusal(request, SandboxState.STARTING, "deploy") == ""
    return request


def no_longer_manager(company: Company, request: SandboxRequest) -> None:
    execute(
        "web",
        "UPDATE governance_membership SET revoked_at = gatehouse_now() WHERE user_id = %s",
        company.people["marek"].pk,
    )


def taken_back(company: Company, request: SandboxRequest) -> None:
    decision = Decision.objects.get(request=requests.question_of(request))
    execute(
        "web",
        "INSERT INTO governance_withdrawal (decision_id, at, reason) VALUES (%s, now(), '')",
        decision.pk,
    )


def asked_past_the_services(company: Company, **changes: Any) -> SandboxRequest:
    """The refresh of Service TEST taken back, and written once more by hand."""
    first = copies.requests(company)["asked"]
    with acting(company.people["tomas"]):
        requests.withdraw(request_id=first.pk)
    fields = ("production", "action", "name", "licence_type", "sandbox", "environment", "team")
    more = ("template_id", "start", "reason", "digest", "requested_by")
    values = {name: getattr(first, name) for name in (*fields, *more)}
    return SandboxRequest.objects.create(**{**values, **changes})


def written_as_satisfied(company: Company, request: SandboxRequest, under: PolicyVersion) -> None:
    """A question under a policy that asks nobody, by hand, with the word that people agreed."""
    question = ApprovalRequest.objects.create(
        subject_kind=facts.KIND,
        subject_id=request.pk,
        digest=request.digest,
        policy_version=under,
        requester=request.requested_by,
        opened_at=company.now,
        expires_at=company.now.replace(year=company.now.year + 1),
        label="Mine",
        url="/",
    )
    satisfied = "UPDATE governance_approvalrequest SET state = 'satisfied' WHERE id = %s"
    execute("web", satisfied, question.pk)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (no_longer_manager, "too few of the people whom the policy asks approved it"),
        (taken_back, "too few of the people whom the policy asks approved it"),
    ],
)
def test_a_satisfied_mark_starts_nothing(
    company: Company, change: Callable[[Company, SandboxRequest], None], why: str
) -> None:
    request = approved(company)
    change(company, request)
    asked = requests.question_of(request)
    assert asked is not None
    assert asked.state == "satisfied"
    assert refusal(request, SandboxState.STARTING, "deploy") == why
    assert not requests.agreed(request)


def test_a_question_under_a_policy_that_asks_nobody_covers_nothing(company: Company) -> None:
    assert company.unasked is not None
    under = company.unasked.current
    assert under is not None
    request = asked_past_the_services(company)
    written_as_satisfied(company, request, under)
    assert refusal(request, SandboxState.APPROVED, "web") == "it was asked under another policy"


def test_only_the_lead_of_a_teams_own_dev_needs_nobody(company: Company) -> None:
    request = asked_past_the_services(company, needs_nobody=True)
    assert request.requested_by == company.people["tomas"]  # leads the team, but this is its TEST
    assert refusal(request, SandboxState.APPROVED, "web") == "who asked does not decide alone"


def test_a_request_names_the_environment_that_its_sandbox_fills(company: Company) -> None:
    """Web asks about the sandbox of one environment under the policy of another."""
    request = asked_past_the_services(company, needs_nobody=True)
    other = company.orgs["Rehearsal"]
    with as_role("deploy"):
        Sandbox.objects.create(
            production=request.production,
            info_id="0GQ000000000777AAA",
            name=request.name.upper(),
            licence_type="full",
            organization_id=other.expected_organization_id[:15],
        )
    assert refusal(request, SandboxState.APPROVED, "web") == "its sandbox fills another environment"


def test_a_teams_own_dev_is_asked_of_its_lead(company: Company) -> None:
    """Web asks about it under a policy that asks nobody, and leaves the lead out."""
    with as_role("owner"):
        developer = made(company, "Developer", NOBODY_ASKED).current
    assert developer is not None
    track = company.orgs["Service TEST"].track
    org(company, track, "DEV", "Service DEV", "developer")
    request = asked_past_the_services(
        company,
        action=SandboxAction.CREATE,
        sandbox=None,
        environment=company.orgs["Service DEV"],
        name="svcdev",
        requested_by=company.people["lena"],
    )
    written_as_satisfied(company, request, developer)
    assert refusal(request, SandboxState.APPROVED, "web") == "the lead of its team was not asked"
