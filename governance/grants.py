"""What each PostgreSQL role may do with the tables of governance.

Everybody may read unless "select" says who; nobody may delete or truncate unless granted.
Only web decides: workers may add events and notices, and may stop an approval request
(governance/sql/0001_guards.sql holds them to that).
"""

from __future__ import annotations

EVENT = "INSERT (body)"
NOTICE = (
    "INSERT (uuid, created_at, recipient_email, subject, text, related, state, sent_at, tries, "
    "last_error)"
)

GRANTS: dict[str, dict[str, str | tuple[str, ...]]] = {
    "governance_user": {
        "web": "INSERT, UPDATE (email, full_name, zone, is_active, last_login, reset_at, "
        "same_as_id)",
    },
    "governance_password": {
        "web": "INSERT, UPDATE (hash, changed_at, epoch)",
        "select": ("web",),
    },
    "governance_secondfactor": {
        "web": "INSERT, UPDATE (secret, confirmed_at, last_step), DELETE",
        "select": ("web",),
    },
    "governance_recoverycode": {"web": "INSERT, UPDATE (used_at), DELETE", "select": ("web",)},
    "governance_apitoken": {
        "web": "INSERT, UPDATE (last_used_at, revoked_at, revoked_by_id)",
        "select": ("web",),
    },
    "governance_delegation": {"web": "INSERT, UPDATE (ended_at, ended_by_id)"},
    "governance_matter": {
        "web": "INSERT, UPDATE (state, effective_at, closed_at, closed_by_id, note)",
        "build": "UPDATE (state, effective_at, closed_at, note)",
    },
    "governance_team": {"web": "INSERT, UPDATE (name, retired_at)"},
    "governance_membership": {"web": "INSERT, UPDATE (revoked_at, revoked_by_id)"},
    "governance_gitidentity": {"web": "INSERT, UPDATE (ended_at)"},
    "governance_invitation": {"web": "INSERT, UPDATE (used_at)", "select": ("web",)},
    "governance_signinfailure": {"web": "INSERT, DELETE", "select": ("web",)},
    "governance_policy": {"web": "INSERT, UPDATE (retired_at)"},
    "governance_policyversion": {"web": "INSERT"},
    "governance_policyproposal": {"web": "INSERT, UPDATE (state, closed_by_id, closed_at)"},
    "governance_approvalrequest": {
        "web": "INSERT, UPDATE (state, closed_at, note)",
        "build": "UPDATE (state, closed_at, note)",
        "deploy": "UPDATE (state, closed_at, note)",
    },
    "governance_exclusion": {"web": "INSERT"},
    "governance_unmappedidentity": {"web": "INSERT"},
    "governance_decision": {"web": "INSERT"},
    "governance_withdrawal": {"web": "INSERT"},
    "governance_auditevent": {"web": EVENT, "build": EVENT, "deploy": EVENT},
    # Written by the chain's own triggers alone, which run as the owner.
    "governance_auditcommit": {"select": ()},
    "governance_auditlink": {},
    "governance_auditdetail": {
        "web": "INSERT (event_id, key, body)",
        "select": ("web",),
    },
    "governance_installation": {},
    "governance_guardmanifest": {},
    "governance_checkpoint": {"build": "INSERT (number, body, digest, signature, key_id)"},
    "governance_checkpointcopy": {"build": "INSERT (checkpoint_id, place, at, problem)"},
    "governance_verification": {
        "build": "INSERT (started_at, finished_at, events, checkpoints, problem, event_id, "
        "unfinished)"
    },
    "governance_notice": {
        "web": NOTICE,
        "build": f"{NOTICE}, UPDATE (state, sent_at, tries, last_error)",
        "deploy": f"{NOTICE}, SELECT (id)",
        "select": ("web", "build"),
    },
}
