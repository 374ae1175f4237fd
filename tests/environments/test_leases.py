"""Leases: one live operation per environment, also between two workers at once."""

from __future__ import annotations

import psycopg
import pytest
from django.db import IntegrityError, transaction

from core.context import Actor, acting_as
from core.errors import Conflict
from environments.models import Environment, Lease, Track
from environments.services import leases
from governance.models import Team
from tests.support.databases import as_role, role_connection
from tests.support.race import race

WORKER = Actor("worker", None, "deploy worker")


def take(environment_id: int, holder_id: int) -> leases.Holder:
    with as_role("deploy"), acting_as(WORKER):
        return leases.take(
            environment_id=environment_id,
            holder_kind="deployment",
            holder_id=holder_id,
            holder_label=f"D-{holder_id}",
        )


def release(environment_id: int, holder_id: int) -> bool:
    with as_role("deploy"):
        return leases.release(
            environment_id=environment_id, holder_kind="deployment", holder_id=holder_id
        )


def test_a_taken_environment_names_its_holder(environment: Environment) -> None:
    take(environment.pk, 7)
    holder = leases.holder_of(environment.pk)
    assert holder is not None
    assert (holder.kind, holder.id, holder.label) == ("deployment", 7, "D-7")
    with pytest.raises(Conflict) as raised:
        take(environment.pk, 8)
    assert raised.value.code == "environment.in_use"
    assert "D-7" in raised.value.message


def test_taking_again_is_taking_once(environment: Environment) -> None:
    first = take(environment.pk, 7)
    assert take(environment.pk, 7) == first
    assert Lease.objects.count() == 1


def test_only_its_holder_gives_it_back(environment: Environment) -> None:
    take(environment.pk, 7)
    assert not release(environment.pk, 8)
    assert leases.holder_of(environment.pk) is not None
    assert release(environment.pk, 7)
    assert not release(environment.pk, 7)
    assert take(environment.pk, 8).id == 8


def test_the_database_holds_one_lease_per_environment(environment: Environment) -> None:
    take(environment.pk, 7)
    with (
        as_role("deploy"),
        pytest.raises(IntegrityError),
        transaction.atomic(),
    ):
        Lease.objects.bulk_create(
            [Lease(environment=environment, holder_kind="refresh", holder_id=1)]
        )


@pytest.fixture
def committed(transactional_db: None) -> Environment:
    """An environment that other connections see."""
    team = Team.objects.create(slug="sales", name="Sales")
    return Environment.objects.create(
        track=Track.objects.create(team=team, kind="developer"),
        stage="CI",
        kind="sandbox",
        name="Sales CI",
        licence_type="developer",
        login_host="acme.my.salesforce.com",
        expected_organization_id="00D000000000062EAA",
    )


def test_of_two_workers_at_once_one_gets_it(committed: Environment) -> None:
    outcomes = race(lambda: take(committed.pk, 1), lambda: take(committed.pk, 2))
    won = [outcome for outcome in outcomes if outcome.error is None]
    lost = [outcome.error for outcome in outcomes if outcome.error is not None]
    assert len(won) == 1
    assert isinstance(lost[0], Conflict)
    assert Lease.objects.count() == 1


def test_of_two_environments_that_claim_one_org_one_wins(committed: Environment) -> None:
    """Two rows that name one organisation at once: the database lets one of them have it."""
    other = Environment.objects.create(
        track=committed.track,
        stage="TEST",
        kind="sandbox",
        name="Sales TEST",
        licence_type="developer",
        login_host="acme.my.salesforce.com",
        expected_organization_id="00D000000000099EAA",
    )

    def claim(pk: int) -> None:
        with as_role("web"):
            claimed = "00D000000000077EAA"
            Environment.objects.filter(pk=pk).update(expected_organization_id=claimed)

    outcomes = race(lambda: claim(committed.pk), lambda: claim(other.pk))
    lost = [outcome.error for outcome in outcomes if outcome.error is not None]
    assert len(lost) == 1
    assert "environment_expected_organization_is_unique" in str(lost[0])


def test_even_the_owner_moves_no_environment_to_another_track(committed: Environment) -> None:
    track = Track.objects.create(team=None, kind="production")
    with role_connection("owner") as owner, pytest.raises(psycopg.Error, match="never changes"):
        owner.execute("UPDATE environments_environment SET track_id = %s", [track.pk])


def test_even_the_owner_keeps_no_credential_across_addresses(committed: Environment) -> None:
    with role_connection("owner", autocommit=True) as owner:
        owner.execute(
            "INSERT INTO governance_user (uuid, created_at, email, full_name, is_active, zone,"
            " kind) VALUES (gen_random_uuid(), now(), 'a@b.example', 'A', true, 'UTC', 'person')"
        )
        owner.execute(
            "INSERT INTO environments_credential (environment_id, flow, purpose, key_id,"
            " ciphertext, client_id, username, set_by_id, set_at)"
            " SELECT %s, 'jwt', 'org-sandbox', 'k', 'x', 'c', 'u', id, now() FROM governance_user",
            [committed.pk],
        )
        owner.execute("UPDATE environments_environment SET login_host = 'b.my.salesforce.com'")
        left = owner.execute("SELECT count(*) FROM environments_credential").fetchone()
    assert left == (0,)
