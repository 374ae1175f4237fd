"""Founding, one-time links, signing in."""

from __future__ import annotations

import io
import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from core import clock
from core.errors import Conflict, DomainError, InvalidInput, NotAllowed, NotFound, NotNow
from governance import inbox, policies
from governance.management.commands.found import name_and_address
from governance.models import (
    AuditEvent,
    Invitation,
    Membership,
    Notice,
    PolicyVersion,
    SignInFailure,
    Team,
    User,
)
from governance.services import founding, invitations, people, signin
from governance.states import InvitationPurpose
from tests.governance.world import PASSWORD, World, acting, with_password

BOARD = [("Ana Lima", "ana@example.com"), ("Ben Okafor", "Ben@Example.com")]


def token_of(link: str) -> str:
    return link.rstrip("/").rpartition("/")[2]


@pytest.mark.django_db
def test_founding_makes_the_first_team_people_and_proposed_policies() -> None:
    founded = founding.found(team_name="Platform", board=BOARD)
    ana, ben = (founder.user for founder in founded.founders)
    roles = set(Membership.objects.values_list("user__full_name", "role"))
    assert roles == {
        ("Ana Lima", "board_member"),
        ("Ana Lima", "admin"),
        ("Ben Okafor", "board_member"),
    }
    assert founded.team.owns_production
    assert [row.policy.name for row in founded.proposals] == [
        "Production",
        "Integration",
        "Developer",
        "Break-glass",
        "Rollback",
        "Sandboxes",
    ]
    assert {row.proposed_by for row in founded.proposals} == {ana}
    assert not PolicyVersion.objects.exists()
    assert ben.email == "ben@example.com"
    assert founding.is_founded()


@pytest.mark.django_db
def test_admins_of_their_own_may_be_named() -> None:
    founding.found(team_name="Platform", board=BOARD, admins=[("Root Beer", "root@example.com")])
    assert Membership.objects.get(role="admin").user.full_name == "Root Beer"


@pytest.mark.django_db
def test_another_board_member_confirms_the_first_policies() -> None:
    founded = founding.found(team_name="Platform", board=BOARD)
    ana, ben = (founder.user for founder in founded.founders)
    with pytest.raises(NotAllowed):
        founding.confirm(ana)
    assert len(inbox.proposals_for(ben)) == len(founding.FIRST_POLICIES)
    versions = founding.confirm(ben)
    assert [(str(v), policies.quorum(v)) for v in versions] == [
        ("Production v1", 2),
        ("Integration v1", 0),
        ("Developer v1", 0),
        ("Break-glass v1", 2),
        ("Rollback v1", 1),
        ("Sandboxes v1", 1),
    ]
    assert inbox.proposals_for(ben) == []
    assert policies.board_policy() == versions[0]


@pytest.mark.django_db
def test_founding_happens_once() -> None:
    founding.found(team_name="Platform", board=BOARD)
    with pytest.raises(NotNow) as caught:
        founding.found(team_name="Second", board=BOARD)
    assert caught.value.code == "founding.done"
    assert Team.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("board", [[], BOARD[:1], [BOARD[0], ("Ana Again", "ANA@example.com")]])
def test_a_board_of_one_is_no_board(board: list[tuple[str, str]]) -> None:
    with pytest.raises(InvalidInput) as caught:
        founding.found(team_name="Platform", board=board)
    assert caught.value.code == "founding.board"
    assert not User.objects.exists()


@pytest.mark.django_db
def test_the_command_prints_one_link_per_person_and_refuses_twice() -> None:
    out = io.StringIO()
    named = ["--board", "Ana Lima <ana@example.com>", "--board", "Ben Okafor <ben@example.com>"]
    call_command("found", *named, stdout=out)
    links = re.findall(r"http://testserver/found/(\S+)/", out.getvalue())
    assert len(set(links)) == 2
    assert {invitations.find(token).user.full_name for token in links} == {
        "Ana Lima",
        "Ben Okafor",
    }
    with pytest.raises(CommandError, match="founded already"):
        call_command("found", *named, stdout=out)


@pytest.mark.parametrize("text", ["Ana", "ana@example.com", "Ana <nowhere>", ""])
def test_the_command_wants_a_name_and_an_address(text: str) -> None:
    with pytest.raises(CommandError, match=r"Name <mail@example\.com>"):
        name_and_address(text)


@pytest.mark.django_db
def test_a_link_sets_the_first_password_once_and_is_stored_nowhere() -> None:
    founded = founding.found(team_name="Platform", board=BOARD)
    founder = founded.founders[0]
    token = token_of(founder.link)
    assert not any(token in event.body for event in AuditEvent.objects.all())
    assert token not in str(list(Invitation.objects.values()))
    invitations.accept(token=token, password=PASSWORD)
    assert User.objects.get(pk=founder.user.pk).check_password(PASSWORD)
    with pytest.raises(NotFound):
        invitations.accept(token=token, password="another long password")
    assert User.objects.get(pk=founder.user.pk).check_password(PASSWORD)


@pytest.mark.parametrize("token", ["", "x", "é" * 10, "\udcff", "0" * 5000])
def test_a_link_that_nobody_made_is_unknown(world: World, token: str) -> None:
    with pytest.raises(NotFound) as caught:
        invitations.find(token)
    assert caught.value.code == "invitation.unknown"


def test_a_link_dies_with_time_with_the_account_and_with_a_newer_link(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = token_of(invitations.make_link(world.nils, InvitationPurpose.JOINING))
    second = token_of(invitations.make_link(world.nils, InvitationPurpose.JOINING))
    with pytest.raises(NotFound):
        invitations.find(first)
    assert invitations.find(second).user == world.nils
    later = clock.now() + invitations.LIFE + timedelta(seconds=1)
    with monkeypatch.context() as patched:
        patched.setattr(clock, "now", lambda: later)
        with pytest.raises(NotFound):
            invitations.find(second)
    with acting(world.ana):
        people.deactivate(user_id=world.nils.pk, reason="left")
    with pytest.raises(NotFound):
        invitations.find(second)


@pytest.mark.parametrize("password", ["short", "password1234", "nils@example.com"])
def test_a_weak_password_is_refused_and_the_link_lives_on(world: World, password: str) -> None:
    token = token_of(invitations.make_link(world.nils, InvitationPurpose.JOINING))
    with pytest.raises(InvalidInput) as caught:
        invitations.accept(token=token, password=password)
    assert (caught.value.code, caught.value.field) == ("person.password", "password")
    assert invitations.find(token).user == world.nils


def test_an_admin_invites_and_the_link_goes_by_e_mail(world: World) -> None:
    with acting(world.ana):
        user = invitations.invite(email=" New@Example.com ", full_name="New  Person")
        assert (user.email, user.full_name) == ("new@example.com", "New Person")
        invitations.invite_again(user_id=user.pk)
    first, second = Notice.objects.filter(recipient_email=user.email).order_by("id")
    links = [re.search(r"/found/(\S+)/", notice.text) for notice in (first, second)]
    with pytest.raises(NotFound):
        invitations.find(links[0][1])  # type: ignore[index]
    invitations.accept(token=links[1][1], password=PASSWORD)  # type: ignore[index]
    with acting(world.ana), pytest.raises(Conflict) as caught:
        invitations.invite_again(user_id=user.pk)
    assert caught.value.code == "person.joined"


INVITATIONS: dict[str, tuple[str, str, str]] = {
    "an address in use": ("DEV@example.com", "Dev", "person.exists"),
    "no address": ("dev", "Dev", "person.email"),
    "no name": ("x@example.com", " ", "person.name"),
}


@pytest.mark.parametrize("case", INVITATIONS, ids=list(INVITATIONS))
def test_an_invitation_is_refused(world: World, case: str) -> None:
    email, name, code = INVITATIONS[case]
    with acting(world.ana), pytest.raises(DomainError) as caught:
        invitations.invite(email=email, full_name=name)
    assert caught.value.code == code
    assert not Notice.objects.exists()


def sign_in(
    email: str = "ana@example.com", password: str = PASSWORD, address: str = "10.0.0.1"
) -> Any:
    return signin.authenticate(email=email, password=password, address=address)


def test_the_right_password_signs_in_whatever_the_case_of_the_address(world: World) -> None:
    with_password(world.ana)
    assert sign_in(" ANA@example.com ") == world.ana


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("ana@example.com", "wrong"),
        ("ana@example.com", ""),
        ("nobody@example.com", PASSWORD),
        ("nils@example.com", ""),
        ("nils@example.com", "!"),
        ("", ""),
    ],
    ids=["wrong", "empty", "nobody", "no password yet", "the unusable hash", "nothing"],
)
def test_every_wrong_pair_gets_the_same_answer(world: World, email: str, password: str) -> None:
    with_password(world.ana)
    with pytest.raises(InvalidInput) as caught:
        sign_in(email, password)
    assert caught.value.code == "signin.wrong"
    assert SignInFailure.objects.count() == 1


def test_closed_and_service_accounts_do_not_sign_in(world: World) -> None:
    with_password(world.dev)
    with acting(world.ana):
        people.deactivate(user_id=world.dev.pk, reason="left")
    with pytest.raises(InvalidInput):
        sign_in("dev@example.com")
    bot = User.objects.create(email="bot@example.com", full_name="Bot", kind="service")
    with_password(bot)
    with pytest.raises(InvalidInput):
        sign_in("bot@example.com")


def fail(times: int, **given: Any) -> None:
    for _ in range(times):
        with pytest.raises(InvalidInput):
            sign_in(**{"password": "wrong", **given})


def test_after_five_wrong_passwords_even_the_right_one_waits(world: World) -> None:
    with_password(world.ana)
    fail(5)
    with pytest.raises(NotNow) as caught:
        sign_in()
    assert caught.value.code == "signin.too_many"
    assert caught.value.message == "Too many wrong tries. Wait 15 minutes, then try again."
    assert sign_in(address="10.0.0.2") == world.ana, "another address is not locked out with it"
    told = AuditEvent.objects.get(event="person.last_try")
    assert told.sentence == (
        "Gatehouse counted 5 wrong passwords for Ana Lima; more are refused for 15 minutes"
    )


def test_all_addresses_of_an_ipv6_network_are_one(world: World) -> None:
    """Who has one address there has 2**64 of them."""
    with_password(world.ana)
    for number in range(5):
        fail(1, address=f"2001:db8:1:2:{number}::7")
    with pytest.raises(NotNow):
        sign_in(address="2001:db8:1:2:ffff::1")
    assert sign_in(address="2001:db8:1:3::1") == world.ana
    assert sign_in(address="::ffff:10.0.0.1") == world.ana


def test_an_ipv4_address_is_the_same_in_ipv6(world: World) -> None:
    with_password(world.ana)
    fail(3, address="10.0.0.1")
    fail(2, address="::ffff:10.0.0.1")
    with pytest.raises(NotNow):
        sign_in(address="10.0.0.1")


def test_the_count_runs_out_with_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with_password(world.ana)
    fail(5)
    later = clock.now() + signin.WINDOW
    monkeypatch.setattr(clock, "now", lambda: later)
    assert sign_in() == world.ana


def test_the_right_password_clears_the_count(world: World) -> None:
    with_password(world.ana)
    for _ in range(3):
        fail(4)
        sign_in()
    assert not SignInFailure.objects.exists()


def test_one_address_cannot_try_many_accounts(world: World) -> None:
    for number in range(signin.PER_ADDRESS):
        fail(1, email=f"guess{number}@example.com")
    with pytest.raises(NotNow):
        sign_in("one.more@example.com", "wrong")


def test_one_account_cannot_be_tried_from_many_addresses(world: World) -> None:
    with_password(world.ana)
    for number in range(signin.PER_ACCOUNT):
        fail(1, address=f"10.0.{number}.1")
    with pytest.raises(NotNow):
        sign_in(address="10.9.9.9")


def test_a_password_is_asked_again_under_the_same_limit(world: World) -> None:
    user = with_password(world.ana)
    signin.check_password(user, PASSWORD, "10.0.0.1")
    for _ in range(5):
        with pytest.raises(InvalidInput) as caught:
            signin.check_password(user, "wrong", "10.0.0.1")
        assert caught.value.field == "password"
    with pytest.raises(NotNow):
        signin.check_password(user, PASSWORD, "10.0.0.1")
    with pytest.raises(NotNow):
        sign_in()


def test_a_changed_password_is_told_without_being_told(world: World) -> None:
    with_password(world.dev)
    with acting(world.dev):
        invitations.change_password(password="another long password")
    assert User.objects.get(pk=world.dev.pk).check_password("another long password")
    event = AuditEvent.objects.get(event="person.password_changed")
    assert event.sentence == "Dev Patel changed the password"
    assert "another long" not in event.body
