"""What each PostgreSQL role may write in this app's tables; everybody may read them.

Append-only tables have INSERT alone. Only deploy workers write steps and what the org said.
"""

from __future__ import annotations

PACKED = "state, stage, done, total, message, blob, size, manifest_digest, counts, finished_at"
REPORTED = "status, components_total, created_by_name, completed_at, seen_at, standing, step_id"
SET_ASIDE = "state, message, finished_at"
ASKED = (
    f"{SET_ASIDE}, approval_id, approved_at, uncovered, cancel_requested_at, "
    "cancel_requested_by_id, settle_outcome, settle_note, settled_by_id"
)
SEEN = (
    f"{SET_ASIDE}, reasons, baseline, baseline_digest, started_at, uncovered, cancel_requested_at"
)
# What stands behind who may decide (teams, testers, who offered) is nobody's but web's.
FETCHED = "health, message, fetched_at, main_sha, format"
BUILT = "state, artefact_id, message, warnings, finished_at"
PACKAGED = "state, artefact_id, message, commit_count, oldest_commit_at, contributors"
OFFERED = "state, message, tested_by_id, tested_at, test_note, offered_by_id, offered_at"
MOVED = "state, state_note, change_class, restores_id"

GRANTS: dict[str, dict[str, str]] = {
    "releases_repository": {"web": "INSERT, UPDATE", "build": f"UPDATE ({FETCHED})"},
    "releases_commit": {"build": "INSERT"},
    "releases_gitref": {"build": "INSERT, UPDATE"},
    "releases_change": {"build": "INSERT"},
    "releases_changecommit": {"build": "INSERT"},
    "releases_webhookdelivery": {"web": "INSERT"},
    "releases_artefact": {"build": "INSERT"},
    "releases_artefactcomponent": {"build": "INSERT"},
    "releases_build": {
        "web": "INSERT, UPDATE (state, message, finished_at)",
        "build": f"INSERT, UPDATE ({BUILT})",
        "deploy": "UPDATE (state, message, finished_at)",
    },
    "releases_candidate": {
        "web": f"INSERT, UPDATE ({OFFERED})",
        "build": f"UPDATE ({PACKAGED})",
        "deploy": "UPDATE (state, message)",
    },
    "releases_release": {
        "web": "INSERT, UPDATE",
        "build": f"UPDATE ({MOVED}, artefact_id, integration_commit)",
        "deploy": f"UPDATE ({MOVED}, deployed_at)",
    },
    "releases_releaseitem": {"web": "INSERT, UPDATE"},
    "releases_runbookitem": {"web": "INSERT, UPDATE"},
    "releases_checkresult": {"web": "INSERT"},
    "releases_breakglass": {"web": "INSERT, UPDATE", "deploy": "UPDATE (used_at, review_due_at)"},
    "releases_releasechange": {"build": "INSERT"},
    "releases_releasereview": {"web": "INSERT"},
    "releases_componentconflict": {"web": "UPDATE (settled_at)", "build": "INSERT"},
    "releases_resolution": {"web": "INSERT"},
    "releases_dependency": {"build": "INSERT"},
    "releases_knowntest": {"build": "INSERT"},
    "releases_deployment": {
        "web": f"INSERT, UPDATE ({ASKED})",
        "build": f"INSERT, UPDATE ({SET_ASIDE})",
        "deploy": f"UPDATE ({SEEN})",
    },
    "releases_step": {"web": "INSERT", "build": "INSERT", "deploy": "UPDATE"},
    "releases_stepmessage": {"deploy": "INSERT"},
    "releases_evidencepack": {"web": "INSERT", "build": f"UPDATE ({PACKED})"},
    "releases_orgobservation": {"deploy": "INSERT"},
    "releases_orgdeployment": {
        "web": "UPDATE (explanation, explained_at, explained_by_id)",
        "deploy": f"INSERT, UPDATE ({REPORTED})",
    },
    "releases_teamwork": {"build": "INSERT, UPDATE, DELETE"},
    "releases_touchedcomponent": {"build": "INSERT, DELETE"},
    "releases_collision": {
        "build": "INSERT, UPDATE (elements, gone_at, name, named_by_name), DELETE"
    },
    "releases_collisionside": {"build": "INSERT, DELETE"},
    "releases_auditsample": {"web": "INSERT"},
}
