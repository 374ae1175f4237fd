"""I-33, I-9, I-29: what a guard of people and questions refuses besides fixed columns.

As in ``test_i33_each_refusal``: the guard that answers is named, with its words.
"""

from __future__ import annotations

import pytest

from tests.invariants.guarded_rows import Cases, rows, said
from tests.support.company import Company
from tests.support.cover import asked

pytestmark = pytest.mark.django_db

DECISION = (
    "INSERT INTO governance_decision (uuid, created_at, request_id, person_id, digest, verdict,"
    " comment, role, decided_at, auth_strength, policy_version_id, policy_digest) SELECT"
    " gen_random_uuid(), now(), r.id, u.id, r.digest, 'approve', '', '{role}', now(), 'password',"
    " v.id, v.digest FROM governance_approvalrequest r JOIN governance_policyversion v"
    " ON v.id = r.policy_version_id, governance_user u WHERE u.email LIKE '{who}@%%'"
)
LEND = (
    "INSERT INTO governance_delegation (uuid, created_at, delegator_id, deputy_id, role, reason,"
    " starts_at, ends_at) SELECT gen_random_uuid(), now(), a.id, b.id, '{role}', '', {starts},"
    " {ends} FROM governance_user a, governance_user b WHERE a.email LIKE '{who}@%%'"
    " AND b.email LIKE '{to}@%%'"
)
TOMORROW = {"starts": "now()", "ends": "now() + interval '1 day'"}
JOIN = (
    "INSERT INTO governance_membership (uuid, created_at, user_id, team_id, role, granted_at{more})"
    " SELECT gen_random_uuid(), now(), u.id, t.id, '{role}', now(){value} FROM governance_user u,"
    " governance_team t WHERE u.email LIKE 'lena@%%' AND t.slug = '{team}'"
)
APPROVED = [
    "DROP TRIGGER guard_approved ON governance_matter",
    "UPDATE governance_matter SET state = 'approved', effective_at = now() + interval '1 day'",
]
CLOSED = "UPDATE governance_matter SET state = 'cancelled', closed_at = now()"
MATTER = "P0G04 governance_guard_matter: matter: {}"
LENT = "P0G05 governance_guard_delegation: delegation: {}"

PEOPLE: Cases = {
    "a decision on a question that is closed": (
        ["UPDATE governance_approvalrequest SET state = 'expired', closed_at = now()"],
        "web",
        DECISION.format(role="board_member", who="ana"),
        "P0G02 governance_guard_decision: decision: the request is not open",
    ),
    "a decision in a role that is not asked": (
        [],
        "web",
        DECISION.format(role="auditor", who="paul"),
        "P0G02 governance_guard_decision: decision: the policy does not count this role",
    ),
    "a lent seat is lent again": (
        ["UPDATE governance_delegation SET ended_at = now()"],
        "web",
        "UPDATE governance_delegation SET ended_at = NULL",
        LENT.format("may only be ended, once"),
    ),
    "the role of an admin is lent": (
        [],
        "web",
        LEND.format(role="admin", who="ines", to="lena", **TOMORROW),
        LENT.format("admin is not lent"),
    ),
    "a seat is lent for a year": (
        [],
        "web",
        LEND.format(
            role="board_member", who="ana", to="lena", starts="now()", ends="now() + '1 year'"
        ),
        LENT.format("must end in the future, after 90 days at most"),
    ),
    "a seat is lent for a time that is over": (
        [],
        "web",
        LEND.format(
            role="board_member",
            who="ana",
            to="lena",
            starts="now() - interval '9 days'",
            ends="now() - interval '1 day'",
        ),
        LENT.format("must end in the future, after 90 days at most"),
    ),
    "a seat that one does not hold is lent": (
        [],
        "web",
        LEND.format(role="board_member", who="priya", to="lena", **TOMORROW),
        LENT.format("only a holder of the role lends it"),
    ),
    "a seat is lent to another member": (
        [],
        "web",
        LEND.format(role="board_member", who="ana", to="ben", **TOMORROW),
        LENT.format("the deputy holds the role already"),
    ),
    "a seat is lent to a machine": (
        [],
        "web",
        LEND.format(role="board_member", who="ana", to="ci", **TOMORROW),
        LENT.format("only an active person stands in"),
    ),
    "a match of an address is born ended": (
        [],
        "web",
        (
            "INSERT INTO governance_gitidentity (uuid, created_at, email, user_id, ended_at)"
            " SELECT gen_random_uuid(), now(), 'm@x.example', min(id), now() FROM governance_user"
        ),
        "P0G07 governance_guard_identity: git address: not as it stands in commits",
    ),
    "a matter is born approved": (
        [],
        "owner",
        "INSERT INTO governance_matter (state) VALUES ('approved')",
        MATTER.format("born approved, not asked"),
    ),
    "a closed matter is talked about": (
        [CLOSED],
        "web",
        "UPDATE governance_matter SET note = 'It was agreed.'",
        MATTER.format("cancelled is final"),
    ),
    "the board's delay gets shorter": (
        APPROVED,
        "web",
        "UPDATE governance_matter SET effective_at = now()",
        MATTER.format("the delay never gets shorter"),
    ),
    "a matter takes effect before its time": (
        APPROVED,
        "web",
        "UPDATE governance_matter SET state = 'done', closed_at = now()",
        MATTER.format("the delay is not over"),
    ),
    "a matter takes effect that nobody approved": (
        ["DROP TRIGGER moves ON governance_matter"],
        "web",
        "UPDATE governance_matter SET state = 'done', closed_at = now(), effective_at = now()",
        MATTER.format("the delay is not over"),
    ),
    "a seat is taken that the board did not give": (
        [],
        "web",
        "SELECT governance_give_seat(id) FROM governance_matter",
        "P0G04 governance_give_seat: seat: the board has not approved it",
    ),
    "a version leaves out a number": (
        [],
        "web",
        (
            "INSERT INTO governance_policyversion (uuid, created_at, policy_id, number, body,"
            " digest,"
            " proposed_by_id, confirmed_by_id, published_at) SELECT gen_random_uuid(), now(),"
            " policy_id, 9, body, digest, proposed_by_id, confirmed_by_id, now()"
            " FROM governance_policyversion ORDER BY id LIMIT 1"
        ),
        "P0G04 governance_guard_policy_version: policy version: the next number is 2",
    ),
    "a retired policy is revived": (
        ["UPDATE governance_policy SET retired_at = now() WHERE name = 'Integration'"],
        "web",
        "UPDATE governance_policy SET retired_at = NULL WHERE name = 'Integration'",
        "P0G04 governance_guard_policy: policy: it may only be retired, once",
    ),
    "a revoked token works again": (
        ["UPDATE governance_apitoken SET revoked_at = now()"],
        "web",
        "UPDATE governance_apitoken SET revoked_at = NULL",
        "P0G06 governance_guard_token: token: may only be used or revoked",
    ),
    "a person gets a token": (
        [],
        "web",
        (
            "INSERT INTO governance_apitoken (uuid, created_at, user_id, label, prefix, hash,"
            " scopes,"
            " team_ids, created_by_id, expires_at) SELECT gen_random_uuid(), now(), min(id),"
            " 'mine',"
            " 'p2', 'h2', '{checks}', '{}', min(id), now() + interval '1 day' FROM governance_user"
        ),
        "P0G06 governance_guard_token: token: only a service account has tokens",
    ),
    "details of an event are altered": (
        [],
        "owner",
        "UPDATE governance_auditdetail SET body = '' WHERE false",
        (
            "P0A04 governance_refuse_other_details: details: UPDATE is refused;"
            " a row may only be erased"
        ),
    ),
    "details of all events go at once": (
        [],
        "owner",
        "TRUNCATE governance_auditdetail",
        (
            "P0A04 governance_refuse_other_details: details: TRUNCATE is refused;"
            " a row may only be erased"
        ),
    ),
    "a role is born revoked": (
        [],
        "web",
        JOIN.format(role="developer", team="sales", more=", revoked_at", value=", now()"),
        "P0G03 governance_stamp_membership: membership: born revoked",
    ),
    "a release manager of a contributing team": (
        [],
        "web",
        JOIN.format(role="release_manager", team="sales", more="", value=""),
        (
            "P0G03 governance_guard_membership: membership: release_manager belongs to the team"
            " that"
            " owns production"
        ),
    ),
}


def test_i33_each_refusal_about_people(company: Company) -> None:
    asked(company)
    rows(company)
    answers, expected = said(PEOPLE)
    assert answers == expected
