"""I-33, I-9, I-13, I-29: what a guard refuses besides fixed columns, branch by branch.

Guards overlap: what one lets by another often refuses. Here the very guard that answers is named,
with its words, so that none of its branches goes unnoticed behind another. Some scenery is the
owner's, with another guard dropped that would not let things come so far.
"""

from __future__ import annotations

import pytest

from tests.invariants.guarded_rows import Cases, rows, said
from tests.support.company import Company
from tests.support.cover import asked

pytestmark = pytest.mark.django_db

# ── Environments ─────────────────────────────────────────────────────────────────────────────────

FREEZE = (
    "INSERT INTO environments_freeze (uuid, created_at, kind, scope, name, reason, zone, starts_at,"
    " ends_at, every, step, source, source_key, lift_reason, created_by_id, lifted_at,"
    " lifted_by_id) SELECT gen_random_uuid(), now(), kind, scope, name, reason, zone, starts_at,"
    " ends_at, every,"
    " step, source, source_key, lift_reason, created_by_id, {} FROM environments_freeze"
)
GUARDED_REQUEST = "P0E0{} environments_guard_sandbox_request: sandbox request: {}"
STARTED = [
    "DROP TRIGGER guard_sandbox_request_cover ON environments_sandboxrequest",
    "UPDATE environments_sandboxrequest SET state = 'approved'",
]
START = "UPDATE environments_sandboxrequest SET state = 'starting', intended_at = now()"

ENVIRONMENTS: Cases = {
    "a retired environment comes back": (
        ["UPDATE environments_environment SET retired_at = now() WHERE name = 'Sales CI'"],
        "web",
        "UPDATE environments_environment SET retired_at = NULL WHERE name = 'Sales CI'",
        "P0E02 environments_forget_organization: environment: it stays retired",
    ),
    "a freeze is removed": (
        [],
        "owner",
        "DELETE FROM environments_freeze",
        "P0E02 environments_guard_freeze: freeze: it stays in the calendar",
    ),
    "a freeze is born lifted": (
        [],
        "web",
        FREEZE.format("now(), created_by_id"),
        "P0E02 environments_guard_freeze: freeze: born lifted",
    ),
    "a lifted freeze gets another reason": (
        [
            "DROP TRIGGER guard_freeze_cover ON environments_freeze",
            "UPDATE environments_freeze SET lifted_at = now(), lifted_by_id = created_by_id",
        ],
        "web",
        "UPDATE environments_freeze SET lift_reason = 'Nobody minded.'",
        "P0E02 environments_guard_freeze: freeze: it stays lifted",
    ),
    "a freeze of production ends early": (
        [],
        "web",
        "UPDATE environments_freeze SET ends_at = ends_at - interval '1 hour'",
        (
            "P0E03 environments_guard_cover_of_lift: freeze: it covers a protected environment,"
            " so this takes sign-offs"
        ),
    ),
    "a freeze of production is lifted": (
        [],
        "web",
        "UPDATE environments_freeze SET lifted_at = now(), lifted_by_id = created_by_id",
        (
            "P0E03 environments_guard_cover_of_lift: freeze: it covers a protected environment,"
            " so this takes sign-offs"
        ),
    ),
    "a request about a sandbox is born under way": (
        [],
        "owner",
        "INSERT INTO environments_sandboxrequest (state) VALUES ('copying')",
        GUARDED_REQUEST.format(1, "born copying"),
    ),
    "a request about a sandbox is removed": (
        [],
        "owner",
        "DELETE FROM environments_sandboxrequest",
        GUARDED_REQUEST.format(2, "it is never removed"),
    ),
    "web starts a copy": (
        STARTED,
        "web",
        "UPDATE environments_sandboxrequest SET state = 'starting'",
        GUARDED_REQUEST.format(1, "only a deploy worker makes it starting"),
    ),
    "a copy is started without an intention": (
        STARTED,
        "deploy",
        "UPDATE environments_sandboxrequest SET state = 'starting'",
        GUARDED_REQUEST.format(2, "started without an intention"),
    ),
    "a copy is started a second time": (
        [*STARTED, START],
        "deploy",
        "UPDATE environments_sandboxrequest SET intended_at = now() + interval '1 hour'",
        GUARDED_REQUEST.format(2, "it is started once"),
    ),
    "a snapshot is born done": (
        [],
        "owner",
        "INSERT INTO environments_snapshot (state, blob) VALUES ('done', 'mine')",
        "P0E01 environments_guard_snapshot: snapshot: born done, not requested",
    ),
    "a snapshot is given another place in its history": (
        ["UPDATE environments_snapshot SET history_commit = 'abc' WHERE history_commit = ''"],
        "build",
        "UPDATE environments_snapshot SET history_commit = 'def'",
        "P0E02 environments_guard_snapshot: snapshot: its commit never changes",
    ),
    "a new stage of production gets a policy that asks nobody": (
        [
            "DELETE FROM environments_stagepolicy WHERE stage = 'PRD'",
            "UPDATE environments_environment SET follows_stage = false WHERE stage = 'PRD'",
        ],
        "web",
        (
            "INSERT INTO environments_stagepolicy (uuid, created_at, track_kind, stage, policy_id)"
            " SELECT gen_random_uuid(), now(), 'production', 'PRD', id FROM governance_policy"
            " WHERE name = 'Integration'"
        ),
        (
            "P0E04 environments_guard_stage_policy: policy: it is not in force, or asks nobody for"
            " production"
        ),
    ),
    "a sandbox request that nobody decided on is approved": (
        [],
        "web",
        "UPDATE environments_sandboxrequest SET state = 'approved'",
        (
            "P0E03 environments_guard_sandbox_request_cover: sandbox request: nobody has agreed"
            " to it,"
            " no approval stands"
        ),
    ),
}


def test_i33_each_refusal_about_environments(company: Company) -> None:
    rows(company)
    answers, expected = said(ENVIRONMENTS)
    assert answers == expected


# ── Releases ─────────────────────────────────────────────────────────────────────────────────────

STEP = "P0F01 releases_guard_step: step: {}"
RELEASES: Cases = {
    "a deployment is born with a question": (
        [],
        "web",
        (
            "INSERT INTO releases_deployment (approval_id, state) SELECT min(id), 'held'"
            " FROM governance_approvalrequest"
        ),
        "P0R01 releases_guard_deployment: deployment: a request is bound after planning",
    ),
    "web lets a deployment run": (
        [],
        "web",
        "UPDATE releases_deployment SET state = 'running' WHERE state IN ('held', 'queued')",
        "P0R02 releases_guard_deployment: deployment: only a deploy worker makes it running",
    ),
    "a step is born done": (
        [],
        "owner",
        "INSERT INTO releases_step (kind, effect, remote_id) VALUES ('gate', 'read', '0Af')",
        STEP.format("nothing has happened when it is planned"),
    ),
    "the org's id of a step that runs is exchanged": (
        [
            (
                "UPDATE releases_step SET state = 'intended' WHERE id = (SELECT max(id)"
                " FROM releases_step WHERE kind = 'validate' AND state = 'pending')"
            ),
            (
                "UPDATE releases_step SET remote_id = '0Af1' WHERE kind = 'validate'"
                " AND state = 'intended'"
            ),
        ],
        "deploy",
        "UPDATE releases_step SET remote_id = '0Af2' WHERE remote_id = '0Af1'",
        STEP.format("the org gave it one id"),
    ),
    "the tests of a deployed release change": (
        [],
        "web",
        "UPDATE releases_release SET test_level = 'NoTestRun' WHERE deployed_at IS NOT NULL",
        "P0R01 releases_guard_tests: release: it was deployed, and the tests it ran stay",
    ),
}


def test_i33_each_refusal_about_releases(company: Company) -> None:
    asked(company, run=False)
    answers, expected = said(RELEASES)
    assert answers == expected
