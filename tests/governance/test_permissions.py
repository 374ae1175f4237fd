"""The table of capabilities, and who may give and take roles."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser

from core.context import Actor, acting_as
from core.errors import Conflict, DomainError, InvalidInput, NotAllowed, NotFound, NotNow
from governance import permissions
from governance.models import AuditEvent, Membership, Team, User
from governance.permissions import Rule, can, demand, standing_of
from governance.selectors import people as selectors
from governance.services import people
from governance.states import Role
from tests.governance.world import World, acting

EVERYBODY = ("ana", "ben", "cleo", "rita", "otto", "lena", "dev", "nils")
OWN: dict[str, set[str]] = {
    "team.create": {"ana"},
    "team.edit": {"ana"},
    "person.invite": {"ana"},
    "person.deactivate": {"ana"},
    "identity.map": {"ana"},
    "member.developer": {"ana", "lena"},
    "member.team_lead": {"ana"},
    "member.release_manager": {"ana"},
    "member.auditor": {"ana"},
    "member.admin": {"ana"},
    "seat.ask": {"ana", "ben", "cleo", "rita"},
    "seat.revoke": {"ana", "ben", "cleo"},
    "matter.cancel": {"ana", "ben", "cleo"},
    "person.reset": {"ana", "ben", "cleo"},
    "service.manage": {"ana"},
    "policy.propose": {"ana", "ben", "cleo", "rita"},
    "policy.confirm": {"ana", "ben", "cleo"},
}
"""Who of the world holds which capability, where team capabilities are asked for Sales."""


def test_who_may_do_what(world: World) -> None:
    held = {
        capability: {
            name for name in EVERYBODY if can(world.by_name[name], capability, world.sales)
        }
        for capability in OWN
    }
    assert held == OWN


def test_the_expectation_covers_every_capability_of_this_app() -> None:
    areas = {"team", "person", "identity", "member", "policy", "seat", "matter", "service"}
    mine = {name for name in permissions.CAPABILITIES if name.partition(".")[0] in areas}
    assert mine == set(OWN)


def test_a_role_of_one_team_gives_nothing_in_another(world: World) -> None:
    other = Team.objects.create(slug="service", name="Service")
    assert can(world.lena, "member.developer", world.sales)
    assert not can(world.lena, "member.developer", other)
    assert not can(world.lena, "member.developer")


def test_unknown_capabilities_and_strangers_are_denied(world: World) -> None:
    assert can(world.ana, "made.up").code == "permission.unknown"
    assert can(AnonymousUser(), "team.create").code == "permission.signed_out"
    assert can(None, "team.create").code == "permission.signed_out"


def test_a_denial_names_the_roles_that_would_do(world: World) -> None:
    answer = can(world.dev, "member.developer", world.sales)
    assert answer.reason == (
        "This needs the role team lead or admin of Sales, which you do not have. "
        "Ask an admin of the team that owns production."
    )


def test_roles_are_those_of_this_moment(world: World) -> None:
    user = User.objects.get(pk=world.lena.pk)
    assert can(user, "member.developer", world.sales)
    with acting(world.ana):
        people.revoke(membership_id=user.memberships.get().pk)
    assert not can(user, "member.developer", world.sales)


def test_a_closed_account_and_a_retired_team_give_no_rights(world: World) -> None:
    with acting(world.ana):
        people.deactivate(user_id=world.lena.pk, reason="left")
        people.retire_team(team_id=world.sales.pk)
    assert not standing_of(world.lena).is_member
    assert not standing_of(world.dev).is_member


def test_demand_speaks_for_the_acting_person_only(world: World) -> None:
    with acting(world.ana):
        demand("team.create")
    with acting(world.dev), pytest.raises(NotAllowed) as caught:
        demand("team.create")
    assert caught.value.facts == {"capability": "team.create"}
    for actor in (Actor("worker", None, "w"), Actor("system", None, "s")):
        with acting_as(actor), pytest.raises(NotAllowed) as caught:
            demand("team.create")
        assert caught.value.code == "permission.not_a_person"


def test_a_capability_of_the_installation_takes_no_team_role() -> None:
    with pytest.raises(ValueError, match="team's role"):
        Rule((Role.TEAM_LEAD,), "installation")


def test_one_capability_cannot_have_two_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(permissions, "CAPABILITIES", {"a.b": Rule((Role.ADMIN,), "installation")})
    permissions.register({"a.b": Rule((Role.ADMIN,), "installation")})
    with pytest.raises(ValueError, match="twice"):
        permissions.register({"a.b": Rule((Role.AUDITOR,), "installation")})


GRANTS: dict[str, tuple[str, str, str, str, type[DomainError] | None, str]] = {
    "a lead adds a developer": ("lena", "nils", "sales", "developer", None, ""),
    "a lead adds no lead": (
        "lena",
        "nils",
        "sales",
        "team_lead",
        NotAllowed,
        "permission.denied",
    ),
    "a developer adds nobody": (
        "dev",
        "nils",
        "sales",
        "developer",
        NotAllowed,
        "permission.denied",
    ),
    "an admin adds a lead": ("ana", "nils", "sales", "team_lead", None, ""),
    "an admin adds a manager": ("ana", "nils", "platform", "release_manager", None, ""),
    "a board member adds no board member": (
        "ben",
        "nils",
        "platform",
        "board_member",
        NotAllowed,
        "member.governed",
    ),
    "a board member adds no admin": (
        "ben",
        "nils",
        "platform",
        "admin",
        NotAllowed,
        "permission.denied",
    ),
    "nobody adds themselves": ("ana", "ana", "platform", "auditor", NotAllowed, "member.self"),
    "a board seat in a team": (
        "ana",
        "nils",
        "sales",
        "board_member",
        InvalidInput,
        "member.place",
    ),
    "an unheard-of role": ("ana", "nils", "sales", "king", InvalidInput, "member.role"),
    "the same role again": ("ana", "dev", "sales", "developer", Conflict, "member.already"),
}


@pytest.mark.parametrize("case", GRANTS, ids=list(GRANTS))
def test_giving_a_role(world: World, case: str) -> None:
    actor, name, place, role, error, code = GRANTS[case]
    team = {"sales": world.sales, "platform": world.platform}[place]
    before = Membership.objects.count()
    with acting(world.by_name[actor]):
        if error is None:
            row = people.grant(user_id=world.by_name[name].pk, team_id=team.pk, role=role)
            assert (row.user, row.team, row.role, row.granted_by) == (
                world.by_name[name],
                team,
                role,
                world.by_name[actor],
            )
            return
        with pytest.raises(error) as caught:
            people.grant(user_id=world.by_name[name].pk, team_id=team.pk, role=role)
    assert caught.value.code == code
    assert Membership.objects.count() == before


def test_an_admin_who_is_not_on_the_board_cannot_make_approvers(world: World) -> None:
    with acting(world.ana):
        people.grant(user_id=world.rita.pk, team_id=world.platform.pk, role="admin")
    with acting(world.rita), pytest.raises(NotAllowed) as caught:
        people.grant(user_id=world.nils.pk, team_id=world.platform.pk, role="board_member")
    assert caught.value.code == "member.governed"


def test_closed_accounts_and_retired_teams_get_no_roles(world: World) -> None:
    with acting(world.ana):
        people.deactivate(user_id=world.nils.pk, reason="left")
        with pytest.raises(NotNow) as caught:
            people.grant(user_id=world.nils.pk, team_id=world.sales.pk, role="developer")
        assert caught.value.code == "member.inactive"
        people.retire_team(team_id=world.sales.pk)
        with pytest.raises(NotNow) as caught:
            people.grant(user_id=world.rita.pk, team_id=world.sales.pk, role="developer")
        assert caught.value.code == "team.retired"


def test_taking_a_role_is_told_in_the_history_and_can_be_given_again(world: World) -> None:
    row = world.dev.memberships.get()
    with acting(world.lena):
        people.revoke(membership_id=row.pk)
        with pytest.raises(Conflict):
            people.revoke(membership_id=row.pk)
        people.grant(user_id=world.dev.pk, team_id=world.sales.pk, role="developer")
    told = AuditEvent.objects.filter(event__startswith="membership.").order_by("-id")[:2]
    assert [event.sentence for event in told] == [
        "Lena Wolf made Dev Patel developer of Sales",
        "Lena Wolf took the role developer of Sales from Dev Patel",
    ]
    assert told[0].related == [f"user:{world.dev.pk}", "team:sales"]


def test_the_only_admin_stays(world: World) -> None:
    row = world.ana.memberships.get(role="admin")
    with acting(world.ana), pytest.raises(NotNow) as caught:
        people.revoke(membership_id=row.pk)
    assert caught.value.code == "member.last_admin"


def test_an_admin_may_take_a_board_seat_but_a_release_manager_may_not(world: World) -> None:
    seat = world.cleo.memberships.get(role="board_member")
    with acting(world.rita), pytest.raises(NotAllowed):
        people.revoke(membership_id=seat.pk)
    with acting(world.ana):
        people.revoke(membership_id=seat.pk)


def test_nobody_closes_their_own_account_and_a_reason_is_needed(world: World) -> None:
    with acting(world.ana):
        with pytest.raises(NotAllowed):
            people.deactivate(user_id=world.ana.pk, reason="bye")
        with pytest.raises(InvalidInput):
            people.deactivate(user_id=world.dev.pk, reason=" ")


def test_a_board_member_does_not_come_back_by_an_admins_hand(world: World) -> None:
    with acting(world.ana):
        people.deactivate(user_id=world.cleo.pk, reason="on leave")
        with pytest.raises(NotNow) as caught:
            people.reactivate(user_id=world.cleo.pk)
        assert caught.value.code == "person.on_the_board"
        people.deactivate(user_id=world.dev.pk, reason="on leave")
        people.reactivate(user_id=world.dev.pk)
    assert standing_of(world.dev).is_member


TEAM_FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "without a name": ({"name": "  "}, "team.name"),
    "with an endless name": ({"name": "x" * 81}, "team.name"),
    "with the name of another": ({"name": "SALES"}, "team.name_taken"),
    "with a name that looks like another's": (
        {"name": "Sa\u200bles", "slug": "apart"},
        "team.name_taken",
    ),
    "with the short name of another": ({"name": "New", "slug": "sales"}, "team.slug_taken"),
    "with a strange short name": ({"name": "New", "slug": "Ünï code"}, "team.slug"),
    "with a page's name": ({"name": "Novel", "slug": "new"}, "team.slug"),
    "with nothing to make a short name of": ({"name": "日本"}, "team.slug"),
}


@pytest.mark.parametrize("case", TEAM_FAULTS, ids=list(TEAM_FAULTS))
def test_a_team_is_refused(world: World, case: str) -> None:
    given, code = TEAM_FAULTS[case]
    with acting(world.ana), pytest.raises(DomainError) as caught:
        people.create_team(**given)
    assert caught.value.code == code
    assert Team.objects.count() == 2


def test_a_team_is_renamed_and_keeps_its_address(world: World) -> None:
    with acting(world.ana):
        people.rename_team(team_id=world.sales.pk, name="Selling")
        people.rename_team(team_id=world.sales.pk, name="SELLING")
        with pytest.raises(Conflict):
            people.rename_team(team_id=world.sales.pk, name="platform")
    assert Team.objects.get(pk=world.sales.pk).slug == "sales"
    assert AuditEvent.objects.filter(event="team.renamed").count() == 2


def test_the_owner_of_production_is_not_retired(world: World) -> None:
    with acting(world.ana), pytest.raises(NotNow):
        people.retire_team(team_id=world.platform.pk)


def test_whose_address_is_whose(world: World) -> None:
    with acting(world.ana):
        people.map_identity(email="Dev@Home.example", user_id=world.dev.pk)
        with pytest.raises(Conflict):
            people.map_identity(email="dev@home.example", user_id=world.lena.pk)
        with pytest.raises(InvalidInput):
            people.map_identity(email="dev", user_id=world.lena.pk)
        with pytest.raises(NotFound):
            people.map_identity(email="x@home.example", user_id=10**9)
    found = selectors.resolve_identities(
        [("DEV@home.example", "d"), ("Lena@Example.com", "l"), ("who@x.example", "Who")]
    )
    assert found.mapped == {"dev@home.example": world.dev, "lena@example.com": world.lena}
    assert found.unmapped == {"who@x.example": "Who"}


def test_a_wrong_match_is_ended_and_the_address_is_unknown_again(world: World) -> None:
    with acting(world.ana):
        row = people.map_identity(email="a@b.example", user_id=world.dev.pk)
        people.end_identity(identity_id=row.pk)
        with pytest.raises(NotFound):
            people.end_identity(identity_id=row.pk)
        people.map_identity(email="a@b.example", user_id=world.lena.pk)
    assert selectors.resolve_identities([("a@b.example", "x")]).mapped == {
        "a@b.example": world.lena
    }


def test_members_and_holders_are_the_active_ones(world: World) -> None:
    assert selectors.members(world.sales) == [world.dev, world.lena]
    assert selectors.members(world.sales, Role.TEAM_LEAD) == [world.lena]
    assert selectors.members(None) == []
    assert selectors.holders([Role.BOARD_MEMBER]) == [world.ana, world.ben, world.cleo]
    with acting(world.ana):
        people.deactivate(user_id=world.cleo.pk, reason="left")
    assert selectors.holders([Role.BOARD_MEMBER]) == [world.ana, world.ben]


def test_ones_own_account(world: World) -> None:
    with acting(world.dev):
        people.edit_own_account(full_name="Dev  Patel Singh", zone="Asia/Kolkata")
        people.edit_own_account(full_name="Dev Patel Singh", zone="Asia/Kolkata")
        with pytest.raises(InvalidInput):
            people.edit_own_account(full_name=" ", zone="UTC")
        with pytest.raises(InvalidInput) as caught:
            people.edit_own_account(full_name="Dev", zone="Mars/Olympus")
    assert caught.value.field == "zone"
    events = AuditEvent.objects.filter(event="person.edited")
    assert [event.sentence for event in events] == [
        "Dev Patel changed the name and the time zone of Dev Patel Singh"
    ]
