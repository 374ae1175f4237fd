"""I-15, I-22, I-33, I-40: rows that belong to another role, or say what only another may say.

Sessions, work and fences, mails, radar, steps, plans, validations, builds, candidates, what orgs
report, the canary, seats. Each attack is raw SQL in a role; it is refused by one guard or for want
of one right, and succeeds when that is gone.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from governance.models import ApprovalRequest
from governance.states import MatterKind
from jobs.wake import wake
from releases.services import canary
from tests.support.attacks import Attack, answers, drop, expected, refused_right
from tests.support.company import Company
from tests.support.cover import execute, sqlstate
from tests.support.databases import as_role

pytestmark = pytest.mark.django_db

SESSION = "django_session"
EVENT = (
    'INSERT INTO governance_auditevent (body) VALUES (\'{"actor":{"kind":"system","name":'
    '"x"},"at":"2099-01-01T00:00:00Z","event":"EVENT","facts":{"floor":"f","gate":"g"},'
    '"related":[],"sentence":"x","subject":{"kind":"deployment","ref":"D-1"}}\')'
)
CANDIDATE = (
    "INSERT INTO releases_candidate (uuid, created_at, repository_id, team_id, tag, sha, state,"
    " message, created_by_id, test_note, commit_count, contributors) SELECT gen_random_uuid(),"
    " now(), repository_id, (SELECT id FROM governance_team WHERE slug = 'platform'), 'v9', sha,"
    " 'building', '', created_by_id, '', 0, '[]' FROM releases_candidate LIMIT 1"
)
REGISTERED = (
    "INSERT INTO environments_environment (uuid, created_at, track_id, stage, kind, name,"
    " licence_type, login_host, expected_organization_id, follows_stage, api_version,"
    " organization_name, organization_type, instance_url, instance_name, newest_api_version,"
    " limits, connection, connection_code, connection_message, holds_digest, holds_label,"
    " holds_ref, hold_state, hold_note) SELECT gen_random_uuid(), now(), t.track_id, 'DEV',"
    " 'sandbox', 'Harmless', 'developer', 'other.my.salesforce.com',"
    " left(e.expected_organization_id, 15) || 'ZZZ', true, '64.0', '', '', '', '', '', '{}',"
    " 'unchecked', '', '', '', '', '', 'empty', '' FROM environments_environment e,"
    " environments_environment t WHERE e.kind = 'production' AND t.name = 'Sales CI'"
)

ATTACKS: dict[str, Attack] = {
    # Sessions: whoever reads or writes them is anybody.
    "a build worker reads sessions": refused_right(
        "build", "SELECT session_data FROM django_session", SESSION
    ),
    "a deploy worker signs in as somebody": refused_right(
        "deploy",
        "INSERT INTO django_session VALUES ('mine', 'data', now() + interval '1 day')",
        SESSION,
    ),
    "a build worker prolongs a session": refused_right(
        "build", "UPDATE django_session SET expire_date = now() + interval '9 days'", SESSION
    ),
    "the ticker ends everybody's session": refused_right(
        "ticker", "DELETE FROM django_session", SESSION
    ),
    # Work: the fence is a worker's, only grows, and never starts again.
    "web claims work": refused_right(
        "web", "UPDATE jobs_work SET fence = fence + 1, lease_until = now()", "jobs_work"
    ),
    "web calls work finished": refused_right(
        "web", "UPDATE jobs_work SET finished_at = now(), wake_at = NULL", "jobs_work"
    ),
    "a dead worker takes its fence back": Attack(
        "deploy", "UPDATE jobs_work SET fence = -1", "jobs_work", "fence_grows", "P0J01"
    ),
    "a worker lets the fence start again": refused_right(
        "build", "DELETE FROM jobs_work", "jobs_work"
    ),
    "work is moved to another subject": Attack(
        "owner",
        "UPDATE jobs_work SET subject_id = subject_id + 4711",
        "jobs_work",
        "fence_grows",
        "P0J01",
    ),
    # Mails: written once, read by who sends them.
    "web rewrites a mail": refused_right(
        "web", "UPDATE governance_notice SET text = 'All is well.'", "governance_notice"
    ),
    "web calls a mail sent": refused_right(
        "web", "UPDATE governance_notice SET state = 'sent', sent_at = now()", "governance_notice"
    ),
    "a deploy worker reads links in mails": refused_right(
        "deploy", "SELECT text FROM governance_notice", "governance_notice"
    ),
    "a build worker readdresses a mail": refused_right(
        "build",
        "UPDATE governance_notice SET recipient_email = 'me@x.example'",
        "governance_notice",
    ),
    # Radar: warnings are a build worker's.
    "web silences a collision": refused_right(
        "web", "UPDATE releases_collision SET gone_at = now()", "releases_collision"
    ),
    "a deploy worker forgets who touches what": refused_right(
        "deploy", "DELETE FROM releases_touchedcomponent", "releases_touchedcomponent"
    ),
    "web takes a side out of a collision": refused_right(
        "web", "DELETE FROM releases_collisionside", "releases_collisionside"
    ),
    # Steps, plans and validations.
    "web says how a validation ended": refused_right(
        "web",
        "UPDATE releases_step SET state = 'succeeded' WHERE kind = 'validate'",
        "releases_step",
    ),
    "a validation gets another id": Attack(
        "deploy",
        "UPDATE releases_step SET remote_id = '0Af000000000666AAA' WHERE kind = 'validate'"
        " AND state = 'succeeded'",
        "releases_step",
        "guard_step",
        "P0F01",
    ),
    "a second write is slipped into a plan": Attack(
        "web",
        "INSERT INTO releases_step SELECT (jsonb_populate_record(NULL::releases_step, to_jsonb(s)"
        """ || '{"id": 4711, "position": 99}')).* FROM releases_step s JOIN releases_deployment d"""
        " ON d.id = s.deployment_id WHERE d.purpose = 'release' AND s.kind = 'deploy' LIMIT 1",
        "releases_step",
        "guard_step",
        "P0F01",
    ),
    "a plan is changed": Attack(
        "owner",
        "UPDATE releases_deployment SET plan = '{}' WHERE purpose = 'release'",
        "releases_deployment",
        "guard_deployment",
    ),
    "web says that a build passed": Attack(
        "web",
        "UPDATE releases_build SET state = 'passed' WHERE state = 'deploying'",
        "releases_build",
        "guard_word_of_workers",
        "P0R02",
    ),
    "web says that a tag runs in TEST": Attack(
        "web",
        "UPDATE releases_candidate SET state = 'deployed' WHERE state = 'testing'",
        "releases_candidate",
        "guard_word_of_workers",
        "P0R02",
    ),
    "a tag is given to a team that nobody sits in": Attack(
        "web", CANDIDATE, "releases_candidate", "guard_owner_of_work"
    ),
    "a repository is given to another team": Attack(
        "web",
        "UPDATE releases_repository SET team_id = (SELECT id FROM governance_team"
        " WHERE slug = 'platform') WHERE id = (SELECT min(id) FROM releases_repository)",
        "releases_repository",
        "guard_owner_of_work",
    ),
    # What orgs report.
    "a change past Gatehouse is called ours": Attack(
        "deploy",
        "UPDATE releases_orgdeployment SET standing = 'matched', step_id = (SELECT min(id)"
        " FROM releases_step)",
        "releases_orgdeployment",
        "guard_report",
    ),
    "web forgets a change past Gatehouse": refused_right(
        "web", "UPDATE releases_orgdeployment SET standing = 'no_effect'", "releases_orgdeployment"
    ),
    "the auditor's sample is drawn again in place": refused_right(
        "web", "UPDATE releases_auditsample SET seed = 'mine'", "releases_auditsample"
    ),
    "web takes a conflict out of the way": refused_right(
        "web", "UPDATE releases_componentconflict SET elements = '[]'", "releases_componentconflict"
    ),
    # The canary, and what else only a deploy worker tells.
    **{
        f"web tells {event}": Attack(
            "web", EVENT.replace("EVENT", event), "governance_auditevent", "told_by", "P0R02"
        )
        for event in ("canary.refused", "step.intended", "release.deployed")
    },
    "a build worker tells that the canary was refused": Attack(
        "build",
        EVENT.replace("EVENT", "canary.refused"),
        "governance_auditevent",
        "told_by",
        "P0R02",
    ),
    # Production behind another name.
    "production is registered a second time": Attack(
        "web",
        REGISTERED,
        "environments_environment",
        "environment_expected_organization_is_unique",
        "23505",
    ),
    "a sandbox's stage is production": Attack(
        "deploy",
        "UPDATE environments_environment SET is_sandbox = false WHERE name = 'Sales CI'",
        "environments_environment",
        "environment_is_what_its_stage_says",
        "23514",
    ),
    # Dates and words of people.
    "a seat is given without the board": Attack(
        "web",
        "INSERT INTO governance_membership (uuid, created_at, user_id, team_id, role, granted_at)"
        " SELECT gen_random_uuid(), now(), u.id, t.id, 'board_member', now()"
        " FROM governance_user u, governance_team t"
        " WHERE u.email = 'lena@northwind.example' AND t.owns_production",
        "governance_membership",
        "guard_seat",
        "P0G03",
    ),
    "a revoked role is given back": Attack(
        "web",
        "UPDATE governance_membership SET revoked_at = NULL WHERE revoked_at IS NOT NULL",
        "governance_membership",
        "guard_membership",
        "P0G03",
    ),
}


@pytest.fixture
def scene(company: Company) -> Company:
    """The company with a session, work, a mail, a build and a tag under way and a revoked role."""
    execute("web", "INSERT INTO django_session VALUES ('key', 'data', now())")
    wake("releases.deployment", 4711)
    execute(
        "web",
        "INSERT INTO governance_notice (uuid, created_at, recipient_email, subject, text, related,"
        " state, tries, last_error) VALUES (gen_random_uuid(), now(), 'a@x.example', 's', 't',"
        " '{}', 'pending', 0, '')",
    )
    execute(
        "web",
        "INSERT INTO releases_build (uuid, created_at, repository_id, sha, branch, state, message,"
        " warnings) SELECT gen_random_uuid(), now(), id, 'abc', 'main', 'queued', '', '[]'"
        " FROM releases_repository ORDER BY id LIMIT 1",
    )
    for state in ("building", "deploying"):
        execute("build", "UPDATE releases_build SET state = %s WHERE sha = 'abc'", state)
    execute(
        "web",
        CANDIDATE.replace(
            "(SELECT id FROM governance_team WHERE slug = 'platform')", "team_id"
        ).replace("'v9'", "'v8'"),
    )
    execute("build", "UPDATE releases_candidate SET state = 'testing' WHERE tag = 'v8'")
    execute(
        "web",
        "UPDATE governance_membership SET revoked_at = now() WHERE user_id = %s",
        company.people["chloe"].pk,
    )
    connection.check_constraints()
    return company


def test_every_attack_is_refused_by_its_guard_and_by_that_alone(scene: Company) -> None:
    assert answers(ATTACKS) == expected(ATTACKS)


def test_i37_since_when_somebody_holds_something_is_the_database_s(company: Company) -> None:
    """Back-dated: a role, a delegation, a match of an address; each counts from now only."""
    ana, lena, tomas = (company.people[name].pk for name in ("ana", "lena", "tomas"))
    statements: dict[tuple[str, str], tuple[str, list[int]]] = {
        ("governance_membership", "stamp"): (
            (
                "INSERT INTO governance_membership (uuid, created_at, user_id, team_id, role,"
                " granted_at) VALUES (gen_random_uuid(), '2001-01-01', %s, %s, 'release_manager',"
                " '2001-01-01') RETURNING granted_at"
            ),
            [lena, company.teams["platform"].pk],
        ),
        ("governance_delegation", "guard_delegation"): (
            (
                "INSERT INTO governance_delegation (uuid, created_at, delegator_id, deputy_id,"
                " role, reason, starts_at, ends_at) VALUES (gen_random_uuid(), '2001-01-01', %s,"
                " %s, 'board_member', 'away', now(), now() + interval '1 day') RETURNING created_at"
            ),
            [ana, tomas],
        ),
        ("governance_gitidentity", "guard_identity"): (
            (
                "INSERT INTO governance_gitidentity (uuid, created_at, email, user_id) VALUES"
                " (gen_random_uuid(), '2001-01-01', 'l@home.example', %s) RETURNING created_at"
            ),
            [lena],
        ),
    }
    for (table, guard), (statement, values) in statements.items():
        for without_guard in (False, True):
            with transaction.atomic():
                if without_guard:
                    drop(table, guard)
                with as_role("web"), connection.cursor() as cursor:
                    cursor.execute(statement, values)
                    (since,) = cursor.fetchone()
                transaction.set_rollback(True)
            assert (since.year == 2001) is without_guard, table


@pytest.mark.parametrize(
    ("kind", "more"), [("sandbox.request", 90), (MatterKind.SEAT.value, 30), ("anything", 0)]
)
def test_i20_no_question_lasts_for_ever(company: Company, kind: str, more: int) -> None:
    assert company.policy_version is not None
    if kind == MatterKind.SEAT:
        drop("governance_approvalrequest", "exclude_whom_it_is_about")
    request = ApprovalRequest.objects.create(
        subject_kind=kind,
        subject_id=1,
        digest=f"sha256:{'0' * 64}",
        policy_version=company.policy_version,
        requester=company.people["marek"],
        opened_at=company.now,
        expires_at=company.now + timedelta(days=4000),
        label="For ever",
        url="/",
    )
    request.refresh_from_db()
    hours = company.policy_version.body["expires_hours"]
    assert request.expires_at == request.opened_at + timedelta(days=more, hours=hours)


def test_i40_a_date_in_a_false_answer_does_not_hush_the_canary(company: Company) -> None:
    """Even a deploy worker's answer counts from when the database got it."""
    execute("deploy", EVENT.replace("EVENT", "canary.refused"))
    assert not canary.silent(company.now + timedelta(hours=25))
    assert canary.silent(company.now + timedelta(hours=27))


def test_i06_whom_a_seat_is_for_never_decides_on_it(company: Company) -> None:
    """Web opens the question without the exclusion, or in the name of somebody else."""
    ask = (
        "WITH asked AS (INSERT INTO governance_matter (uuid, created_at, kind, user_id, role, what,"
        " new_email, reason, asked_by_id, state, note) VALUES (gen_random_uuid(), now(),"
        " 'seat.grant', %s, 'board_member', '', '', 'r', %s, 'asked', '') RETURNING id)"
        " SELECT id FROM asked"
    )
    jonas, marek = company.people["jonas"], company.people["marek"]
    with connection.cursor() as cursor:
        cursor.execute(ask, [jonas.pk, marek.pk])
        (matter,) = cursor.fetchone()
    words = {
        "subject_kind": MatterKind.SEAT.value,
        "subject_id": matter,
        "digest": f"sha256:{'0' * 64}",
        "policy_version": company.policy_version,
        "opened_at": company.now,
        "expires_at": company.now + timedelta(days=1),
        "label": "A seat",
        "url": "/",
    }
    with pytest.raises(DatabaseError) as caught, transaction.atomic():
        ApprovalRequest.objects.create(requester=company.people["ana"], **words)
    assert sqlstate(caught.value) == "P0G01"
    request = ApprovalRequest.objects.create(requester=marek, **words)
    assert list(request.exclusions.values_list("user_id", flat=True)) == [jonas.pk]
