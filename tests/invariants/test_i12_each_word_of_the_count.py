"""I-12, I-20, I-29, I-30: what counting anew refuses, each by the word that is there for it.

A question that is over, ran out or was asked under rules of one's own; a version that nobody can
read. Every statement is raw SQL in web's role; without the one refusal it would pass.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import DatabaseError, connection

from core.digests import digest_json
from governance.models import ApprovalRequest, Policy, PolicyVersion
from tests.governance.test_board import put_up
from tests.governance.world import World, approve_matter
from tests.invariants.guarded_rows import answer, fill, person
from tests.invariants.test_i29_raw_sql_weakens_nothing import (
    approve,
    ask_under,
    lightest,
    made,
    proposal_of,
    satisfy,
)
from tests.support.attacks import drop
from tests.support.company import Company
from tests.support.company.house import POLICY
from tests.support.cover import asked, execute, later, refusal
from tests.support.databases import as_role

SAYS_APPROVED = (
    "UPDATE governance_matter SET state = 'approved', effective_at = now() WHERE id = %s"
)
NOT_APPROVED = "P0G04 governance_guard_approved_matter: matter: the board has not approved it, {}"
VERSION = (
    "INSERT INTO governance_policyversion (uuid, created_at, policy_id, number, body, digest,"
    " proposed_by_id, confirmed_by_id, published_at, request_id)"
    " SELECT gen_random_uuid(), now(), %s, %s, %s::jsonb, %s, r.requester_id, %s, now(), r.id"
    " FROM governance_approvalrequest r WHERE r.id = %s"
)


def matter_of(company: Company) -> int:
    """Marek wants a seat on the board for Lena."""
    return fill(
        "governance_matter", kind="'seat.grant'", role="'board_member'", state="'asked'",
        asked_by_id=person(company, "marek"), user_id=person(company, "lena"),
    )  # fmt: skip


def test_i12_a_matter_that_nobody_was_asked_about(company: Company) -> None:
    told = answer("web", SAYS_APPROVED, matter_of(company))
    assert told == NOT_APPROVED.format("nobody was asked")


def test_i29_a_matter_is_decided_under_the_policy_of_the_board(company: Company) -> None:
    """Not under a light one that web finds fitting; under the board's own the same passes."""
    matter = matter_of(company)
    light = made(company, "Light", lightest()).current
    assert light is not None
    request = ask_under(company, light, "seat.grant", matter)
    approve(company, request, "ana")
    told = answer("web", SAYS_APPROVED, matter)
    assert told == NOT_APPROVED.format("it was asked under another policy")


@pytest.mark.parametrize(
    ("minutes", "told"),
    [
        (-5, "done"),
        (5, "P0G04 governance_give_seat: seat: the board has not approved it"),
    ],
    ids=["before", "after"],
)
def test_i20_no_seat_is_given_on_an_answer_that_ran_out(
    world: World, minutes: int, told: str
) -> None:
    """Nobody has closed the question yet; its time is over all the same."""
    matter = put_up(world)
    for member in (world.ana, world.ben):
        approve_matter(member, matter)
    question = ApprovalRequest.objects.get(subject_kind="seat.grant", subject_id=matter.pk)
    life = (question.expires_at - question.opened_at).total_seconds() / 60
    with later(minutes=int(life) + minutes):
        assert answer("web", "SELECT governance_give_seat(%s)", matter.pk) == told


def test_i20_a_question_that_was_closed_covers_nothing(company: Company) -> None:
    """Whatever was decided before."""
    assert company.policy_version is not None
    request = ask_under(company, company.policy_version, "release", 1)
    approve(company, request, "ana", "ben")
    counted = "SELECT governance_uncovered(%s)"
    assert words("owner", counted, request.pk) is None
    execute(
        "web",
        "UPDATE governance_approvalrequest SET state = 'withdrawn', closed_at = now()"
        " WHERE id = %s",
        request.pk,
    )
    assert words("owner", counted, request.pk) == "the request is withdrawn"
    assert words("owner", counted, 0) == "nobody was asked"


def words(role: str, statement: str, *values: Any) -> Any:
    """What a function answers to a role."""
    with as_role(role), connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchone()[0]


def publish(
    company: Company, policy: Policy, body: dict[str, Any], request: ApprovalRequest
) -> str:
    """Web puts a version in force by raw SQL."""
    return answer(
        "web",
        VERSION,
        policy.pk,
        policy.versions.count() + 1,
        json.dumps(body),
        digest_json(body),
        company.people["ana"].pk,
        request.pk,
    )


def asked_about(company: Company, body: dict[str, Any]) -> tuple[Policy, ApprovalRequest]:
    """Ana and Ben approve a version of production's policy, old and new together."""
    assert company.policy_version is not None
    policy = company.policy_version.policy
    proposal = proposal_of(company, policy, body)
    request = ask_under(
        company, company.policy_version, "policy.version", proposal.pk, also_body=body
    )
    approve(company, request, "ana", "ben")
    satisfy(request)
    return policy, request


def test_i12_a_version_whose_rules_cannot_be_read_is_never_in_force(company: Company) -> None:
    """A rule that says of no case that it holds asks nobody, ever."""
    mute = {"number": 1, "roles": ["board_member"], "team": None}
    body = {**POLICY, "approvals": [mute]}
    policy, request = asked_about(company, body)
    assert publish(company, policy, body, request) == (
        "P0G04 governance_guard_policy_version: policy version: its rules cannot be read"
    )


def test_i01_a_version_is_the_one_that_people_decided_on(company: Company) -> None:
    """They approved one that asks for more; another that asks for as much takes its place."""
    approved = {**POLICY, "expires_hours": 1}
    other = {**POLICY, "checks": []}
    policy, request = asked_about(company, approved)
    assert publish(company, policy, other, request) == (
        "P0G04 governance_guard_policy_version: policy version: people have not decided on it"
    )
    assert publish(company, policy, approved, request) == "done"


def test_i09_nobody_rejects_in_a_role_that_is_not_theirs(company: Company) -> None:
    """Not even a no: it would hold the release up in the name of the board."""
    assert company.policy_version is not None
    request = ask_under(company, company.policy_version, "release", 1)
    told = answer(
        "web",
        "INSERT INTO governance_decision (uuid, created_at, request_id, person_id, digest,"
        " verdict, comment, role, decided_at, auth_strength, policy_version_id, policy_digest)"
        " SELECT gen_random_uuid(), now(), %s, %s, %s, 'reject', 'No.', 'board_member', now(),"
        " 'password', id, digest FROM governance_policyversion WHERE id = %s",
        request.pk,
        company.people["priya"].pk,
        request.digest,
        request.policy_version_id,
    )
    assert told == ("P0G02 governance_guard_decision: decision: this person does not hold the role")


@pytest.mark.parametrize(
    ("policy", "word"),
    [("Production", ""), ("Light", "the request was asked under another policy")],
)
def test_i30_production_is_asked_about_under_its_own_policy(
    company: Company, policy: str, word: str
) -> None:
    """One that the board made for something else, and that these two satisfy, opens nothing."""
    made(company, "Light", lightest())
    under = Policy.objects.get(name=policy).current
    assert refusal(asked(company, "ana", "ben", policy_version=under).write) == word


def test_i01_the_floor_reads_the_digest_once_more(company: Company) -> None:
    """Bent after it was bound, by the owner, past the guard that keeps every question."""
    case = asked(company, "ana", "ben")
    drop("governance_approvalrequest", "guard_request")
    execute(
        "owner",
        "UPDATE governance_approvalrequest SET digest = %s WHERE id = %s",
        digest_json("other"),
        case.request.pk,
    )
    assert refusal(case.write) == "the request asks about another digest"


def test_i12_a_policy_that_cannot_be_read_satisfies_nobody(company: Company) -> None:
    """Not even one that the owner bent behind the back of every guard."""
    with as_role("owner"):
        policy = Policy.objects.create(name="Bent")
        bent = PolicyVersion.objects.create(
            policy=policy, number=1, body={**POLICY, "approvals": None}, digest=digest_json({}),
            proposed_by=company.people["marek"], confirmed_by=company.people["ana"],
        )  # fmt: skip
    request = ask_under(company, bent, "release", 1)
    with pytest.raises(DatabaseError, match="not satisfied, the policy cannot be read"):
        satisfy(request)


def test_i06_a_deployment_is_bound_to_one_request_once(company: Company) -> None:
    """Who is excluded is worked out when it is bound: a second question would leave them in."""
    case = asked(company, "ana", "ben", run=False)
    withdraw = "UPDATE governance_approvalrequest SET state = 'withdrawn', closed_at = now()"
    execute("web", withdraw)
    assert case.request.policy_version is not None
    second = ask_under(company, case.request.policy_version, "release", case.release.pk)
    drop("governance_approvalrequest", "guard_request")
    same = "UPDATE governance_approvalrequest SET digest = %s WHERE id = %s"
    execute("owner", same, case.request.digest, second.pk)
    bind = "UPDATE releases_deployment SET approval_id = %s WHERE id = %s"
    assert answer("web", bind, second.pk, case.deployment.pk) == (
        "P0R01 releases_guard_deployment: deployment: it is bound to one request, once"
    )


def test_i01_what_production_held_is_written_once(company: Company) -> None:
    """Else a deploy worker could say afterwards that nothing had changed."""
    case = asked(company, "ana", "ben")
    say = "UPDATE releases_deployment SET baseline_digest = %s WHERE id = %s"
    execute("deploy", say, digest_json("before"), case.deployment.pk)
    assert answer("deploy", say, digest_json("after"), case.deployment.pk) == (
        "P0R01 releases_guard_deployment: deployment: its baseline is written once"
    )


def test_i09_a_seat_is_taken_by_somebody_who_is_still_there(world: World) -> None:
    """The board approved, the account was closed, the delay is over."""
    matter = put_up(world)
    for member in (world.ana, world.ben):
        approve_matter(member, matter)
    close = "UPDATE governance_user SET is_active = false WHERE id = %s"
    execute("owner", close, matter.user_id)
    with later(minutes=60 * 30):
        assert answer("web", "SELECT governance_give_seat(%s)", matter.pk) == (
            "P0G04 governance_give_seat: seat: only an active person takes it"
        )
