"""I-29: retiring an environment and registering another in its place weakens no rule."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest
from django.db import transaction

from core.errors import NotNow
from environments.models import Environment, Freeze
from environments.services import orgs
from governance.models import Policy
from salesforce.ids import long_id
from tests.invariants.test_i29_raw_sql_weakens_nothing import lightest, made, production, refused
from tests.support.attacks import Attack, answers, drop, expected
from tests.support.company import Company, acting
from tests.support.cover import execute

pytestmark = pytest.mark.django_db

RETIRE = "UPDATE environments_environment SET retired_at = now() WHERE stage = 'PRD'"


def obeys(company: Company, policy: Policy | None, *, follows: bool) -> None:
    execute(
        "owner",
        "UPDATE environments_environment SET policy_id = %s, follows_stage = %s WHERE id = %s",
        policy and policy.pk,
        follows,
        production(company).pk,
    )


def register(company: Company, policy: Policy | None, *, follows: bool = True) -> None:
    before = production(company)
    with transaction.atomic():
        Environment.objects.create(
            track=before.track,
            stage="PRD",
            kind="production",
            name=f"Production {Environment.objects.count()}",
            licence_type=before.licence_type,
            login_host=before.login_host,
            expected_organization_id=before.expected_organization_id,
            policy=policy,
            follows_stage=follows,
        )


@pytest.mark.parametrize("before", ["its own", "none"])
def test_i29_the_successor_of_production_obeys_what_it_did(company: Company, before: str) -> None:
    assert company.policy_version is not None
    of_stage = company.policy_version.policy
    strict = made(company, "Strict", lightest(3)) if before == "its own" else None
    obeys(company, strict, follows=strict is None)
    execute("web", RETIRE)
    assert refused(partial(register, company, of_stage)) == "P0E03"
    if strict is not None:
        assert refused(partial(register, company, strict)) == "P0E03"
        with transaction.atomic():
            register(company, strict, follows=False)
            transaction.set_rollback(True)
    register(company, None)
    execute("web", RETIRE + " AND retired_at IS NULL")
    assert refused(partial(register, company, of_stage)) == "P0E03"
    drop("environments_environment", "guard_policy_of_new")
    register(company, of_stage)


def test_i29_the_page_registers_it_with_the_same_policy(company: Company) -> None:
    strict = made(company, "Strict", lightest(3))
    obeys(company, strict, follows=False)
    execute("web", RETIRE)
    before = production(company)
    words = {
        "name": "Production again",
        "licence_type": before.licence_type,
        "login_host": before.login_host,
        "expected_organization_id": long_id("00D000000000777"),
    }
    with acting(company.people["ines"]):
        again = orgs.create(team=None, stage="PRD", words=orgs.Words(**words))
    assert (again.policy, again.follows_stage) == (strict, False)


@pytest.mark.parametrize("every", ["", "week"])
def test_i29_a_frozen_environment_is_not_retired(company: Company, every: str) -> None:
    """The freeze lies on the old row alone, and lifting it takes sign-offs."""
    begun = company.now - timedelta(days=20 if every else 0)
    freeze = Freeze.objects.create(
        scope="environment",
        environment=production(company),
        name="Year end",
        reason="Books are closed.",
        zone="Europe/Berlin",
        starts_at=begun,
        ends_at=begun + timedelta(days=2),
        every=every,
        created_by=company.people["marek"],
    )
    attacks = {
        "retired": Attack("web", RETIRE, "environments_environment", "guard_retirement", "P0E03")
    }
    assert answers(attacks) == expected(attacks)
    with acting(company.people["ines"]), pytest.raises(NotNow) as caught:
        orgs.retire(environment_id=production(company).pk, typed_name="Production")
    assert caught.value.code == "environment.frozen"
    assert freeze.name in caught.value.message
