"""I-33: what people saw, decided and did stays written as it was, whoever writes rows.

Every attack is raw SQL in a role of the product. Each is refused by one trigger; without that
trigger it succeeds, which the second test shows, so none of them is refused by chance.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from governance.models import ApprovalRequest, Decision
from releases.models import BreakGlass, Release
from tests.invariants.gate_world import approve
from tests.support.attacks import Attack, answers, expected
from tests.support.company import Company, audited
from tests.support.cover import execute, sqlstate
from tests.support.databases import as_role

pytestmark = pytest.mark.django_db


GLASS = "releases_breakglass"

ATTACKS: dict[str, Attack] = {
    "an emergency is used again": Attack(
        "web",
        "UPDATE releases_breakglass SET used_at = NULL, review_due_at = NULL",
        GLASS,
        "guard_break_glass",
    ),
    "a review is never due": Attack(
        "deploy",
        "UPDATE releases_breakglass SET review_due_at = now() + interval '9 years'",
        GLASS,
        "guard_break_glass",
    ),
    "who asked for an emergency reviews it": Attack(
        "web",
        "UPDATE releases_breakglass SET reviewed_at = now(), reviewed_by_id = asked_by_id, "
        "review = 'Fine.'",
        GLASS,
        "guard_break_glass",
        "P0R02",
    ),
    "an emergency gets other words after its use": Attack(
        "web",
        "UPDATE releases_breakglass SET reason = 'All was well.'",
        GLASS,
        "guard_break_glass",
    ),
    "an emergency is born used": Attack(
        "web",
        "INSERT INTO releases_breakglass (uuid, created_at, release_id, reason, incident,"
        " asked_by_id, used_at, review_due_at, review) SELECT gen_random_uuid(), now(),"
        " release_id, reason, incident, asked_by_id, now(), now() + interval '1 day', ''"
        " FROM releases_breakglass",
        GLASS,
        "guard_break_glass",
    ),
    "a component is added to what people approve": Attack(
        "build",
        "INSERT INTO releases_artefactcomponent (artefact_id, type, name, digest) SELECT"
        " artefact_id, 'ApexClass', 'Hidden', 'x' FROM releases_release"
        " WHERE title = 'October train'",
        "releases_artefactcomponent",
        "guard_components",
    ),
    "a change is added to what people were asked": Attack(
        "build",
        "INSERT INTO releases_releasechange (release_id, artefact_id, type, name, kind, teams,"
        " summary, marks) SELECT id, artefact_id, 'ApexClass', 'Hidden', 'added', '[]', '',"
        " '{}' FROM releases_release WHERE title = 'October train'",
        "releases_releasechange",
        "guard_shown",
    ),
    "web says that a release was deployed": Attack(
        "web",
        "UPDATE releases_release SET deployed_at = now() WHERE title = 'October train'",
        "releases_release",
        "guard_release",
        "P0R02",
    ),
    "a deployed release becomes another": Attack(
        "web",
        "UPDATE releases_release SET version = '99.0.0' WHERE title = 'September train'",
        "releases_release",
        "guard_release",
    ),
    "somebody else composed it": Attack(
        "web",
        "UPDATE releases_release SET composed_by_id = (SELECT max(id) FROM governance_user)",
        "releases_release",
        "guard_release",
    ),
    "a deployed release held something else": Attack(
        "web",
        "INSERT INTO releases_releaseitem (release_id, candidate_id, added_by_id, added_at)"
        " SELECT r.id, c.id, r.composed_by_id, now() FROM releases_release r, releases_candidate c"
        " WHERE r.title = 'September train' LIMIT 1",
        "releases_releaseitem",
        "guard_contents_of_new",
    ),
    "a deployed release gets a step to do": Attack(
        "web",
        "INSERT INTO releases_runbookitem (uuid, created_at, release_id, phase, text, owner_id,"
        " critical, added_by_id) SELECT gen_random_uuid(), now(), id, 'before', 'Back up',"
        " composed_by_id, true, composed_by_id FROM releases_release"
        " WHERE title = 'September train'",
        "releases_runbookitem",
        "guard_contents_of_new",
    ),
    "an evidence pack is born made": Attack(
        "web",
        "INSERT INTO releases_evidencepack (uuid, created_at, scope, release_id, zone,"
        " requested_by_id, state, stage, done, total, message, blob, size, manifest_digest, counts)"
        " SELECT gen_random_uuid(), now(), 'release', id, 'UTC', composed_by_id, 'queued', '', 0,"
        " 0, '', 'mine', 9, '', '{}' FROM releases_release WHERE title = 'September train'",
        "releases_evidencepack",
        "guard_evidence_pack",
        "P0R02",
    ),
    "an evidence pack is exchanged": Attack(
        "build",
        "UPDATE releases_evidencepack SET blob = 'mine' WHERE state IN ('ready', 'failed')",
        "releases_evidencepack",
        "guard_evidence_pack",
    ),
    "a change past Gatehouse is explained anew": Attack(
        "web",
        "UPDATE releases_orgdeployment SET explanation = 'We did it.'",
        "releases_orgdeployment",
        "guard_explanation",
    ),
    "a recovery code works twice": Attack(
        "web",
        "UPDATE governance_recoverycode SET used_at = NULL",
        "governance_recoverycode",
        "guard_used_once",
        "P0G08",
    ),
    "a link works twice": Attack(
        "web",
        "UPDATE governance_invitation SET used_at = NULL",
        "governance_invitation",
        "guard_used_once",
        "P0G08",
    ),
    "a code works twice": Attack(
        "web",
        "UPDATE governance_secondfactor SET last_step = 0",
        "governance_secondfactor",
        "guard_last_step",
        "P0G08",
    ),
}


@pytest.fixture
def scene(company: Company) -> Company:
    """An emergency that was used, an explained change, a finished pack, a used code and link."""
    audited.emergency(company)
    person = company.people["ana"].pk
    execute(
        "web",
        "UPDATE releases_orgdeployment SET explanation = 'Support did it.', explained_at = now(),"
        " explained_by_id = %s",
        person,
    )
    execute("build", "UPDATE releases_evidencepack SET state = 'failed' WHERE state = 'queued'")
    execute(
        "web",
        "INSERT INTO governance_recoverycode (user_id, hash, used_at) VALUES (%s, 'x', now())",
        person,
    )
    execute(
        "web",
        "INSERT INTO governance_secondfactor (user_id, secret, confirmed_at, last_step)"
        " VALUES (%s, 'x', now(), 9)",
        person,
    )
    execute(
        "web",
        "INSERT INTO governance_invitation (uuid, created_at, user_id, purpose, token_hash,"
        " created_by_id, works_from, expires_at, used_at, what, new_email) VALUES"
        " (gen_random_uuid(), now(), %s, 'reset', 'x', %s, now(), now(), now(), '', '')",
        person,
        person,
    )
    connection.check_constraints()
    return company


def test_i33_every_attack_is_refused_by_its_guard_and_by_that_alone(scene: Company) -> None:
    assert answers(ATTACKS) == expected(ATTACKS)


def test_i37_moments_are_the_databases(company: Company) -> None:
    """A decision cannot be dated back, nor an answer made to last for years."""
    release = company.releases["October train"]
    approve(company, release, "ana")
    decision = Decision.objects.latest("pk")
    execute(
        "web",
        "INSERT INTO governance_decision (uuid, created_at, request_id, person_id, digest, verdict,"
        " comment, role, decided_at, auth_strength, policy_version_id, policy_digest)"
        " SELECT gen_random_uuid(), '2001-01-01', request_id, %s, digest, 'approve', '', role,"
        " '2001-01-01', 'password', policy_version_id, policy_digest"
        " FROM governance_decision WHERE id = %s",
        company.people["ben"].pk,
        decision.pk,
    )
    forged = Decision.objects.latest("pk")
    assert min(forged.decided_at, forged.created_at) > decision.decided_at - timedelta(minutes=1)
    assert company.policy_version is not None
    request = ApprovalRequest.objects.create(
        subject_kind="policy.version",
        subject_id=4711,
        digest=decision.digest,
        policy_version=company.policy_version,
        requester=company.people["marek"],
        opened_at=company.now,
        expires_at=company.now + timedelta(days=4000),
        label="For ever",
        url="/",
    )
    request.refresh_from_db()
    hours = company.policy_version.body["expires_hours"]
    assert request.expires_at == request.opened_at + timedelta(hours=hours)


def test_i31_no_emergency_begins_while_a_review_is_overdue(company: Company) -> None:
    row = audited.emergency(company)
    with as_role("owner"):
        BreakGlass.objects.update(review_due_at=company.now - timedelta(days=1))
    release = Release.objects.get(pk=row.release_id)
    with pytest.raises(DatabaseError) as caught, transaction.atomic():
        BreakGlass.objects.create(
            release=release, reason="Again", incident="INC-9", asked_by=company.people["marek"]
        )
    assert sqlstate(caught.value) == "P0R03"
