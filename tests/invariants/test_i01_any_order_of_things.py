"""I-1, I-9, I-13, I-20: in whatever order people and time do things, no write without approval.

Random sequences on one deployment to production: decisions for and against, taken back, exclusions,
roles and accounts lost, another policy, a freeze, other contents, another window, another
organisation, time. After each of them three answer: the gate, the floor (a worker that has claimed
the deployment writes its intent), and an oracle, which reads rows alone and knows neither.
"""

from __future__ import annotations

from contextlib import suppress
from copy import deepcopy
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from core.digests import digest_json
from core.errors import DomainError
from environments.models import Environment
from environments.selectors_calendar import Target
from environments.services import calendar
from environments.states import FreezeScope
from governance.models import (
    ApprovalRequest,
    Decision,
    Exclusion,
    Membership,
    PolicyVersion,
    UnmappedIdentity,
    User,
    Withdrawal,
)
from releases.models import Artefact, Deployment, Release
from releases.services import approval
from tests.invariants.gate_world import Approved, approved
from tests.support.company import Company, acting
from tests.support.company.work import package
from tests.support.cover import execute, refusal
from tests.support.databases import as_role
from tests.support.moves import reach

VOTERS = ("ana", "ben", "jonas")
ACTS = ("approve", "approve", "approve", "reject", "withdraw", "exclude", "revoke", "close")
THINGS = ("policy", "freeze", "contents", "window", "organisation")
STEPS = st.lists(
    st.tuples(st.sampled_from(ACTS), st.sampled_from(VOTERS))
    | st.tuples(st.sampled_from(THINGS), st.none())
    | st.tuples(st.just("time"), st.sampled_from((1, 49, 50, 24 * 8))),
    min_size=2,
    max_size=5,
)
QUICK = settings(
    max_examples=8,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
CLOCK = (
    "CREATE OR REPLACE FUNCTION gatehouse_now() RETURNS timestamptz LANGUAGE sql VOLATILE"
    " SET search_path = pg_catalog AS $$ SELECT '{}'::timestamptz $$"
)


def set_clock(moment: datetime) -> None:
    """Let the database say this moment until the example is rolled back."""
    with as_role("owner"), connection.cursor() as cursor:
        cursor.execute(CLOCK.format(moment.isoformat()))


def person_does(world: Approved, act: str, name: str) -> None:
    company, release = world.company, world.release
    person = company.people[name]
    if act in ("approve", "reject"):
        with acting(person):
            approval.decide(
                release_id=release.pk,
                verdict=act,
                comment="Read it.",
                shown_digest=approval.card(release).shown_digest,
                auth_strength="password",
            )
    elif act == "withdraw":
        with acting(person):
            approval.withdraw_decision(release_id=release.pk, reason="")
    elif act == "exclude":
        execute(
            "web",
            "INSERT INTO governance_exclusion (request_id, user_id, reason)"
            " VALUES (%s, %s, 'wrote') ON CONFLICT DO NOTHING",
            world.request.pk,
            person.pk,
        )
    elif act == "revoke":
        rows = Membership.objects.filter(user=person, revoked_at=None)
        rows.update(revoked_at=company.now)
    else:
        User.objects.filter(pk=person.pk).update(is_active=False)


def thing_happens(world: Approved, what: str) -> None:
    company = world.company
    rows = Release.objects.filter(pk=world.release.pk)
    if what == "policy":
        old = world.request.policy_version
        body = {**old.body, "expires_hours": 100}
        with as_role("owner"):
            PolicyVersion.objects.create(
                policy=old.policy,
                number=old.policy.versions.count() + 1,
                body=body,
                digest=digest_json(body),
                proposed_by=old.proposed_by,
                confirmed_by=old.confirmed_by,
            )
    elif what == "freeze":
        with acting(company.people["jonas"]):
            calendar.freeze(
                words=calendar.Words(
                    name="Year end",
                    reason="The books are closed.",
                    target=Target(FreezeScope.EVERYTHING),
                    zone="UTC",
                    starts=company.now.replace(tzinfo=None),
                    ends=company.now.replace(tzinfo=None) + timedelta(days=30),
                )
            )
    elif what == "contents":
        with as_role("build"):
            rows.update(artefact=package(f"contents {Artefact.objects.count()}"))
    elif what == "window":
        rows.update(not_after=company.now + timedelta(days=20))
    else:
        with as_role("deploy"):
            Environment.objects.filter(stage="PRD").update(organization_id=None)


def does_approve(decision: Decision, asked: ApprovalRequest, roles: list[str]) -> bool:
    """Whether one decision counts, by rows alone."""
    return (
        decision.digest == asked.digest
        and decision.person.is_active
        and decision.person_id != asked.requester_id
        and not Exclusion.objects.filter(request=asked, user=decision.person_id).exists()
        and Membership.objects.filter(
            user=decision.person_id,
            role__in=roles,
            revoked_at=None,
            granted_at__lte=asked.opened_at,
        ).exists()
    )


def oracle(deployment: Deployment, moment: datetime) -> bool:
    """Whether people approved exactly this, told from rows: no gate, no floor, no service."""
    asked = deployment.approval
    environment = deployment.environment
    assert environment.policy_id is not None
    newest = PolicyVersion.objects.filter(policy=environment.policy_id).latest("number")
    if (
        asked is None
        or asked.state not in ("open", "satisfied")
        or moment >= asked.expires_at
        or asked.digest != deployment.subject_digest
        or asked.policy_version_id != newest.pk
        or environment.organization_id != deployment.organization_id
        or UnmappedIdentity.objects.filter(request=asked).exists()
    ):
        return False
    taken_back = Withdrawal.objects.values("decision_id")
    decisions = list(Decision.objects.filter(request=asked).exclude(pk__in=taken_back))
    (rule,) = newest.body["approvals"]
    people = {each.person_id for each in decisions if does_approve(each, asked, rule["roles"])}
    against = any(each.verdict != "approve" for each in decisions)
    return not against and len(people) >= rule["number"]


def answers(world: Approved, moment: datetime) -> tuple[bool, bool, bool]:
    """Gate, floor and oracle; nothing is kept."""
    gate = world.verdict(moment).allowed
    with transaction.atomic():
        deployment = world.fresh()
        if deployment.state in ("held", "queued"):
            with as_role("deploy"):
                reach(deployment, "running")
        floor = refusal(deployment.steps.get(kind="deploy")) == ""
        told = oracle(deployment, moment)
        transaction.set_rollback(True)
    return gate, floor, told


def play(company: Company, steps: list[tuple[str, Any]]) -> list[tuple[bool, bool, bool]]:
    """What the three answer after each step."""
    world = approved(company)
    moment = world.in_window
    set_clock(moment)
    found = [answers(world, moment)]
    for act, more in steps:
        if act == "time":
            moment = company.now + timedelta(hours=more)
            set_clock(moment)
        with suppress(DomainError), transaction.atomic():
            if act in ACTS:
                person_does(world, act, more)
            elif act in THINGS:
                thing_happens(world, act)
        found.append(answers(world, moment))
    return found


def machine(founded: Company, seen: set[tuple[bool, bool, bool]], hole: str = "") -> Any:
    """The property, on rows that are rolled back after each example."""

    @QUICK
    @example([("freeze", None), ("reject", "jonas")])
    @example([("time", 50), ("withdraw", "ana"), ("time", 49)])
    @given(STEPS)
    def holds(steps: list[tuple[str, Any]]) -> None:
        with transaction.atomic():
            if hole:
                execute("owner", hole)
            found = play(deepcopy(founded), steps)
            transaction.set_rollback(True)
        seen.update(found)
        for (gate, floor, told), step in zip(found, [("start", None), *steps], strict=True):
            assert told or not floor, (step, steps)
            assert floor or not gate, (step, steps)

    return holds


def test_i01_i09_i13_no_order_of_things_leads_to_a_write_without_approval(
    founded: Company, db: None
) -> None:
    seen: set[tuple[bool, bool, bool]] = set()
    machine(founded, seen)()
    assert {(True, True, True), (False, True, True), (False, False, False)} <= seen


@pytest.mark.parametrize(
    "hole",
    [
        (
            "CREATE OR REPLACE FUNCTION releases_floor(the_deployment bigint)"
            " RETURNS text LANGUAGE sql AS $$ SELECT NULL $$"
        ),
        (
            "CREATE OR REPLACE FUNCTION governance_short(asked governance_approvalrequest,"
            " people bigint[]) RETURNS text LANGUAGE sql AS $$ SELECT NULL $$"
        ),
    ],
    ids=["no floor", "too few suffice"],
)
def test_i01_the_sequences_find_a_hole(founded: Company, db: None, hole: str) -> None:
    with pytest.raises(AssertionError):
        machine(founded, set(), hole)()
