"""I-28, I-31: what the floor asks of a rollback and of an emergency besides the people."""

from __future__ import annotations

import pytest
from django.db import connection

from releases.models import Release
from tests.invariants.gate_world import first_policy
from tests.invariants.guarded_rows import fill, person
from tests.support.attacks import drop
from tests.support.company import Company
from tests.support.cover import Case, asked, execute, refusal
from tests.support.databases import as_role

TWO_PEOPLE = "an emergency takes two people"
ITS_WORDS = "an emergency says why, and lasts a day at most"
NEVER_THERE = "this artefact was never approved for and deployed to this organisation"


def unfit(case: Case, *names: str) -> str | None:
    """What the floor says when these people approved."""
    people = [case.company.people[name].pk for name in names]
    with as_role("owner"), connection.cursor() as cursor:
        cursor.execute(
            "SELECT releases_unfit(d, %s::bigint[]) FROM releases_deployment d WHERE d.id = %s",
            [people, case.deployment.pk],
        )
        (said,) = cursor.fetchone()
    return None if said is None else str(said)


def emergency(company: Company) -> Case:
    """A deployment whose release became an emergency; nobody has said why."""
    case = asked(company, "ana", "ben", run=False)
    owner = "UPDATE releases_release SET change_class = 'emergency' WHERE id = %s"
    execute("owner", owner, case.release.pk)
    return case


def declare(case: Case) -> None:
    """The words of the emergency."""
    fill(
        "releases_breakglass", reason="'Down'", incident="'INC-1'",
        asked_by_id=person(case.company, "marek"), release_id=str(case.release.pk),
        request_id=str(case.request.pk),
    )  # fmt: skip


def test_i31_an_emergency_takes_two_people_whatever_its_policy_says(company: Company) -> None:
    case = emergency(company)
    declare(case)
    assert unfit(case) == unfit(case, "ana") == TWO_PEOPLE
    assert unfit(case, "ana", "ben") is None


@pytest.mark.parametrize(("hours", "said"), [(24, None), (25, ITS_WORDS)])
def test_i31_an_emergency_says_why_and_lasts_a_day(
    company: Company, hours: int, said: str | None
) -> None:
    case = emergency(company)
    assert unfit(case, "ana", "ben") == ITS_WORDS
    declare(case)
    drop("governance_approvalrequest", "guard_request")
    lasts = (
        "UPDATE governance_approvalrequest SET expires_at = opened_at + make_interval(hours => %s)"
    )
    execute("owner", lasts, hours)
    assert unfit(case, "ana", "ben") == said


def test_i28_no_rollback_to_what_never_ran_there(company: Company) -> None:
    """People agreed, under the policy of rollbacks; production never had this artefact."""
    before = Release.objects.exclude(deployed_at=None).earliest("pk")
    execute(
        "owner",
        "UPDATE releases_release SET change_class = 'rollback', restores_id = %s"
        " WHERE title = 'November train'",
        before.pk,
    )
    case = asked(company, "ana", "ben", policy_version=first_policy(company, "Rollback"))
    assert refusal(case.write) == NEVER_THERE
