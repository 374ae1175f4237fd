"""I-33: who, what and why never change, column by column, whatever rights somebody has.

Each column is written with another value by web, which is given every right on the table for the
attempt: the guard of that table refuses, with its code. The same statement without the column
passes, so it is the column that is refused.
"""

from __future__ import annotations

import pytest

from tests.invariants.guarded_rows import answer_with_rights, others, rows
from tests.support.company import Company

pytestmark = pytest.mark.django_db

UPDATE = "UPDATE {} SET {}"
SAME = "id uuid created_at"
# Table → the guard's function, its code, the columns, what is written besides so that it passes.
FIXED: dict[str, tuple[str, str, str, str]] = {
    "environments_calendarsource": (
        "environments_guard_calendar",
        "P0E02",
        "name created_by_id",
        "content = content",
    ),
    "environments_environment": (
        "environments_forget_organization",
        "P0E02",
        "track_id stage kind",
        "name = name",
    ),
    "environments_freeze": (
        "environments_guard_freeze",
        "P0E02",
        (
            "kind scope track_id environment_id team_id name reason zone starts_at every step"
            " last_day source source_key maintenance_id created_by_id"
        ),
        "ends_at = ends_at + interval '1 day'",
    ),
    "environments_policyassignment": (
        "environments_guard_assignment",
        "P0E02",
        (
            "track_kind stage follows_stage reason asked_by_id environment_id new_version_id"
            " old_version_id policy_id"
        ),
        "state = 'withdrawn', closed_at = now()",
    ),
    "environments_sandboxrequest": (
        "environments_guard_sandbox_request",
        "P0E02",
        (
            "production_id action name licence_type sandbox_id environment_id team_id source_id"
            " template_id apex_class_id auto_activate start not_before reason shown digest"
            " needs_nobody requested_by_id"
        ),
        "message = 'x'",
    ),
    "environments_snapshot": (
        "environments_guard_snapshot",
        "P0E02",
        "environment_id purpose manifest requested_by wake_kind wake_subject_id",
        "message = message",
    ),
    "environments_stagepolicy": (
        "environments_guard_stage_policy",
        "P0E02",
        "track_kind stage",
        "policy_id = policy_id",
    ),
    "governance_apitoken": (
        "governance_guard_token",
        "P0G06",
        "user_id label prefix hash scopes team_ids created_by_id expires_at",
        "last_used_at = now()",
    ),
    "governance_approvalrequest": (
        "governance_guard_request",
        "P0G01",
        (
            "subject_kind subject_id digest policy_version_id requester_id opened_at expires_at"
            " label url related marks also_body"
        ),
        "note = 'x'",
    ),
    "governance_delegation": (
        "governance_guard_delegation",
        "P0G05",
        "delegator_id deputy_id role reason starts_at ends_at",
        "ended_at = now()",
    ),
    "governance_gitidentity": (
        "governance_guard_identity",
        "P0G07",
        "email user_id mapped_by_id",
        "ended_at = now()",
    ),
    "governance_matter": (
        "governance_guard_matter",
        "P0G04",
        "kind user_id role what new_email reason asked_by_id",
        "note = 'x'",
    ),
    "governance_membership": (
        "governance_guard_membership",
        "P0G03",
        "user_id team_id role granted_by_id granted_at",
        "revoked_at = now()",
    ),
    "governance_policy": (
        "governance_guard_policy",
        "P0G04",
        "name governs_board founding",
        "retired_at = now()",
    ),
    "releases_breakglass": (
        "releases_guard_break_glass",
        "P0R01",
        "asked_by_id",
        "reason = 'other'",
    ),
    "releases_build": ("releases_guard_build", "P0R01", "repository_id sha", "message = 'x'"),
    "releases_candidate": (
        "releases_guard_candidate",
        "P0R01",
        "repository_id team_id tag sha created_by_id",
        "message = 'x'",
    ),
    "releases_deployment": (
        "releases_guard_deployment",
        "P0R01",
        (
            "purpose environment_id artefact_id build_id candidate_id release_id preparation_id"
            " requester_id plan organization_id subject_digest policy_version_id not_before"
            " not_after"
        ),
        "message = 'x'",
    ),
    "releases_release": ("releases_guard_release", "P0R01", "composed_by_id", "title = title"),
    "releases_releaseitem": (
        "releases_guard_item",
        "P0R01",
        "candidate_id added_by_id added_at",
        "release_id = release_id",
    ),
    "releases_step": (
        "releases_guard_step",
        "P0F01",
        "deployment_id position",
        "facts = facts",
    ),
}
BARE = {"releases_releaseitem": "id", "releases_step": "id"}
"""Tables whose rows have no name and no birth of their own."""


@pytest.mark.parametrize("table", FIXED)
def test_i33_each_fixed_column_is_refused_by_its_guard(company: Company, table: str) -> None:
    rows(company)
    function, code, columns, besides = FIXED[table]
    other = others(table)
    assert answer_with_rights(table, UPDATE.format(table, besides)) == "done"
    answers = {
        column: answer_with_rights(
            table, UPDATE.format(table, f"{column} = {other[column]}, {besides}")
        ).partition(":")[0]
        for column in (*BARE.get(table, SAME).split(), *columns.split())
    }
    assert answers == dict.fromkeys(answers, f"{code} {function}")
