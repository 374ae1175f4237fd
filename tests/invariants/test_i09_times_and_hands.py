"""I-4, I-6, I-9 and I-32 against raw SQL: times, authors and approvals that serve twice.

Each statement runs in web's role, past every service; each was possible before its guard.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from core.db import database_now
from core.errors import DomainError
from governance import approvals
from governance.models import ApprovalRequest, GitIdentity, Matter, Membership, User
from governance.selectors.people import resolve_identities
from governance.services import people
from releases.models import Deployment
from releases.services import deployments
from releases.states import Purpose
from tests.support import cover
from tests.support.company import Company, acting, house
from tests.support.company.work import package
from tests.support.cover import Case, asked, execute, refusal, sqlstate
from tests.support.databases import as_role

STRANGER = "who@example.com"


def refused(statement: str, *values: Any, role: str = "web") -> str:
    """The code with which the database refuses a statement; empty when it lets it pass."""
    try:
        execute(role, statement, *values)
    except DatabaseError as error:
        return sqlstate(error)
    return ""


# ── Times ────────────────────────────────────────────────────────────────────────────────────────

SEAT = (
    "INSERT INTO governance_membership (uuid, created_at, user_id, team_id, role, granted_at)"
    " VALUES (gen_random_uuid(), '2020-01-01', %s, %s, %s, '2020-01-01')"
)


@pytest.mark.parametrize("role", ["release_manager", "admin", "auditor", "team_lead", "developer"])
def test_i09_since_when_a_role_is_held_is_the_databases_word(company: Company, role: str) -> None:
    before = database_now()
    execute("web", SEAT, company.people["lena"].pk, company.teams["platform"].pk, role)
    row = Membership.objects.get(user=company.people["lena"], role=role, team__slug="platform")
    assert row.granted_at >= before
    execute(
        "web", "UPDATE governance_membership SET revoked_at = '2020-01-01' WHERE id = %s", row.pk
    )
    row.refresh_from_db()
    assert row.revoked_at is not None
    assert row.revoked_at >= before


def test_i07_only_an_active_person_is_given_a_role(company: Company) -> None:
    robot = User.objects.create(email="ci@northwind.example", full_name="CI", kind="service")
    team = company.teams["platform"].pk
    assert refused(SEAT, robot.pk, team, "release_manager") == "P0G03"
    User.objects.filter(pk=company.people["lena"].pk).update(is_active=False)
    assert refused(SEAT, company.people["lena"].pk, team, "release_manager") == "P0G03"


def test_i09_a_question_is_not_put_in_the_future(company: Company) -> None:
    """Else a role that is given tomorrow would count on it."""
    case = asked(company)
    later = database_now() + timedelta(days=2)
    ahead = ApprovalRequest.objects.create(
        subject_kind="release",
        subject_id=99,
        digest=cover.DIGEST,
        policy_version=case.request.policy_version,
        requester=case.request.requester,
        opened_at=later,
        expires_at=later + timedelta(hours=1),
        label="Ahead",
        url="/",
    )
    ahead.refresh_from_db()
    assert ahead.opened_at <= database_now()


def test_i20_no_request_lasts_longer_than_its_policy_lets_it(company: Company) -> None:
    """Whoever writes it: the database cuts it when it is asked, and the floor counts it anew."""
    case = asked(company, "ana", "ben", expires_at=database_now() + timedelta(days=8))
    case.request.refresh_from_db()
    version = case.request.policy_version
    life = timedelta(hours=version.body["expires_hours"])
    assert case.request.expires_at == case.request.opened_at + life
    connection.check_constraints()
    with as_role("owner"), connection.cursor() as cursor:
        for name in ("limit_life", "guard_request"):
            cursor.execute(f"ALTER TABLE governance_approvalrequest DISABLE TRIGGER {name}")
    with as_role("owner"):
        ApprovalRequest.objects.filter(pk=case.request.pk).update(
            expires_at=case.request.expires_at + timedelta(seconds=1)
        )
    assert "lasts longer" in refusal(case.write)


# ── Hands ────────────────────────────────────────────────────────────────────────────────────────

MATCH = (
    "INSERT INTO governance_gitidentity (uuid, created_at, email, user_id)"
    " VALUES (gen_random_uuid(), now(), %s, %s)"
)
END = "UPDATE governance_gitidentity SET ended_at = now() WHERE email = %s"


def unknown_author(company: Company) -> Case:
    case = asked(company, "ana", "ben")
    execute(
        "web",
        "INSERT INTO governance_unmappedidentity (request_id, email, name) VALUES (%s, %s, 'Who')",
        case.request.pk,
        STRANGER,
    )
    assert "an author is unknown" in refusal(case.write)
    return case


def test_i06_no_author_is_given_to_a_service_account(company: Company) -> None:
    robot = User.objects.create(email="ci@northwind.example", full_name="CI", kind="service")
    case = unknown_author(company)
    assert refused(MATCH, STRANGER, robot.pk) == "P0G07"
    with acting(company.people["ines"]), pytest.raises(DomainError) as caught:
        people.map_identity(email=STRANGER, user_id=robot.pk)
    assert caught.value.code == "identity.not_a_person"
    User.objects.create(email=STRANGER, full_name="Robot", kind="service")
    assert "an author is unknown" in refusal(case.write)
    assert resolve_identities([(STRANGER, "Who")]).unmapped == {STRANGER: "Who"}
    progress = approvals.progress(case.request, current_digest=cover.DIGEST)
    assert not progress.satisfied


def test_i06_an_accounts_own_address_is_nobody_elses(company: Company) -> None:
    ben, ines = company.people["ben"], company.people["ines"]
    assert refused(MATCH, ben.email, ines.pk) == "P0G07"
    with acting(ines), pytest.raises(DomainError) as caught:
        people.map_identity(email=ben.email, user_id=company.people["paul"].pk)
    assert caught.value.code == "identity.other_account"


def test_i06_another_match_does_not_give_an_author_the_vote_back(company: Company) -> None:
    """Ben wrote it. Matched, ended, given to Paul: Ben stays excluded, in SQL and in Python."""
    case = unknown_author(company)
    execute("web", MATCH, STRANGER, company.people["ben"].pk)
    assert "too few" in refusal(case.write)
    execute("web", END, STRANGER)
    assert "an author is unknown" in refusal(case.write)
    execute("web", MATCH, STRANGER, company.people["paul"].pk)
    assert "too few" in refusal(case.write)
    assert not approvals.progress(case.request, current_digest=cover.DIGEST).satisfied
    case.decide("jonas")
    assert refusal(case.write) == ""


def test_i06_a_match_is_ended_once_and_never_moved(company: Company) -> None:
    execute("web", MATCH, STRANGER, company.people["ben"].pk)
    row = GitIdentity.objects.get(email=STRANGER)
    execute("web", END, STRANGER)
    assert refused("UPDATE governance_gitidentity SET ended_at = NULL WHERE id = %s", row.pk) == (
        "P0G07"
    )


# ── An approval serves once ──────────────────────────────────────────────────────────────────────


def second(company: Company) -> Deployment:
    """Another deployment on which somebody wrote a digest that was approved."""
    with acting(company.people["marek"]):
        return deployments.plan(
            purpose=Purpose.RELEASE,
            environment=company.orgs["Production"],
            artefact=package("something else"),
            requester=company.people["marek"],
            release=company.releases["November train"],
            policy_version=company.policy_version,
            subject_digest=cover.DIGEST,
        )


BIND = "UPDATE releases_deployment SET approval_id = %s WHERE id = %s"


def test_i04_an_approval_carries_one_deployment(company: Company) -> None:
    """The same digest on another artefact: SQL cannot compute it, so the request is bound once."""
    case = asked(company, "ana", "ben")
    other = second(company)
    assert refused(BIND, case.request.pk, other.pk) == "P0R01"


@pytest.mark.parametrize("decided", [False, True])
def test_i04_only_a_question_about_this_release_that_nobody_answered_is_bound(
    company: Company, decided: bool
) -> None:
    """Two people agreed to lift a freeze; no deployment borrows their names."""
    other = second(company)
    assert other.release is not None
    assert company.policy_version is not None
    subject = ("release", other.release.pk) if decided else ("freeze.lift", other.release.pk)
    request = ApprovalRequest.objects.create(
        subject_kind=subject[0],
        subject_id=subject[1],
        digest=cover.DIGEST,
        policy_version=company.policy_version,
        requester=company.people["marek"],
        opened_at=database_now(),
        expires_at=database_now() + timedelta(hours=1),
        label="Mine",
        url="/",
    )
    if decided:
        with acting(company.people["ana"]):
            approvals.decide(
                request_id=request.pk,
                verdict="approve",
                auth_strength="password+totp",
                comment="",
                shown_digest=cover.DIGEST,
                current_digest=cover.DIGEST,
            )
    assert refused(BIND, request.pk, other.pk) == "P0R01"


def test_i32_an_approval_to_shorten_a_freeze_does_not_lift_it(company: Company) -> None:
    house.calendar(company)
    freeze = company.freezes["Year end"]
    lift = freeze.lifts.get()
    copy = (
        "INSERT INTO environments_freezelift (uuid, created_at, freeze_id, wanted_end, reason,"
        " digest, requested_by_id) SELECT gen_random_uuid(), now(), freeze_id, {}, reason, digest,"
        " requested_by_id FROM environments_freezelift WHERE id = %s"
    )
    assert refused(copy.format("now() + interval '1 hour'"), lift.pk) == "P0E03"
    assert refused(copy.format("wanted_end"), lift.pk) == ""


def test_i32_lifting_is_counted_when_it_happens(company: Company) -> None:
    """The word 'satisfied' alone lifts nothing, nor does a question under another policy."""
    house.calendar(company)
    freeze = company.freezes["Year end"]
    lift = "UPDATE environments_freeze SET lifted_at = now() WHERE id = %s"
    assert refused(lift, freeze.pk) == "P0E03"
    request = ApprovalRequest.objects.get(subject_kind="freeze.lift", subject_id=freeze.pk)
    satisfied = "UPDATE governance_approvalrequest SET state = 'satisfied' WHERE id = %s"
    assert refused(satisfied, request.pk) == "P0G01"
    assert refused(lift, freeze.pk) == "P0E03"


# ── Matters ──────────────────────────────────────────────────────────────────────────────────────


def test_i29_nobody_writes_that_the_board_approved_a_matter(company: Company) -> None:
    """Else an approver's address, where links to the account go, could be changed."""
    ben = company.people["ben"]
    matter = Matter.objects.create(
        kind="account.reset",
        user=ben,
        what="email",
        new_email="mallory@example.com",
        reason="mine",
        asked_by=company.people["ines"],
    )
    approve = (
        "UPDATE governance_matter SET state = 'approved', effective_at = '2020-01-01' WHERE id = %s"
    )
    for role in ("web", "build"):
        assert refused(approve, matter.pk, role=role) == "P0G04"
    address = partial(refused, "UPDATE governance_user SET email = %s WHERE id = %s")
    assert address("mallory@example.com", ben.pk) == "P0G04"
    with transaction.atomic():
        assert User.objects.get(pk=ben.pk).email == ben.email
