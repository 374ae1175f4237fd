"""Founding an installation: the first team, the first people, the first rules.

Happens once, on the host, without a web page. One member of the board proposes the first policies
and another confirms them, so that even the first version has two people behind it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.text import slugify

from core.context import Actor, acting_as
from core.db import advisory_lock, database_now
from core.errors import InvalidInput, NotNow
from governance import audit, policies
from governance.models import Membership, PolicyProposal, PolicyVersion, Team, User
from governance.rules.addresses import written
from governance.services import invitations
from governance.states import InvitationPurpose, ProposalState, Role

BOARD_MIN = 2

PRODUCTION: dict[str, Any] = {
    "approvals": [{"number": 2, "roles": ["board_member"], "team": None, "when": "always"}],
    "checks": ["user_tests", "rehearsed", "validated"],
    "expires_hours": 168,
    "test_level": "RunLocalTests",
}
UNGUARDED: dict[str, Any] = {
    "approvals": [],
    "expires_hours": 168,
    "test_level": "RunLocalTests",
}
EMERGENCY: dict[str, Any] = {
    "approvals": [
        {
            "number": 2,
            "roles": ["emergency_approver", "board_member"],
            "team": None,
            "when": "always",
        }
    ],
    "expires_hours": 4,
    "test_level": "RunLocalTests",
}
GOING_BACK: dict[str, Any] = {
    "approvals": [{"number": 1, "roles": ["board_member"], "team": None, "when": "always"}],
    "expires_hours": 24,
    "test_level": "RunLocalTests",
}
SANDBOXES: dict[str, Any] = {
    "approvals": [
        {
            "number": 1,
            "roles": ["release_manager", "board_member"],
            "team": None,
            "when": "always",
        }
    ],
    "expires_hours": 168,
    "test_level": "NoTestRun",
}
BOARD_POLICY = "Production"
"""The first of the policies also governs the board's own acts."""

FIRST_POLICIES: dict[str, dict[str, Any]] = {
    "Production": PRODUCTION,
    "Integration": UNGUARDED,
    "Developer": UNGUARDED,
    "Break-glass": EMERGENCY,
    "Rollback": GOING_BACK,
    "Sandboxes": SANDBOXES,
}
"""The policies that an installation begins with; the board changes them as any other."""


@dataclass(frozen=True, slots=True)
class Founder:
    """One of the first people and the one-time link that lets them in."""

    user: User
    link: str


@dataclass(frozen=True, slots=True)
class Founding:
    """What was founded."""

    team: Team
    founders: list[Founder]
    proposals: list[PolicyProposal]


@transaction.atomic
def found(
    *,
    team_name: str,
    board: Sequence[tuple[str, str]],
    admins: Sequence[tuple[str, str]] = (),
) -> Founding:
    """Found the installation; ``board`` and ``admins`` are (name, e-mail address) pairs.

    Without admins the first of the board is admin as well. Each person gets one link.

    Codes: ``founding.done`` (it happens once), ``founding.board`` (at least two different people).
    """
    advisory_lock("founding")
    if Team.objects.filter(owns_production=True).exists():
        raise NotNow(
            "founding.done",
            "This installation was founded already. Its admins and board change it from here on.",
        )
    _check_board(board)
    team = Team.objects.create(
        name=team_name, slug=slugify(team_name) or "platform", owns_production=True
    )
    people: dict[str, User] = {}
    for role, pairs in ((Role.BOARD_MEMBER, board), (Role.ADMIN, admins or board[:1])):
        for name, email in pairs:
            user = people.get(written(email))
            if user is None:
                user = invitations.create_person(email=email, full_name=name)
                people[user.email] = user
            _seat(user, team, role)
    board_members = [people[written(email)] for _, email in board]
    _record(team, board_members)
    proposals = _propose_first_policies(board_members[0])
    founders = [
        Founder(user, invitations.make_link(user, InvitationPurpose.FOUNDING))
        for user in people.values()
    ]
    return Founding(team, founders, proposals)


def confirm(user: User) -> list[PolicyVersion]:
    """Confirm the first policies in the name of a board member other than their proposer."""
    with acting_as(Actor("person", user.pk, user.full_name)):
        rows = PolicyProposal.objects.filter(state=ProposalState.OPEN, based_on=None)
        return [policies.confirm(proposal_id=row.pk) for row in rows.order_by("pk")]


def is_founded() -> bool:
    """Tell whether there is an installation to sign in to."""
    return Team.objects.filter(owns_production=True).exists()


def _check_board(board: Sequence[tuple[str, str]]) -> None:
    if len({written(email) for _, email in board}) < BOARD_MIN:
        raise InvalidInput(
            "founding.board",
            f"A release board needs at least {BOARD_MIN} different people, because two of them "
            "approve together. Name each with --board “Name <mail>”.",
        )


def _seat(user: User, team: Team, role: Role) -> None:
    Membership.objects.create(user=user, team=team, role=role, granted_at=database_now())


def _record(team: Team, board: list[User]) -> None:
    with acting_as(Actor("system", None, "manage.py found")):
        names = [user.full_name for user in board]
        audit.record("installation.founded", team, team=team, facts={"board": names})
        for membership in Membership.objects.filter(team=team).select_related("user"):
            audit.record(
                "membership.granted",
                membership.user,
                related=[team],
                team=team,
                facts={"role": membership.title, "team": team.name},
            )


def _propose_first_policies(proposer: User) -> list[PolicyProposal]:
    with acting_as(Actor("person", proposer.pk, proposer.full_name)):
        return [
            policies.create(
                name=name, body=body, reason="founding", governs_board=name == BOARD_POLICY
            )
            for name, body in FIRST_POLICIES.items()
        ]
