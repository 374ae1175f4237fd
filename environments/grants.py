"""What each PostgreSQL role may do with the tables of environments.

People's words come through web, what was seen in an org through deploy workers; only those see the
ciphertext besides web, which cannot open it. Credentials are deleted by a trigger alone.
"""

from __future__ import annotations

TYPED = (
    "name, licence_type, login_host, expected_organization_id, policy_id, "
    "follows_stage, api_version, check_requested_at, retired_at"
)
SEEN = (
    "organization_id, is_sandbox, organization_name, organization_type, instance_url, "
    "instance_name, newest_api_version, limits, checked_at, connection, connection_code, "
    "connection_message, holds_digest, holds_label, holds_ref, holds_since, hold_state, hold_note"
)
RETRIEVED = (
    "state, remote_id, started_at, taken_at, organization_id, blob, component_count, "
    "content_digest, messages, message"
)
COPIED = (
    "state, message, code, closed_at, settle_wish, info_id, known_copy_id, copy_id, intended_at, "
    "started_at, settle_intended_at, finished_at, missing_since, progress, status, "
    "expected_seconds, new_organization_id, worker"
)
LISTED = (
    "name, licence_type, description, source_info_id, template_id, apex_class_id, "
    "organization_id, copy_id, phase, status, progress, copy_asked_at, copied_at, copy_seconds, "
    "seen_at, gone_at, environment_id"
)

GRANTS: dict[str, dict[str, str | tuple[str, ...]]] = {
    "environments_track": {"web": "INSERT"},
    "environments_environment": {
        "web": f"INSERT, UPDATE ({TYPED})",
        "deploy": f"UPDATE ({SEEN})",
    },
    "environments_stagepolicy": {"web": "INSERT, UPDATE (policy_id)"},
    "environments_policyassignment": {"web": "INSERT, UPDATE (state, closed_at)"},
    "environments_credential": {
        "web": "INSERT, UPDATE (flow, purpose, key_id, ciphertext, client_id, username, "
        "set_by_id, set_at)",
        "select": ("web", "deploy"),
    },
    "environments_calendarsource": {
        "web": "INSERT, UPDATE (url, content, requested_at, retired_at, state)",
        "build": "UPDATE (state, message, read_at)",
    },
    "environments_maintenance": {
        "build": "INSERT, UPDATE (name, description, starts_at, ends_at, zone, gone_at)",
    },
    # A freeze may last longer or be lifted; a trigger says when that takes sign-offs.
    "environments_freeze": {
        "web": "INSERT, UPDATE (ends_at, lifted_at, lifted_by_id, lift_reason)",
    },
    "environments_freezelift": {"web": "INSERT"},
    "environments_sandboxreading": {
        "web": "INSERT, UPDATE (requested_at)",
        "deploy": "INSERT, UPDATE (tried_at, read_at, code, message)",
    },
    "environments_sandboxlicence": {
        "web": "INSERT, UPDATE (total, entered_by_id, entered_at)",
    },
    "environments_sandbox": {
        "web": "UPDATE (environment_id)",
        "deploy": f"INSERT, UPDATE ({LISTED})",
    },
    # Both hands move the state; a trigger says which moves belong to whom.
    "environments_sandboxrequest": {
        "web": "INSERT, UPDATE (state, message, code, closed_at, settle_wish)",
        "build": "UPDATE (state, message, code, closed_at)",
        "deploy": f"UPDATE ({COPIED})",
    },
    "environments_lease": {"deploy": "INSERT, DELETE"},
    "environments_snapshot": {
        "web": "INSERT",
        "deploy": f"INSERT, UPDATE ({RETRIEVED})",
        "build": "UPDATE (history_commit)",
    },
}
