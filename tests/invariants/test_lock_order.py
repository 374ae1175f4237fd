"""One lock order everywhere: parallel work on one release never waits in a circle.

Several people and workers act on the same release at the same moment, over and over. What loses is
refused with a sentence (or waits); PostgreSQL never has to break a deadlock (40P01).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.db import transaction

from core.context import Actor, acting_as
from core.errors import DomainError
from environments.models import Environment
from environments.services import holdings
from governance import approvals, policies, policy_changes
from governance.models import ApprovalRequest
from releases.models import Deployment, Release
from releases.services import approval, deployments, releases, stages, steps
from tests.support.company import Company, acting
from tests.support.databases import as_role
from tests.support.race import Outcome, race

ROUNDS = 8
Work = Callable[[], Any]


def as_worker(role: str, work: Work) -> Work:
    """Run in a worker's name, role and transaction."""

    def run() -> Any:
        worker = Actor("worker", None, f"{role} worker")
        with acting_as(worker), transaction.atomic(), as_role(role):
            return work()

    return run


def as_person(company: Company, name: str, service: Callable[..., Any], **arguments: Any) -> Work:
    """Call a service as a person."""

    def run() -> Any:
        with acting(company.people[name]):
            return service(**arguments)

    return run


def asked_again(company: Company) -> tuple[Release, Deployment, ApprovalRequest]:
    """The October train before the board, submitted once more if it is not there any more."""
    release = company.releases["October train"]
    release.refresh_from_db()
    if release.state == "rehearsed":
        with acting(company.people["marek"]):
            stages.submit(release_id=release.pk)
    request = approval.request_of(release)
    assert request is not None
    return release, release.deployments.filter(purpose="release").latest("pk"), request


def decisions(company: Company, request: ApprovalRequest, *names: str) -> list[Work]:
    """Approvals of exactly this question."""
    return [
        as_person(
            company,
            name,
            approval.decide,
            release_id=request.subject_id,
            verdict="approve",
            comment="",
            shown_digest=request.digest,
            auth_strength="password",
        )
        for name in names
    ]


def settled_by_a_worker(deployment: Deployment) -> None:
    """What the end of a deployment locks: everything, and the environment's row is written."""
    locked = steps.lock(deployment.pk)
    holdings.record_failure(locked.environment_id, "tried")
    releases.lock(locked.release_id or 0)


def choose_policy(company: Company) -> None:
    """The environment's policy replaced by itself: the trigger looks, and locks."""
    orgs = Environment.objects.filter(pk=company.orgs["Production"].pk)
    with transaction.atomic(), as_role("owner"):
        orgs.update(policy=company.unasked)
        orgs.update(policy=company.policy_version and company.policy_version.policy)


def publish(company: Company) -> None:
    """The board puts a version of production's policy in force in which approvals end sooner."""
    people, old = company.people, company.policy_version
    current = old and old.policy.current
    assert current is not None
    body = current.body | {"expires_hours": current.body["expires_hours"] - 1}
    with acting(people["marek"]):
        proposal = policies.propose(policy_id=current.policy_id, body=body)
    for name in ("ana", "ben"):
        with acting(people[name]):
            policies.decide(
                proposal_id=proposal.pk,
                verdict="approve",
                comment="",
                shown_digest=policy_changes.question_digest(proposal),
                auth_strength="password",
            )


def unexpected(outcomes: list[Outcome]) -> list[BaseException]:
    """What went wrong and is no refusal with a sentence."""
    return [o.error for o in outcomes if o.error and not isinstance(o.error, DomainError)]


def test_parallel_work_on_one_release_never_deadlocks(committed: Company) -> None:
    company = committed
    for number in range(ROUNDS):
        release, deployment, request = asked_again(company)
        back = partial(stages.withdraw_submission, release_id=release.pk, reason="later")
        stop = partial(deployments.cancel, deployment_id=deployment.pk)
        outcomes = race(
            *decisions(company, request, "ana", "ben"),
            as_worker("deploy", partial(settled_by_a_worker, deployment)),
            as_worker("build", partial(approvals.supersede, "release", release.pk, "tried")),
            as_worker("build", partial(approvals.settle_for, company.people["ana"])),
            as_person(company, "marek", releases.edit, release_id=release.pk, notes="A note."),
            as_person(company, "marek", stop if number % 3 == 1 else back),
        )
        assert unexpected(outcomes) == []


def test_policies_changed_under_decisions_never_deadlock(committed: Company) -> None:
    company = committed
    for change in (publish, choose_policy, publish):
        _, deployment, request = asked_again(company)
        outcomes = race(
            partial(change, company),
            as_worker("deploy", partial(settled_by_a_worker, deployment)),
            *decisions(company, request, "ana", "ben", "jonas"),
        )
        assert unexpected(outcomes) == []
        request.refresh_from_db()
        assert not request.is_live
        as_worker("build", partial(approval.outcome, request.pk))()
