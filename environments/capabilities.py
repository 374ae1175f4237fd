"""Who may do what with environments; joins the one table in ``governance.permissions``.

A team's lead looks after the team's own orgs. Production's track belongs to the installation:
admins connect it, release managers and the board may look.
"""

from __future__ import annotations

from governance.permissions import Rule, register
from governance.states import INSTALLATION_ROLES, Role

CAPABILITIES: dict[str, Rule] = {
    "environment.manage": Rule(roles=(Role.TEAM_LEAD, Role.ADMIN), scope="team"),
    "environment.manage_production": Rule(roles=(Role.ADMIN,), scope="installation"),
    # Whoever looks after orgs must not choose how many people have to agree.
    "environment.set_policy": Rule(roles=(Role.BOARD_MEMBER,), scope="installation"),
    "environment.probe": Rule(
        roles=(Role.DEVELOPER, Role.TEAM_LEAD, Role.RELEASE_MANAGER, Role.ADMIN), scope="team"
    ),
    "environment.probe_production": Rule(
        roles=(Role.RELEASE_MANAGER, Role.BOARD_MEMBER, Role.ADMIN), scope="installation"
    ),
    "sandbox.ask": Rule(
        roles=(Role.DEVELOPER, Role.TEAM_LEAD, Role.RELEASE_MANAGER, Role.ADMIN), scope="team"
    ),
    "sandbox.ask_production": Rule(
        roles=(Role.RELEASE_MANAGER, Role.BOARD_MEMBER, Role.ADMIN), scope="installation"
    ),
    "sandbox.read": Rule(
        roles=(Role.RELEASE_MANAGER, Role.BOARD_MEMBER, Role.ADMIN), scope="installation"
    ),
    "sandbox.licences": Rule(roles=(Role.RELEASE_MANAGER, Role.ADMIN), scope="installation"),
    # Stopping is cheap. Lifting what covers a protected environment is decided under the board's
    # policy, which says whose approval counts.
    "calendar.freeze": Rule(
        roles=(Role.RELEASE_MANAGER, Role.BOARD_MEMBER, Role.ADMIN), scope="installation"
    ),
    "calendar.freeze_team": Rule(
        roles=(Role.TEAM_LEAD, Role.RELEASE_MANAGER, Role.BOARD_MEMBER, Role.ADMIN), scope="team"
    ),
    "calendar.stop": Rule(
        roles=(Role.RELEASE_MANAGER, Role.BOARD_MEMBER, Role.ADMIN), scope="installation"
    ),
    "calendar.decide": Rule(
        roles=tuple(role for role in Role if role in INSTALLATION_ROLES and role != Role.AUDITOR),
        scope="installation",
    ),
    "calendar.import": Rule(roles=(Role.RELEASE_MANAGER, Role.ADMIN), scope="installation"),
}

register(CAPABILITIES)
