"""The floor under the gate: no write on a protected environment without cover, whoever asks.

Everything here goes past the gate and the services: raw SQL in the role of a deploy worker.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from governance import policies, policy_changes
from governance.models import PolicyVersion, User
from governance.rules.policy import SPECIFIED
from releases.models import Deployment, KnownTest, Step
from releases.rules.testing import Selection
from releases.selectors import testing
from releases.services import deployments
from releases.states import EFFECTS, Purpose, StepKind
from tests.support import cover
from tests.support.company import Company, acting, hex_of
from tests.support.company.work import package
from tests.support.cover import Case, asked, execute, intend, refusal, sqlstate
from tests.support.databases import as_role
from tests.support.moves import reach

OTHER = f"sha256:{hex_of('another')}"


def test_the_quorum_opens_the_floor(company: Company) -> None:
    case = asked(company, "ana", "ben")
    intend(case.write)
    assert case.write.state == "intended"


@pytest.mark.parametrize("approvers", [(), ("ana",)])
def test_less_than_the_quorum_does_not(company: Company, approvers: tuple[str, ...]) -> None:
    assert "too few" in refusal(asked(company, *approvers).write)


def revoke(case: Case) -> None:
    execute(
        "web",
        "UPDATE governance_membership SET revoked_at = now() WHERE user_id = %s",
        case.company.people["ben"].pk,
    )


def new_version(case: Case) -> None:
    """The board puts a version in force in which an approval lasts a day less."""
    people, version = case.company.people, case.company.policy_version
    assert version is not None
    body = version.body | {"expires_hours": version.body["expires_hours"] - 24}
    with acting(people["marek"]):
        proposal = policies.propose(policy_id=version.policy_id, body=body)
    for name in ("ana", "ben"):
        with acting(people[name]):
            policies.decide(
                proposal_id=proposal.pk,
                verdict="approve",
                comment="",
                shown_digest=policy_changes.question_digest(proposal),
                auth_strength="password",
            )
    assert version.policy.current != version


def reject(case: Case) -> None:
    execute(
        "web",
        "INSERT INTO governance_decision (uuid, created_at, request_id, person_id, digest, verdict,"
        " comment, role, decided_at, auth_strength, policy_version_id, policy_digest) "
        "SELECT gen_random_uuid(), now(), %s, %s, %s, 'reject', 'No.', 'board_member', now(),"
        " 'password', id, digest FROM governance_policyversion WHERE number = 1 AND id = %s",
        case.request.pk,
        case.company.people["jonas"].pk,
        cover.DIGEST,
        case.request.policy_version_id,
    )


LOSSES: dict[str, tuple[Callable[[Case], Any], str]] = {
    "withdrawn": (lambda case: case.withdraw("ben"), "too few"),
    "withdrawn by force": (
        lambda case: execute(
            "web",
            "INSERT INTO governance_withdrawal (decision_id, at, reason) VALUES (%s, now(), '')",
            case.decision("ben").pk,
        ),
        "too few",
    ),
    "role revoked": (revoke, "too few"),
    "account closed": (
        lambda case: User.objects.filter(full_name="Ben Okafor").update(is_active=False),
        "too few",
    ),
    "excluded": (lambda case: cover.exclude(case, case.company.people["ben"]), "too few"),
    "author unknown": (
        lambda case: execute(
            "web",
            "INSERT INTO governance_unmappedidentity (request_id, email, name) "
            "VALUES (%s, 'who@example.com', 'Who')",
            case.request.pk,
        ),
        "an author is unknown",
    ),
    "rejected": (reject, "somebody rejects"),
    "closed": (
        lambda case: execute(
            "deploy",
            "UPDATE governance_approvalrequest SET state = 'superseded', closed_at = now() "
            "WHERE id = %s",
            case.request.pk,
        ),
        "the request is superseded",
    ),
    "new policy version": (new_version, "the request is superseded"),
    "other policy": (
        lambda case: execute(
            "owner",
            "UPDATE environments_environment SET policy_id = %s WHERE stage = 'PRD'",
            case.company.unasked.pk if case.company.unasked else None,
        ),
        "asks nobody",
    ),
    "no policy": (
        lambda case: execute(
            "web", "UPDATE environments_environment SET policy_id = NULL WHERE stage = 'PRD'"
        ),
        "no policy",
    ),
    "another organisation": (
        lambda case: execute(
            "web",
            "UPDATE environments_environment SET expected_organization_id = '00D000000000099AAA' "
            "WHERE stage = 'PRD'",
        ),
        "not the one",
    ),
    "environment retired": (
        lambda case: execute(
            "web", "UPDATE environments_environment SET retired_at = now() WHERE stage = 'PRD'"
        ),
        "not the one",
    ),
}


@pytest.mark.parametrize("loss", LOSSES, ids=list(LOSSES))
def test_cover_that_is_lost_closes_it(company: Company, loss: str) -> None:
    case = asked(company, "ana", "ben")
    assert refusal(case.write) == ""
    lose, why = LOSSES[loss]
    lose(case)
    assert why in refusal(case.write)


def test_an_author_who_is_matched_later_no_longer_counts(company: Company) -> None:
    case = asked(company, "ana", "ben")
    execute(
        "web",
        "INSERT INTO governance_unmappedidentity (request_id, email, name) "
        "VALUES (%s, 'who@example.com', 'Who')",
        case.request.pk,
    )
    execute(
        "web",
        "INSERT INTO governance_gitidentity (uuid, created_at, email, user_id) "
        "VALUES (gen_random_uuid(), now(), 'who@example.com', %s)",
        company.people["ben"].pk,
    )
    assert "too few" in refusal(case.write)
    case.decide("jonas")
    assert refusal(case.write) == ""


def test_an_approval_expires_by_the_databases_clock(company: Company) -> None:
    case = asked(company, "ana", "ben")
    assert refusal(case.write) == ""
    with cover.later(minutes=59):
        assert refusal(case.write) == ""
    with cover.later(minutes=61):
        assert "expired" in refusal(case.write)


def test_a_deployment_that_does_not_run_writes_nothing(company: Company) -> None:
    assert "not running" in refusal(asked(company, "ana", "ben", run=False).write)


def test_nobody_asked_is_no_cover(company: Company) -> None:
    with acting(company.people["marek"]):
        deployment = deployments.plan(
            purpose=Purpose.INTEGRATE,
            environment=company.orgs["Production"],
            artefact=package("unasked"),
            requester=company.people["marek"],
        )
    with as_role("deploy"):
        reach(deployment, "running")
    assert "nobody was asked" in refusal(deployment.steps.get(kind="deploy"))


def test_a_policy_that_asks_nobody_needs_no_request(company: Company) -> None:
    with acting(company.people["marek"]):
        deployment = deployments.plan(
            purpose=Purpose.INTEGRATE,
            environment=company.orgs["Integration"],
            artefact=package("unasked"),
            requester=company.people["marek"],
        )
    with as_role("deploy"):
        reach(deployment, "running")
    assert refusal(deployment.steps.get(kind="deploy")) == ""


PAST_THE_INTENT = {
    "sent before it is intended": ("deploy", "state = 'started'", "P0S01"),
    "done before it is intended": ("deploy", "state = 'succeeded'", "P0F01"),
    "called a check": ("deploy", "effect = 'check', state = 'intended'", "P0F01"),
    "called a verification": ("deploy", "kind = 'verify', state = 'intended'", "P0F01"),
    "moved to another deployment": ("deploy", "deployment_id = 1, state = 'intended'", "P0F01"),
}


@pytest.mark.parametrize("way", PAST_THE_INTENT, ids=list(PAST_THE_INTENT))
def test_no_way_leads_round_the_intent(company: Company, way: str) -> None:
    role, change, code = PAST_THE_INTENT[way]
    case = asked(company)
    with pytest.raises(DatabaseError) as caught:
        execute(role, f"UPDATE releases_step SET {change} WHERE id = {case.write.pk}")  # noqa: S608
    assert sqlstate(caught.value) == code


def insert_step(
    deployment: Deployment, kind: str, effect: str, state: str, position: int = 99
) -> None:
    with transaction.atomic():
        Step.objects.create(
            deployment=deployment, position=position, kind=kind, effect=effect, state=state
        )


@pytest.mark.parametrize("state", ["intended", "started", "succeeded"])
def test_a_step_is_born_pending(company: Company, state: str) -> None:
    case = asked(company)
    with pytest.raises(DatabaseError) as caught:
        insert_step(case.deployment, "deploy", "write", state, case.write.position)
    assert sqlstate(caught.value) == "P0S01"


@pytest.mark.parametrize("kind", StepKind)
def test_the_effect_of_a_step_follows_from_its_kind(company: Company, kind: StepKind) -> None:
    case = asked(company)
    for effect in ("read", "check", "write"):
        planned = "the plan names no" if effect == EFFECTS[kind] else "is no"
        with pytest.raises(DatabaseError, match=planned) as caught:
            insert_step(case.deployment, kind, effect, "pending")
        assert sqlstate(caught.value) == "P0F01"


FIXED = {
    "subject_digest": f"'{OTHER}'",
    "artefact_id": "(SELECT min(id) FROM releases_artefact)",
    "environment_id": "(SELECT min(id) FROM environments_environment)",
    "organization_id": "'00D000000000099AAA'",
    "plan": '\'{"test_level": "NoTestRun"}\'',
    "policy_version_id": "NULL",
    "approval_id": "(SELECT min(id) FROM governance_approvalrequest)",
    "requester_id": "(SELECT min(id) FROM governance_user)",
    "release_id": "(SELECT min(id) FROM releases_release)",
    "purpose": "'build'",
    "not_before": "now()",
    "not_after": "now()",
}


BOUND_ONCE = ("web", "approval_id")
"""The one column among them that a role may write, once."""


@pytest.mark.parametrize("column", FIXED)
def test_what_is_bound_never_changes(company: Company, column: str) -> None:
    case = asked(company, "ana", "ben")
    statement = f"UPDATE releases_deployment SET {column} = {FIXED[column]} WHERE id = %s"  # noqa: S608
    for role in ("web", "build", "deploy"):
        with pytest.raises(DatabaseError) as caught:
            execute(role, statement, case.deployment.pk)
        assert sqlstate(caught.value) == ("P0R01" if (role, column) == BOUND_ONCE else "42501")


def test_a_request_about_something_else_cannot_be_bound(company: Company) -> None:
    october = company.releases["October train"].deployments.get(purpose="release")
    with acting(company.people["marek"]):
        deployment = deployments.plan(
            purpose=Purpose.RELEASE,
            environment=company.orgs["Production"],
            artefact=package("replayed"),
            requester=company.people["marek"],
            release=company.releases["November train"],
            subject_digest=OTHER,
        )
    with pytest.raises(DatabaseError) as caught:
        execute(
            "web",
            "UPDATE releases_deployment SET approval_id = %s WHERE id = %s",
            october.approval_id,
            deployment.pk,
        )
    assert sqlstate(caught.value) == "P0R01"


def test_settled_steps_stay(company: Company) -> None:
    step = Step.objects.filter(kind="validate", state="succeeded")[0]
    with pytest.raises(DatabaseError) as caught:
        execute("deploy", "UPDATE releases_step SET finished_at = now() WHERE id = %s", step.pk)
    assert sqlstate(caught.value) == "P0F01"


def test_no_write_runs_fewer_tests_than_the_policy_asks(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(testing, "selection", lambda *_: Selection("NoTestRun"))
    assert "fewer tests than the policy asks" in refusal(asked(company, "ana", "ben").write)


def test_no_write_leaves_out_a_proposed_test(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = Selection(SPECIFIED, ("QuoteTest",))
    monkeypatch.setattr(testing, "selection", lambda *_: named)
    old = company.policy_version
    assert old is not None
    with as_role("owner"):
        company.policy_version = PolicyVersion.objects.create(
            policy=old.policy,
            number=old.number + 1,
            body=old.body | {"test_level": SPECIFIED},
            digest=OTHER,
            proposed_by=old.proposed_by,
            confirmed_by=old.confirmed_by,
        )
    case = asked(company, "ana", "ben")
    with as_role("owner"):
        for name in ("quotetest", "PricingTest"):
            KnownTest.objects.create(
                release=case.release, artefact=case.deployment.artefact, kind="proposed", name=name
            )
    assert "leaves out a test that is proposed" in refusal(case.write)
