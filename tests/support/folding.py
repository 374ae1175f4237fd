"""The state of the company as its history alone tells it, and as the tables say (I-33)."""

from __future__ import annotations

import json
from typing import Any

from environments.models import Environment
from governance.models import ApprovalRequest, AuditEvent, Membership
from releases.models import Deployment, Release

STATEFUL = {"release": "R", "deployment": "D", "approvalrequest": "A"}


def told() -> dict[str, Any]:
    """Fold every event, in the order of the chain, into states, memberships and holdings."""
    state: dict[str, Any] = {"members": set()}
    for body in AuditEvent.objects.order_by("link__position", "pk").values_list("body", flat=True):
        _apply(state, json.loads(body))
    return state


def _apply(state: dict[str, Any], body: dict[str, Any]) -> None:
    subject, facts = body["subject"], body["facts"]
    if subject["kind"] in STATEFUL:
        state[subject["ref"]] = subject["state"]
    if body["event"].startswith("membership."):
        member = (subject["ref"], facts["role"], facts["team"])
        change = state["members"].add if body["event"].endswith("granted") else _discard(state)
        change(member)
    if body["event"].startswith("environment.") and "hold_state" in facts:
        state[subject["ref"]] = (facts["digest"], facts["hold_state"])


def _discard(state: dict[str, Any]) -> Any:
    return state["members"].discard


def found() -> dict[str, Any]:
    """Read the same from the tables."""
    live = Membership.objects.filter(revoked_at=None).select_related("user", "team")
    state: dict[str, Any] = {
        "members": {(each.user.audit_ref, each.title, each.team.name) for each in live}
    }
    for model in (Release, Deployment, ApprovalRequest):
        state |= {each.audit_ref: str(each.state) for each in model.objects.all()}
    for environment in Environment.objects.exclude(hold_state="empty"):
        held = (environment.holds_digest, environment.hold_state)
        state[environment.audit_ref] = held
    return state
