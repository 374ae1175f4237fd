"""I-29 and I-30 against raw SQL in web's role: which policy is obeyed is what people decided.

Every attack here ended, before its guard, with a floor that asked nobody or other people.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from hypothesis import given, settings

from core.digests import digest_json
from environments.models import Environment, PolicyAssignment, StagePolicy
from environments.services import policies as places
from governance.models import ApprovalRequest, Policy, PolicyProposal, PolicyVersion
from governance.rules.policy import PolicyRules
from governance.rules.policy_lattice import approvals_at_least, at_least
from tests.support.company import Company, acting
from tests.support.company.house import NOBODY_ASKED, POLICY
from tests.support.cover import asked, execute, refusal, sqlstate
from tests.support.databases import as_role, role_connection
from tests.support.policies import policies


def version(company: Company, policy: Policy, body: dict[str, Any], **more: Any) -> PolicyVersion:
    """A version written past the services, in the role that is set."""
    with transaction.atomic():
        return PolicyVersion.objects.create(
            policy=policy,
            number=policy.versions.count() + 1,
            body=body,
            digest=digest_json(body),
            proposed_by=company.people["marek"],
            confirmed_by=company.people["ana"],
            **more,
        )


def made(company: Company, name: str, body: dict[str, Any]) -> Policy:
    """A policy in force that the board really made, a while ago."""
    with as_role("owner"):
        policy = Policy.objects.create(name=name)
        version(company, policy, body)
    return policy


def refused(act: Callable[[], Any]) -> str:
    """The code with which the database refuses."""
    with pytest.raises(DatabaseError) as caught:
        act()
    return sqlstate(caught.value)


def production(company: Company) -> Environment:
    return company.orgs["Production"]


def lightest(number: int = 1, roles: tuple[str, ...] = ("board_member",)) -> dict[str, Any]:
    rule = {"number": number, "roles": list(roles), "team": None, "when": "always"}
    return {**POLICY, "approvals": [rule]}


# ── A policy of one's own ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("body", [NOBODY_ASKED, POLICY, {}], ids=["nobody", "two", "unreadable"])
def test_i29_a_first_version_needs_the_board(company: Company, body: dict[str, Any]) -> None:
    mine = Policy.objects.create(name="Mine", founding=True)
    assert refused(lambda: version(company, mine, body)) == "P0G04"


def proposal_of(company: Company, policy: Policy, body: dict[str, Any]) -> PolicyProposal:
    return PolicyProposal.objects.create(
        policy=policy,
        based_on=policy.current,
        body=body,
        proposed_by=company.people["marek"],
    )


def ask_under(
    company: Company, under: PolicyVersion, kind: str, number: int, **more: Any
) -> ApprovalRequest:
    """A request written past the services."""
    return ApprovalRequest.objects.create(
        subject_kind=kind,
        subject_id=number,
        digest=digest_json({"kind": kind, "number": number}),
        policy_version=under,
        requester=company.people["marek"],
        opened_at=company.now,
        expires_at=company.now.replace(year=company.now.year + 1),
        label="Mine",
        url="/",
        **more,
    )


def approve(company: Company, request: ApprovalRequest, *names: str) -> None:
    """Forged decisions of people who hold the role."""
    for name in names:
        execute(
            "web",
            "INSERT INTO governance_decision (uuid, created_at, request_id, person_id, digest,"
            " verdict, comment, role, decided_at, auth_strength, policy_version_id, policy_digest)"
            " SELECT gen_random_uuid(), now(), %s, %s, %s, 'approve', '', 'board_member', now(),"
            " 'password', id, digest FROM governance_policyversion WHERE id = %s",
            request.pk,
            company.people[name].pk,
            request.digest,
            request.policy_version_id,
        )


def satisfy(request: ApprovalRequest) -> None:
    execute(
        "web",
        "UPDATE governance_approvalrequest SET state = 'satisfied' WHERE id = %s",
        request.pk,
    )


@pytest.mark.parametrize("approvers", [(), ("ana",)])
def test_i01_nobody_writes_that_people_were_satisfied(
    company: Company, approvers: tuple[str, ...]
) -> None:
    assert company.policy_version is not None
    request = ask_under(company, company.policy_version, "release", 1)
    approve(company, request, *approvers)
    assert refused(lambda: satisfy(request)) == "P0G01"


def test_i29_a_version_is_decided_under_the_rules_that_it_replaces(company: Company) -> None:
    """Not under a policy that asks nobody, or one person."""
    assert company.policy_version is not None
    assert company.unasked is not None
    policy = company.policy_version.policy
    weak = made(company, "Light", lightest()).current
    for under in (company.unasked.current, weak):
        assert under is not None
        proposal = proposal_of(company, policy, NOBODY_ASKED)
        request = ask_under(company, under, "policy.version", proposal.pk, also_body=proposal.body)
        if under == weak:
            approve(company, request, "ana")
        satisfy(request)
        publish = partial(version, company, policy, NOBODY_ASKED, request=request)
        assert refused(publish) == "P0G04"
        PolicyProposal.objects.filter(pk=proposal.pk).update(state="withdrawn")


def test_i29_less_is_decided_by_old_and_new_together(company: Company) -> None:
    assert company.policy_version is not None
    policy = company.policy_version.policy
    body = lightest(1, ("release_manager",))
    proposal = proposal_of(company, policy, body)
    request = ask_under(company, company.policy_version, "policy.version", proposal.pk)
    approve(company, request, "ana", "ben")
    satisfy(request)
    assert refused(lambda: version(company, policy, body, request=request)) == "P0G04"


@pytest.mark.parametrize(("marks", "code"), [((), "P0G04"), (("sharing",), "")])
def test_i29_a_version_with_a_rule_for_a_mark_is_asked_under_that_mark(
    company: Company, marks: tuple[str, ...], code: str
) -> None:
    """Otherwise the people whom that rule names would not be asked about it."""
    assert company.policy_version is not None
    policy = company.policy_version.policy
    security = {"number": 1, "roles": ["security_approver"], "team": None, "when": "sharing"}
    body = {**POLICY, "approvals": [*lightest(2)["approvals"], security]}
    proposal = proposal_of(company, policy, body)
    under = company.policy_version
    request = ask_under(company, under, "policy.version", proposal.pk, marks=list(marks))
    approve(company, request, "ana", "ben")
    satisfy(request)
    if code:
        with pytest.raises(DatabaseError, match="it was not asked under every mark"):
            version(company, policy, body, request=request)
    else:
        assert version(company, policy, body, request=request).number == under.number + 1


def test_i30_a_satisfied_question_is_counted_again_when_it_is_used(company: Company) -> None:
    """A decision taken back past the application leaves the word 'satisfied' standing."""
    assert company.policy_version is not None
    policy = company.policy_version.policy
    body = lightest(3)
    proposal = proposal_of(company, policy, body)
    request = ask_under(company, company.policy_version, "policy.version", proposal.pk)
    approve(company, request, "ana", "ben")
    satisfy(request)
    execute(
        "web",
        "INSERT INTO governance_withdrawal (decision_id, at, reason)"
        " SELECT id, now(), '' FROM governance_decision WHERE request_id = %s AND person_id = %s",
        request.pk,
        company.people["ben"].pk,
    )
    assert refused(lambda: version(company, policy, body, request=request)) == "P0G04"


# ── Another policy for an environment ────────────────────────────────────────────────────────────


def obey(environment: Environment, policy: Policy | None) -> None:
    execute(
        "web",
        "UPDATE environments_environment SET policy_id = %s, follows_stage = false WHERE id = %s",
        policy and policy.pk,
        environment.pk,
    )


def test_i29_raw_sql_gives_no_environment_a_weaker_policy(company: Company) -> None:
    light = made(company, "Light", lightest())
    assert refused(lambda: obey(production(company), light)) == "P0E03"
    assert refused(lambda: obey(production(company), company.unasked)) == "P0E04"
    assert refused(lambda: obey(company.orgs["Sales CI"], company.unasked)) == "P0E03"
    obey(production(company), made(company, "Strict", lightest(3)))
    obey(production(company), None)
    assert refused(lambda: obey(production(company), light)) == "P0E03"


LESS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "checks": ({"checks": ["rehearsed"]}, {"checks": []}),
    "outside checks": ({"external_checks": ["jenkins/e2e"]}, {}),
    "windows": ({"windows": [{"days": ["mon"]}]}, {"windows": []}),
    "tests": ({}, {"test_level": "NoTestRun"}),
    "life of approvals": ({}, {"expires_hours": 169}),
    "coverage": (
        {"checks": ["coverage"], "min_coverage": 90},
        {"checks": ["coverage"], "min_coverage": 75},
    ),
    "backup": ({"checks": ["backup"], "backup_max_hours": 4}, {"checks": ["backup"]}),
    "who starts": ({"start_roles": ["board_member"]}, {}),
}


@pytest.mark.parametrize("what", LESS)
def test_i29_raw_sql_sheds_nothing_but_approvals_either(company: Company, what: str) -> None:
    """The same people, but less is checked."""
    before, after = (
        made(company, name, {**POLICY, **body}) for name, body in zip("ab", LESS[what], strict=True)
    )
    execute(
        "owner",
        "UPDATE environments_environment SET policy_id = %s, follows_stage = false WHERE id = %s",
        before.pk,
        production(company).pk,
    )
    assert refused(lambda: obey(production(company), after)) == "P0E03"
    obey(production(company), made(company, "c", {**POLICY, **LESS[what][0]}))


def test_i29_raw_sql_gives_no_stage_a_weaker_policy(company: Company) -> None:
    light = made(company, "Light", lightest())
    rows = StagePolicy.objects.filter(track_kind="production", stage="PRD")

    def change() -> None:
        with transaction.atomic():
            rows.update(policy=light)

    assert refused(change) == "P0E03"
    with transaction.atomic():
        rows.update(policy=made(company, "Strict", lightest(3)))


def test_i29_a_new_environment_is_born_with_its_stages_policy_or_none(company: Company) -> None:
    def register(policy: Policy | None, **more: Any) -> None:
        with transaction.atomic():
            Environment.objects.create(
                track=company.orgs["Sales CI"].track,
                stage="DEV",
                kind="sandbox",
                name="Mine",
                licence_type="developer",
                login_host="mine.my.salesforce.com",
                expected_organization_id="00D000000000077AAA",
                policy=policy,
                **more,
            )

    assert refused(lambda: register(company.unasked)) == "P0E03"
    assert refused(lambda: register(company.unasked, follows_stage=False)) == "P0E03"
    register(None)


def test_i29_following_the_stage_is_no_way_to_its_policy(company: Company) -> None:
    obey(production(company), made(company, "Strict", lightest(3)))
    follow = "UPDATE environments_environment SET follows_stage = true{} WHERE id = %s"
    of_stage = company.policy_version and company.policy_version.policy_id
    for more in ("", f", policy_id = {of_stage}"):
        take = partial(execute, "web", follow.format(more), production(company).pk)
        assert refused(take) == "P0E03"


def test_i29_what_people_decided_happens_and_only_that(company: Company) -> None:
    """The governed way opens the guard once, for the environment that was asked about."""
    light = made(company, "Light", lightest())
    with acting(company.people["jonas"]):
        assignment = places.assign(environment_id=production(company).pk, policy=light, reason="x")
    assert assignment is not None
    assert refused(lambda: obey(production(company), light)) == "P0E03"
    digest = places.digest_of(assignment)
    for name in ("ana", "ben"):
        with acting(company.people[name]):
            places.decide(
                assignment_id=assignment.pk,
                verdict="approve",
                comment="",
                shown_digest=digest,
                auth_strength="password",
            )
    assert Environment.objects.get(pk=production(company).pk).policy == light
    obey(production(company), None)
    assert refused(lambda: obey(production(company), light)) == "P0E03"


def test_i29_a_question_about_one_policy_gives_no_other(company: Company) -> None:
    assert company.policy_version is not None
    light, other = made(company, "Light", lightest()), made(company, "Other", lightest())
    assert light.current is not None
    assignment = PolicyAssignment.objects.create(
        environment=production(company),
        track_kind="production",
        stage="PRD",
        policy=light,
        old_version=company.policy_version,
        new_version=light.current,
        asked_by=company.people["marek"],
    )
    request = ask_under(
        company,
        company.policy_version,
        "policy.assignment",
        assignment.pk,
        also_body=light.current.body,
    )
    approve(company, request, "ana", "ben")
    satisfy(request)
    assert refused(lambda: obey(production(company), other)) == "P0E03"
    execute(
        "web",
        "INSERT INTO governance_exclusion (request_id, user_id, reason) VALUES (%s, %s, 'wrote')",
        request.pk,
        company.people["ben"].pk,
    )
    assert refused(lambda: obey(production(company), light)) == "P0E03"


def test_i12_production_obeys_no_policy_that_asks_nobody(company: Company) -> None:
    """The floor says so itself, were the owner to set one."""
    case = asked(company, "ana", "ben")
    assert refusal(case.write) == ""
    nobody = company.unasked
    assert nobody is not None
    execute(
        "owner",
        "UPDATE environments_environment SET policy_id = %s WHERE stage = 'PRD'",
        nobody.pk,
    )
    assert "asks nobody" in refusal(case.write)


# ── SQL says "less" as Python does ───────────────────────────────────────────────────────────────


def test_i29_sql_says_less_as_the_lattice_does(transactional_db: None) -> None:
    seen: set[bool] = set()
    sure: list[bool] = []
    with role_connection("web", autocommit=True) as web:

        @settings(max_examples=120)
        @given(policies(), policies())
        def holds(old: PolicyRules, new: PolicyRules) -> None:
            row = web.execute(
                "SELECT governance_asks_no_less(%s::jsonb, %s::jsonb)",
                [json.dumps(new.body()), json.dumps(old.body())],
            ).fetchone()
            assert row is not None
            seen.add(row[0])
            assert row[0] == approvals_at_least(new, old)
            # In every other field SQL may only err on the side of "less".
            field = dataclasses.fields(PolicyRules)[len(sure) % 9].name
            part = dataclasses.replace(old, **{field: getattr(new, field)})
            row = web.execute(
                "SELECT governance_demands_no_less(%s::jsonb, %s::jsonb)",
                [json.dumps(part.body()), json.dumps(old.body())],
            ).fetchone()
            assert row is not None
            assert not row[0] or at_least(part, old)
            sure.append(row[0])

        holds()
    assert seen == set(sure) == {True, False}
