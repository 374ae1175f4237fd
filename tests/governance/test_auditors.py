"""An auditor's role ends by itself; no other role does."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client

from core import clock
from core.db import database_now
from core.errors import InvalidInput
from governance.models import AuditEvent, Membership, User
from governance.permissions import can, standing_of
from governance.services import people
from tests.governance.world import World, acting


@pytest.fixture
def vera(world: World) -> User:
    return User.objects.create(email="vera@audit.example", full_name="Vera Audit")


def grant(world: World, user: User, role: str = "auditor", **more: Any) -> Membership:
    with acting(world.ana):
        return people.grant(user_id=user.pk, team_id=world.platform.pk, role=role, **more)


def ends_soon(world: World, user: User) -> None:
    """Give the role for a moment, which nothing but time can end, and wait for its end."""
    grant(world, user, ends_at=database_now() + timedelta(seconds=0.4))
    assert can(user, "evidence.make")
    time.sleep(0.5)


def test_auditor_holds_the_role_until_the_end_and_then_none_at_all(
    world: World, vera: User
) -> None:
    ends_soon(world, vera)
    assert not can(vera, "evidence.make")
    assert not standing_of(vera).is_member
    client = Client()
    client.force_login(vera)
    assert client.get("/evidence/").status_code == 403
    with connection.cursor() as cursor:
        cursor.execute("SELECT governance_role_since(%s, 'auditor', null)", [vera.pk])
        assert cursor.fetchone()[0] is None


def test_ended_role_can_be_given_again_and_both_times_are_told(world: World, vera: User) -> None:
    ends_soon(world, vera)
    second = grant(world, vera)
    assert second.ends_at is not None
    assert can(vera, "evidence.make")
    told = AuditEvent.objects.filter(related__contains=[f"user:{vera.pk}"]).order_by("pk")
    names = [
        name for name in told.values_list("event", flat=True) if name and name.startswith("member")
    ]
    assert names == ["membership.granted", "membership.revoked", "membership.granted"]


@pytest.mark.parametrize("days", [-1, 400])
def test_end_in_the_past_or_too_far_away_is_refused(world: World, vera: User, days: int) -> None:
    with pytest.raises(InvalidInput) as refusal:
        grant(world, vera, ends_at=clock.now() + timedelta(days=days))
    assert refusal.value.code == "member.end"


def test_no_other_role_ends_by_itself(world: World, vera: User) -> None:
    with pytest.raises(InvalidInput) as refusal:
        grant(world, vera, role="release_manager", ends_at=clock.now() + timedelta(days=1))
    assert refusal.value.code == "member.end"
    with pytest.raises(IntegrityError), transaction.atomic():
        Membership.objects.create(
            user=vera, team=world.platform, role="release_manager", ends_at=clock.now()
        )
