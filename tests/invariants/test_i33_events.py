"""I-33 No state change without an event in the same transaction, none after rollback.

Folding the events gives the state of every object (here for requests and memberships; releases,
deployments and holdings at the end of tests/journeys/test_main_job.py). What changes past the
application is recorded by the database itself.
"""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from core.errors import DomainError
from governance import approvals
from governance.approvals import subjects
from governance.models import ApprovalRequest, AuditEvent, AuditLink, Membership
from governance.services import people
from tests.governance import world as worlds
from tests.governance.world import World
from tests.support import folding
from tests.support.databases import role_connection

STEPS = 60
PEOPLE = ("ana", "ben", "cleo", "rita", "otto", "lena", "dev", "nils")
ROLES = ("developer", "team_lead", "release_manager", "board_member", "auditor", "admin")


@pytest.fixture(autouse=True)
def _subject(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subjects, "_kinds", dict(subjects._kinds))
    spy = worlds.Subject()
    subjects.register(worlds.KIND, outcome=spy.outcome, describe=spy.describe)


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(4))
def test_i33_folding_the_events_gives_the_state(seed: int) -> None:
    chance = random.Random(seed)
    world = worlds.make()
    done: dict[str, int] = {}
    for number in range(STEPS):
        name, step = chance.choice(list(WALK.items()))
        try:
            step(world, chance, number)
        except DomainError:
            continue
        done[name] = done.get(name, 0) + 1
    assert folding.told() == folding.found()
    assert len(done) > 3, done


def _request(chance: random.Random) -> ApprovalRequest:
    requests = list(ApprovalRequest.objects.all())
    if not requests:
        raise approvals_missing()
    return chance.choice(requests)


def approvals_missing() -> DomainError:
    return DomainError("test.none", "There is none yet.")


def _ask(world: World, chance: random.Random, number: int) -> None:
    worlds.ask(world, subject_id=number)


def _decide(world: World, chance: random.Random, number: int) -> None:
    verdict = chance.choice(["approve", "approve", "reject"])
    who = world.by_name[chance.choice(PEOPLE)]
    worlds.decide(who, _request(chance), verdict=verdict, comment="because")


def _take_back(world: World, chance: random.Random, number: int) -> None:
    with worlds.acting(world.by_name[chance.choice(PEOPLE)]):
        approvals.withdraw_decision(request_id=_request(chance).pk)


def _supersede(world: World, chance: random.Random, number: int) -> None:
    request = _request(chance)
    with worlds.acting(world.rita):
        approvals.supersede(request.subject_kind, request.subject_id, reason="it changed")


def _grant(world: World, chance: random.Random, number: int) -> None:
    team = chance.choice([world.platform, world.sales])
    role = chance.choice(ROLES)
    someone = world.by_name[chance.choice(PEOPLE)]
    with worlds.acting(world.ana):
        people.grant(user_id=someone.pk, team_id=team.pk, role=role)


def _revoke(world: World, chance: random.Random, number: int) -> None:
    held = chance.choice(list(Membership.objects.filter(revoked_at=None)))
    with worlds.acting(world.ana):
        people.revoke(membership_id=held.pk)


WALK: dict[str, Any] = {
    "ask": _ask,
    "decide": _decide,
    "decide again": _decide,
    "take back": _take_back,
    "supersede": _supersede,
    "grant": _grant,
    "revoke": _revoke,
}

# ── Past the application ─────────────────────────────────────────────────────────────────────────

committed = pytest.mark.django_db(transaction=True, databases=["default", "owner"])
CHANGES = {
    "a name": ("web", "UPDATE governance_user SET full_name = 'Eve' WHERE email LIKE 'ana%'"),
    "an account": ("web", "UPDATE governance_user SET is_active = false WHERE email LIKE 'ben%'"),
    "a password": ("web", "UPDATE governance_password SET hash = 'x'"),
    "a role taken": (
        "web",
        "UPDATE governance_membership SET revoked_at = now() WHERE role = 'auditor'",
    ),
    "a role given": (
        "owner",
        """INSERT INTO governance_membership (uuid, created_at, user_id, team_id, role, granted_at)
        SELECT gen_random_uuid(), now(), user_id, team_id, 'admin', now()
        FROM governance_membership WHERE role = 'auditor'""",
    ),
    "a policy": (
        "web",
        "UPDATE governance_policy SET retired_at = now() WHERE name = 'Production'",
    ),
    "a proposal": (
        "owner",
        """INSERT INTO governance_policyproposal
        (uuid, created_at, policy_id, body, reason, state, proposed_by_id)
        SELECT gen_random_uuid(), now(), p.id, '{}', '', 'open', u.id
        FROM governance_policy p, governance_user u LIMIT 1""",
    ),
    "a stop": (
        "web",
        """INSERT INTO environments_freeze
        (uuid, created_at, kind, scope, name, reason, zone, starts_at, every, step, source,
         source_key, lift_reason, created_by_id)
        SELECT gen_random_uuid(), now(), 'stop', 'protected', 'x', 'x', 'UTC', now(), '', 1,
               'person', '', '', min(id) FROM governance_user""",
    ),
    "a team": ("owner", "UPDATE governance_team SET slug = 'other' WHERE slug = 'sales'"),
    "a request": (
        "web",
        "UPDATE governance_approvalrequest SET state = 'superseded', closed_at = now()",
    ),
}


@committed
@pytest.mark.parametrize("case", CHANGES, ids=list(CHANGES))
def test_i33_a_change_past_the_application_is_recorded_by_the_database(case: str) -> None:
    role, statement = CHANGES[case]
    world = worlds.make()
    worlds.with_password(world.ana)
    worlds.ask(world)
    last = AuditEvent.objects.latest("pk").pk
    with role_connection(role, application_name="psql of somebody") as connected:
        changed = connected.execute(statement).rowcount
    assert changed == 1
    event = AuditEvent.objects.get(pk__gt=last)
    facts = json.loads(event.body)["facts"]
    assert event.event == "database.changed"
    assert facts["table"] == statement.replace("INSERT INTO", "UPDATE").split()[1]
    assert (facts["login"], facts["application"]) == (f"gatehouse_{role}", "psql of somebody")
    assert "Eve" not in event.body
    assert AuditLink.objects.filter(event=event).exists()


@committed
def test_i33_a_row_that_is_removed_or_changed_twice_is_told_each_time() -> None:
    worlds.make()
    last = AuditEvent.objects.latest("pk").pk
    with role_connection("owner") as owner:
        owner.execute("UPDATE governance_gitidentity SET email = lower(email)")
        owner.execute(
            "INSERT INTO governance_gitidentity (uuid, created_at, email, user_id)"
            " SELECT gen_random_uuid(), now(), 'eve@example.com', min(id) FROM governance_user"
        )
        owner.execute("DELETE FROM governance_gitidentity")
    told = AuditEvent.objects.filter(pk__gt=last).order_by("pk").values_list("body", flat=True)
    assert [json.loads(body)["facts"]["operation"] for body in told] == ["insert", "delete"]


@committed
def test_i33_the_application_s_own_changes_are_recorded_once() -> None:
    world = worlds.make()
    last = AuditEvent.objects.latest("pk").pk
    request = worlds.ask(world)
    worlds.decide(world.ben, request)
    with worlds.acting(world.ana):
        people.grant(user_id=world.nils.pk, team_id=world.sales.pk, role="developer")
    told = list(AuditEvent.objects.filter(pk__gt=last).values_list("event", flat=True))
    assert "database.changed" not in told
    assert len(told) == 3


@committed
def test_i33_nothing_is_told_after_a_rollback() -> None:
    worlds.make()
    before = AuditEvent.objects.count()
    with role_connection("web") as web:
        web.execute("UPDATE governance_user SET full_name = 'Eve'")
        web.rollback()
    assert AuditEvent.objects.count() == before
