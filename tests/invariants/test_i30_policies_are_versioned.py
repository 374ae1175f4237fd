"""I-30: policy is versioned; a decision stores policy id and digest; older approvals are void."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from governance.models import AuditEvent, Decision, PolicyVersion
from tests.governance.world import World, ask, change_policy, decide, needs
from tests.support.databases import as_role


def test_i30_a_decision_stores_the_policy_and_its_digest(world: World) -> None:
    decision = decide(world.ana, ask(world))
    assert decision.policy_version == world.production
    assert decision.policy_digest == world.production.digest


@pytest.mark.parametrize("column", ["policy_version_id", "policy_digest"])
def test_i30_the_database_takes_no_decision_under_another_policy(world: World, column: str) -> None:
    request = ask(world)
    other = PolicyVersion.objects.exclude(pk=world.production.pk)[0]
    wrong = {"policy_version_id": other.pk, "policy_digest": other.digest}[column]
    values: dict[str, Any] = {
        "request": request,
        "person": world.ben,
        "digest": request.digest,
        "policy_version": world.production,
        "policy_digest": world.production.digest,
        "verdict": "approve",
        "role": "board_member",
        "decided_at": request.opened_at,
        "auth_strength": "password",
    }
    values[column] = wrong
    if column == "policy_version_id":
        del values["policy_version"]
    with pytest.raises(DatabaseError) as caught, transaction.atomic():
        Decision.objects.create(**values)
    assert getattr(caught.value.__cause__, "sqlstate", None) == "P0G02"


def test_i30_disabling_and_enabling_again_is_visible_and_voids(world: World) -> None:
    request = ask(world)
    decide(world.ana, request)
    before = world.production.body
    change_policy(world, before | needs(1))
    change_policy(world, before)
    request.refresh_from_db()
    assert request.state == "superseded"
    again = world.production.policy.current
    assert again is not None
    assert (again.number, again.body["approvals"]) == (3, before["approvals"])
    assert again.digest != world.production.digest, "the same words are another version"
    confirmed = AuditEvent.objects.filter(event="policy.confirmed", sentence__contains="Production")
    assert confirmed.count() == 3


@pytest.mark.parametrize("role", ["web", "build", "deploy"])
def test_i30_nobody_writes_a_version_that_people_have_not_decided_on(
    world: World, role: str
) -> None:
    columns = "policy_id, digest, proposed_by_id, confirmed_by_id"
    statement = (
        f"INSERT INTO governance_policyversion ({columns}, uuid, created_at, number, body, "  # noqa: S608
        f"published_at) SELECT {columns}, gen_random_uuid(), now(), 2, '{{}}', now() "
        "FROM governance_policyversion WHERE id = %s"
    )
    with (
        as_role(role),
        pytest.raises(DatabaseError) as caught,
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement, [world.production.pk])
    assert getattr(caught.value.__cause__, "sqlstate", None) in ("P0G04", "42501")
