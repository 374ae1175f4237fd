"""Who may do what with environments; joins the one table in ``governance.permissions``.

A team's lead looks after the team's own orgs. Production's track belongs to the installation:
admins connect it, release managers and the board may look.
"""

from __future__ import annotations

from governance.permissions import Rule, register
from governance.states import Role

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
}

register(CAPABILITIES)
