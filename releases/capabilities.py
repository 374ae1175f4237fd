"""Who may do what in this app; joins the one table in ``governance.permissions``."""

from __future__ import annotations

from governance.permissions import Rule, register

DEVELOPER = "developer"
LEAD = "team_lead"
MANAGER = "release_manager"
BOARD = "board_member"
SECURITY = "security_approver"
EMERGENCY = "emergency_approver"
ADMIN = "admin"
AUDITOR = "auditor"

CAPABILITIES: dict[str, Rule] = {
    "repository.connect": Rule(roles=(LEAD, ADMIN), scope="team"),
    "repository.fetch": Rule(roles=(DEVELOPER, LEAD, MANAGER), scope="team"),
    "build.start": Rule(roles=(DEVELOPER, LEAD), scope="team"),
    "candidate.create": Rule(roles=(DEVELOPER, LEAD), scope="team"),
    "candidate.test": Rule(roles=(DEVELOPER, LEAD), scope="team"),
    "candidate.offer": Rule(roles=(LEAD,), scope="team"),
    "deployment.cancel_team": Rule(roles=(DEVELOPER, LEAD, MANAGER), scope="team"),
    "release.compose": Rule(roles=(MANAGER,), scope="installation"),
    "conflict.decide": Rule(roles=(LEAD, MANAGER), scope="team"),
    "release.deploy": Rule(roles=(MANAGER,), scope="installation"),
    "release.break_glass": Rule(roles=(MANAGER, BOARD), scope="installation"),
    "break_glass.review": Rule(roles=(BOARD, ADMIN), scope="installation"),
    "release.review": Rule(roles=(MANAGER, BOARD), scope="installation"),
    "release.runbook": Rule(roles=(MANAGER,), scope="installation"),
    "canary.ask": Rule(roles=(ADMIN, BOARD), scope="installation"),
    "release.decide": Rule(roles=(BOARD, SECURITY, EMERGENCY), scope="installation"),
    "deployment.cancel": Rule(roles=(MANAGER, BOARD, ADMIN), scope="installation"),
    "evidence.make": Rule(roles=(AUDITOR, BOARD, MANAGER, ADMIN), scope="installation"),
    "evidence.sample": Rule(roles=(AUDITOR, BOARD), scope="installation"),
    "observation.explain": Rule(roles=(MANAGER, BOARD, ADMIN), scope="installation"),
    "deployment.settle": Rule(roles=(MANAGER, ADMIN), scope="installation"),
}

register(CAPABILITIES)
