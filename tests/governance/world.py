"""A founded installation with people in every role, made through the services.

Ana, Ben and Cleo are on the release board (Ana is admin too); Rita manages releases; Otto audits;
Sales has Lena (team lead) and Dev (developer); Nils has an account and no role.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from unittest import mock

from django.conf import settings
from django.test import override_settings

from core.context import Actor, acting_as
from core.db import database_now
from core.digests import sha256_text
from governance import approvals, policies, policy_changes
from governance.models import (
    ApprovalRequest,
    Matter,
    Membership,
    Policy,
    PolicyVersion,
    Team,
    User,
)
from governance.services import founding, invitations, matters, people, seats
from tests.support.databases import as_role

PASSWORD = "correct horse battery"
KIND = "test.subject"
DIGEST = sha256_text(b"what is approved")
OTHER_DIGEST = sha256_text(b"something else")


@dataclass
class World:
    """People by first name, teams, and the policy of production."""

    platform: Team
    sales: Team
    production: PolicyVersion
    by_name: dict[str, User] = field(default_factory=dict)

    def __getattr__(self, name: str) -> User:
        try:
            return self.by_name[name]
        except KeyError:
            raise AttributeError(name) from None

    def copy(self) -> World:
        """Return the same with objects of its own."""
        return World(*deepcopy((self.platform, self.sales, self.production, self.by_name)))


def needs(
    number: int, *roles: str, team: str | None = None, when: str = "always"
) -> dict[str, Any]:
    """One rule of approval as a part of a policy's body; none for the number 0."""
    rule = {"number": number, "roles": list(roles) or ["board_member"], "team": team, "when": when}
    return {"approvals": [rule] if number else []}


@contextmanager
def acting(user: User) -> Iterator[None]:
    """Act as a person."""
    with acting_as(Actor("person", user.pk, user.full_name)):
        yield


def make() -> World:
    """Found the installation and fill every role."""
    # What these tests propose speaks of people only, so the first version does as well.
    people_only = {**founding.PRODUCTION, "checks": []}
    with mock.patch.dict(founding.FIRST_POLICIES, {"Production": people_only}):
        founded = founding.found(
            team_name="Platform",
            board=[
                ("Ana Lima", "ana@example.com"),
                ("Ben Okafor", "ben@example.com"),
                ("Cleo Sand", "cleo@example.com"),
            ],
        )
    ana, ben, cleo = (founder.user for founder in founded.founders)
    founding.confirm(ben)
    production = PolicyVersion.objects.get(policy__name="Production")
    world = World(founded.team, founded.team, production, {"ana": ana, "ben": ben, "cleo": cleo})
    for name in ("Rita Moss", "Otto Bein", "Lena Wolf", "Dev Patel", "Nils Lind"):
        first = name.partition(" ")[0].lower()
        world.by_name[first] = invitations.create_person(
            email=f"{first}@example.com", full_name=name
        )
    with acting(ana):
        world.sales = people.create_team(name="Sales")
        _grant(world, "rita", world.platform, "release_manager")
        _grant(world, "otto", world.platform, "auditor")
        _grant(world, "lena", world.sales, "team_lead")
        _grant(world, "dev", world.sales, "developer")
    return world


def _grant(world: World, name: str, team: Team, role: str) -> None:
    people.grant(user_id=world.by_name[name].pk, team_id=team.pk, role=role)


@contextmanager
def without_delay() -> Iterator[None]:
    """Let what the board approves take effect at once."""
    with override_settings(GATEHOUSE=replace(settings.GATEHOUSE, board_delay_hours=0)):
        yield


def seat(world: World, name: str, role: str = "board_member") -> Membership:
    """Give somebody a seat the only way there is: the board approves, and the delay passes."""
    with without_delay():
        with acting(world.by_name[name]):
            matter = seats.ask(user_id=world.by_name[name].pk, role=role, reason="needed")
        for member in [each for each in ("ana", "ben", "cleo") if each != name][:2]:
            approve_matter(world.by_name[member], matter)
    with as_role("build"), acting_as(Actor("worker", None, "build-1")):
        given = seats.take_effect(matter.pk)
    assert given is not None
    return given


def approve_matter(user: User, matter: Matter, verdict: str = "approve") -> None:
    """Decide on a matter of the board."""
    with acting(user):
        matters.decide(
            matter_id=matter.pk,
            verdict=verdict,
            comment="so be it",
            shown_digest=matters.digest_of(matters.find(matter.pk)),
            auth_strength="password",
        )


def with_password(user: User) -> User:
    """Give a person the password of all tests."""
    invitations.set_password(user, PASSWORD)
    return user


class Subject:
    """An app that asks for approvals: remembers what it was told."""

    def __init__(self) -> None:
        self.outcomes: list[tuple[int, str]] = []

    def outcome(self, request_id: int) -> None:
        """Remember the state at the moment of the call."""
        state = ApprovalRequest.objects.values_list("state", flat=True).get(pk=request_id)
        self.outcomes.append((request_id, state))

    @staticmethod
    def describe(numbers: Collection[int]) -> dict[int, tuple[str, ...]]:
        """Describe subjects for the inbox."""
        return dict.fromkeys(numbers, ("2 teams",))


def propose(world: World, name: str, body: dict[str, Any], policy: Policy | None = None) -> Any:
    """Propose the next version of a policy (Production's, unless told otherwise)."""
    with acting(world.by_name[name]):
        return policies.propose(policy_id=(policy or world.production.policy).pk, body=body)


def answer(world: World, name: str, proposal: Any, **changes: Any) -> Any:
    """Decide on a proposed version as a person."""
    arguments: dict[str, Any] = {
        "proposal_id": proposal.pk,
        "verdict": "approve",
        "comment": "",
        "shown_digest": policy_changes.question_digest(proposal),
        "auth_strength": "password",
    }
    with acting(world.by_name[name]):
        return policies.decide(**(arguments | changes))


def change_policy(
    world: World, body: dict[str, Any], *, by: str = "rita", policy: Policy | None = None
) -> PolicyVersion:
    """Have the next version of a policy proposed and approved by two of the board."""
    proposal = propose(world, by, body, policy)
    for name in [name for name in ("ana", "ben", "cleo") if name != by][:2]:
        proposal.refresh_from_db(fields=["state"])
        if proposal.state == "open":
            answer(world, name, proposal)
    version = proposal.policy.current
    assert isinstance(version, PolicyVersion)
    assert version.body == proposal.body
    return version


def ask(world: World, **changes: Any) -> ApprovalRequest:
    """Open a request as Rita; any argument of open_request can be replaced."""
    arguments: dict[str, Any] = {
        "kind": KIND,
        "subject_id": 42,
        "digest": DIGEST,
        "policy_version": world.production,
        "requester": world.rita,
        "exclusions": [],
        "unmapped": [],
        "expires_at": database_now() + timedelta(hours=1),
        "label": "R-42 for Production (A·9f3c2e1)",
        "url": "/releases/R-42/",
    }
    with acting(world.rita):
        return approvals.open_request(**(arguments | changes))


def decide(user: User, request: ApprovalRequest, **changes: Any) -> Any:
    """Decide as a person; approves the asked digest unless told otherwise."""
    arguments: dict[str, Any] = {
        "request_id": request.pk,
        "verdict": "approve",
        "comment": "",
        "shown_digest": DIGEST,
        "current_digest": DIGEST,
        "auth_strength": "password",
    }
    with acting(user):
        return approvals.decide(**(arguments | changes))
