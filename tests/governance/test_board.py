"""Seats and resets: decided by the board, after a delay, seen by everybody."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.utils import Error as DatabaseError
from django.test import Client
from django.urls import reverse

from core.context import Actor, acting_as
from core.db import database_now
from core.errors import Conflict, InvalidInput, NotAllowed, NotFound, NotNow
from governance import governed, inbox
from governance.models import AuditEvent, GitIdentity, Invitation, Matter, Notice, User
from governance.permissions import standing_of
from governance.services import matters, people, resets, seats
from governance.states import APPROVERS, Role
from tests.governance.test_pages import sign_in_as, words
from tests.governance.world import (
    PASSWORD,
    World,
    acting,
    approve_matter,
    ask,
    decide,
    seat,
    with_password,
    without_delay,
)
from tests.support.databases import as_role

LONG = "a brand new password"


def put_up(world: World, name: str = "nils", role: str = "board_member") -> Matter:
    with acting(world.rita):
        return seats.ask(user_id=world.by_name[name].pk, role=role, reason="Ben is leaving")


def by_worker(matter: Matter) -> Any:
    with as_role("build"), acting_as(Actor("worker", None, "build-1")):
        return seats.take_effect(matter.pk)


def state_of(matter: Matter) -> str:
    return Matter.objects.values_list("state", flat=True).get(pk=matter.pk)


def used(matter: Matter) -> str:
    """Say how the question about a matter was used; it is never told as expired."""
    request = matters.request_of(matter)
    assert request is not None
    assert (request.state, request.closed_at is not None) == ("used", True)
    assert AuditEvent.objects.filter(event="approval.used").count() == 1
    return request.note


def link_in_last_mail() -> str:
    text = Notice.objects.filter(text__contains="/found/").latest("pk").text
    return text.partition("/found/")[2].partition("/")[0]


def test_which_roles_are_governed_follows_the_policies(world: World) -> None:
    assert governed.roles() == APPROVERS
    assert governed.is_holder(world.ana)
    assert not governed.is_holder(world.rita)


def test_a_seat_is_decided_by_the_board_and_begins_after_the_delay(world: World) -> None:
    matter = put_up(world)
    approve_matter(world.ana, matter)
    assert state_of(matter) == "asked"
    approve_matter(world.ben, matter)
    matter.refresh_from_db()
    assert matter.state == "approved"
    assert matter.effective_at is not None
    assert matter.effective_at > database_now() + timedelta(hours=23)
    assert by_worker(matter) is None
    with pytest.raises(DatabaseError, match="nothing was carried out"), transaction.atomic():
        matters.use_approval(matter, "said, not done")
    assert not standing_of(world.nils).is_member


def test_with_the_delay_over_a_worker_gives_the_seat(world: World) -> None:
    given = seat(world, "nils")
    assert (given.user, given.role, given.team) == (world.nils, "board_member", world.platform)
    told = AuditEvent.objects.get(event="seat.taken")
    assert told.sentence == (
        "Gatehouse gave Nils Lind the role board member of Platform, as the release board approved"
    )
    matter = Matter.objects.get()
    assert matter.state == "done"
    assert used(matter) == "the seat was given"


def test_whom_it_is_about_and_who_asks_do_not_decide(world: World) -> None:
    matter = put_up(world, "ana", "security_approver")
    for user in (world.ana, world.rita):
        with pytest.raises(NotAllowed):
            approve_matter(user, matter)


def test_whoever_may_not_ask_is_refused_but_anybody_puts_themselves_up(world: World) -> None:
    with acting(world.dev), pytest.raises(NotAllowed):
        seats.ask(user_id=world.nils.pk, role="board_member", reason="friend")
    with acting(world.dev):
        assert seats.ask(user_id=world.dev.pk, role="board_member", reason="me").pk


BAD: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "no reason": ({"reason": " "}, InvalidInput, "matter.reason"),
    "an unknown role": ({"role": "king"}, InvalidInput, "seat.role"),
    "a role that admins give": ({"role": "auditor"}, NotAllowed, "seat.not_governed"),
    "nobody": ({"user_id": 987654}, NotFound, "person.unknown"),
}


@pytest.mark.parametrize("case", BAD, ids=list(BAD))
def test_a_seat_is_refused(world: World, case: str) -> None:
    changes, error, code = BAD[case]
    given: dict[str, Any] = {
        "user_id": world.nils.pk,
        "role": "board_member",
        "reason": "x",
    } | changes
    with acting(world.ana), pytest.raises(error) as caught:
        seats.ask(**given)
    assert caught.value.code == code  # type: ignore[attr-defined]


def test_one_question_at_a_time_and_none_for_a_holder(world: World) -> None:
    put_up(world)
    with pytest.raises(Conflict) as caught:
        put_up(world)
    assert caught.value.code == "matter.pending"
    with pytest.raises(Conflict) as caught:
        put_up(world, "ben")
    assert caught.value.code == "seat.already"


def test_any_board_member_stops_it_during_the_delay(world: World) -> None:
    matter = put_up(world)
    approve_matter(world.ana, matter)
    approve_matter(world.ben, matter)
    with acting(world.dev), pytest.raises(NotAllowed):
        matters.cancel(matter_id=matter.pk, reason="no")
    with acting(world.cleo):
        matters.cancel(matter_id=matter.pk, reason="not convinced")
    assert state_of(matter) == "cancelled"
    assert by_worker(matter) is None
    with acting(world.cleo), pytest.raises(NotNow):
        matters.cancel(matter_id=matter.pk, reason="again")


def test_a_rejection_during_the_delay_ends_it(world: World) -> None:
    matter = put_up(world)
    approve_matter(world.ana, matter)
    approve_matter(world.ben, matter)
    approve_matter(world.cleo, matter, "reject")
    assert state_of(matter) == "refused"


def test_an_approver_who_loses_the_seat_meanwhile_takes_the_approval_along(
    world: World, django_capture_on_commit_callbacks: Any
) -> None:
    with without_delay():
        matter = put_up(world)
        approve_matter(world.ana, matter)
        approve_matter(world.ben, matter)
    with acting(world.ana):
        people.revoke(membership_id=world.ben.memberships.get(role="board_member").pk)
    assert by_worker(matter) is None
    with django_capture_on_commit_callbacks(execute=True), acting(world.ana):
        people.deactivate(user_id=world.cleo.pk, reason="left")
    assert not standing_of(world.nils).is_member


def test_the_database_gives_no_seat_past_the_board(world: World) -> None:
    matter = put_up(world)
    seat_by_hand = (
        "INSERT INTO governance_membership (uuid, created_at, user_id, team_id, role, "
        "granted_at) VALUES (gen_random_uuid(), now(), %s, %s, 'board_member', '2020-01-01')"
    )
    attempts: list[tuple[str, list[Any]]] = [
        (seat_by_hand, [world.nils.pk, world.platform.pk]),
        ("SELECT governance_give_seat(%s)", [matter.pk]),
        ("UPDATE governance_matter SET user_id = %s", [world.dev.pk]),
        ("UPDATE governance_matter SET state = 'done', closed_at = %s", ["2020-01-01"]),
        ("UPDATE governance_matter SET state = 'approved', effective_at = %s", ["2020-01-01"]),
    ]
    for role in ("web", "build", "deploy"):
        for statement, values in attempts:
            with pytest.raises(DatabaseError), transaction.atomic(), as_role(role):
                connection.cursor().execute(statement, values)


@pytest.mark.parametrize("role", ["web", "build", "deploy", "ticker"])
def test_the_database_gives_no_seat_before_its_delay_is_over_nor_twice(
    world: World, role: str
) -> None:
    matter = put_up(world)
    for member in (world.ana, world.ben):
        approve_matter(member, matter)

    def give() -> None:
        with transaction.atomic(), as_role(role), connection.cursor() as cursor:
            cursor.execute("SELECT governance_give_seat(%s)", [matter.pk])

    with pytest.raises(DatabaseError, match="not yet, or not any more"):
        give()
    assert seat(world, "dev").role == "board_member"
    matter = Matter.objects.get(state="done")
    with pytest.raises(DatabaseError, match="the board has not approved it"):
        give()


def test_the_board_is_told_and_finds_it_in_the_inbox(world: World) -> None:
    matter = put_up(world)
    told = set(Notice.objects.values_list("recipient_email", flat=True))
    assert told >= {"ana@example.com", "ben@example.com", "cleo@example.com", "nils@example.com"}
    assert matter.get_absolute_url() in [each.url for each in inbox.waiting_for(world.ben)]


# ── Resets ───────────────────────────────────────────────────────────────────────────────────────


def forget(user: User) -> Any:
    return Client().post(reverse("governance:forgotten"), {"email": user.email})


def test_who_decides_nothing_gets_the_link_at_once(world: World) -> None:
    with_password(world.dev)
    assert forget(world.dev).status_code == 302
    client = Client()
    page = f"/found/{link_in_last_mail()}/"
    client.post(page, {"password": LONG, "again": LONG})
    world.dev.refresh_from_db()
    assert world.dev.check_password(LONG)
    assert world.dev.reset_at is not None
    assert client.get(page).status_code == 404


def test_for_an_approver_the_board_is_asked_and_the_link_waits(world: World) -> None:
    for user in (world.ana, world.ben, world.cleo):
        with_password(user)
    forget(world.ana)
    matter = Matter.objects.get()
    assert (matter.kind, matter.user, matter.what) == ("account.reset", world.ana, "password")
    assert not Invitation.objects.filter(user=world.ana, purpose="reset").exists()
    approve_matter(world.ben, matter)
    approve_matter(world.cleo, matter)
    token = link_in_last_mail()
    assert Client().get(f"/found/{token}/").status_code == 404
    with pytest.raises(NotFound):
        resets.accept(token=token, password=LONG)
    world.ana.refresh_from_db()
    assert world.ana.check_password(PASSWORD)


def test_with_the_delay_over_the_link_works_while_the_approvals_stand(world: World) -> None:
    for user in (world.ana, world.ben, world.cleo):
        with_password(user)
    forget(world.ana)
    with without_delay():
        matter = Matter.objects.get()
        approve_matter(world.ben, matter)
        approve_matter(world.cleo, matter)
    token = link_in_last_mail()
    with transaction.atomic():
        resets.accept(token=token, password=LONG)
        assert used(matter) == "the link was used"
        transaction.set_rollback(True)
    with acting(world.ana):
        people.revoke(membership_id=world.ben.memberships.get(role="board_member").pk)
    with pytest.raises(NotFound):
        resets.accept(token=token, password=LONG)


def test_a_reset_approver_decides_on_later_requests_only(world: World) -> None:
    for user in (world.ana, world.ben, world.cleo):
        with_password(user)
    before = ask(world)
    forget(world.ana)
    with without_delay():
        matter = Matter.objects.get()
        approve_matter(world.ben, matter)
        approve_matter(world.cleo, matter)
    resets.accept(token=link_in_last_mail(), password=LONG)
    assert state_of(matter) == "done"
    with pytest.raises(NotAllowed) as caught:
        decide(User.objects.get(pk=world.ana.pk), before)
    assert caught.value.code == "approval.role_too_new"
    decide(User.objects.get(pk=world.ana.pk), ask(world, subject_id=77))


def test_an_admin_cannot_reset_an_approver_alone(world: World) -> None:
    with_password(world.cleo)
    for what, address in (("password", ""), ("second_factor", ""), ("email", "x@example.com")):
        with acting(world.rita), pytest.raises(NotAllowed):
            resets.ask(user_id=world.cleo.pk, what=what, reason="lost", new_email=address)
    with acting(world.ana), pytest.raises(NotNow) as caught:
        # Ana is on the board too: without her and Cleo only Ben is left.
        resets.ask(user_id=world.cleo.pk, what="email", reason="lost", new_email="x@example.com")
    assert caught.value.code == "approval.unsatisfiable"
    assert not Invitation.objects.filter(user=world.cleo, used_at=None, purpose="reset").exists()


def test_a_link_is_dead_once_its_owner_has_a_seat(world: World) -> None:
    with_password(world.nils)
    forget(world.nils)
    token = link_in_last_mail()
    seat(world, "nils")
    with pytest.raises(NotFound):
        resets.accept(token=token, password=LONG)


def test_a_new_address_keeps_the_old_one_for_commits(world: World) -> None:
    with_password(world.dev)
    with acting(world.dev):
        resets.ask(user_id=world.dev.pk, what="email", reason="married", new_email="D@new.example")
    assert Notice.objects.filter(recipient_email="d@new.example").exists()
    resets.accept(token=link_in_last_mail(), password=LONG)
    assert User.objects.get(pk=world.dev.pk).email == "d@new.example"
    assert GitIdentity.objects.get(email="dev@example.com").user == world.dev


def test_the_database_keeps_an_approver_s_address(world: World) -> None:
    with pytest.raises(DatabaseError, match="the board lets"), transaction.atomic():
        User.objects.filter(pk=world.ana.pk).update(email="evil@example.com")


@pytest.mark.parametrize("who", ["ana", "dev", "nobody"])
def test_the_answer_to_forgetting_is_the_same_for_everybody(world: World, who: str) -> None:
    for name in ("ana", "dev"):
        with_password(world.by_name[name])
    client = Client()
    address = f"{who}@example.com"
    response = client.post(reverse("governance:forgotten"), {"email": address}, follow=True)
    assert response.redirect_chain == [("/sign-in/", 302)]
    assert "If there is an account with this address" in words(response)
    for _ in range(4):
        client.post(reverse("governance:forgotten"), {"email": address})
    assert client.post(reverse("governance:forgotten"), {"email": address}).status_code == 409


def test_sessions_end_with_a_reset(world: World) -> None:
    client = sign_in_as(world.dev)
    forget(world.dev)
    resets.accept(token=link_in_last_mail(), password=LONG)
    assert client.get("/account/")["Location"].startswith("/sign-in/")


# ── The page ─────────────────────────────────────────────────────────────────────────────────────


def test_the_page_asks_and_takes_the_answer(world: World) -> None:
    matter = put_up(world)
    client = sign_in_as(world.ben)
    page = words(client.get(matter.get_absolute_url()))
    assert "Should Nils Lind become board member?" in page
    assert "Ana Lima may decide" in page
    digest = matters.digest_of(matter)
    sent = {"shown_digest": digest, "verdict": "approve", "comment": ""}
    client.post(reverse("governance:matter_decide", kwargs={"pk": matter.pk}), sent)
    assert matters.request_of(matter).decisions.get().person == world.ben  # type: ignore[union-attr]
    assert "Ben Okafor approved" in words(client.get(matter.get_absolute_url()))
    client.post(reverse("governance:matter_take_back", kwargs={"pk": matter.pk}))
    assert "took the answer back" in words(client.get(matter.get_absolute_url()))


def test_a_page_that_showed_something_else_decides_nothing(world: World) -> None:
    matter = put_up(world)
    client = sign_in_as(world.ben)
    sent = {"shown_digest": "sha256:" + "0" * 64, "verdict": "approve", "comment": ""}
    response = client.post(reverse("governance:matter_decide", kwargs={"pk": matter.pk}), sent)
    assert response.status_code == 409
    assert not matters.request_of(matter).decisions.exists()  # type: ignore[union-attr]


def test_forms_put_up_and_stop(world: World) -> None:
    client = sign_in_as(world.ben)
    address = reverse("governance:seat_ask", kwargs={"pk": world.nils.pk})
    assert "Security approver" in words(client.get(address))
    response = client.post(address, {"role": Role.SECURITY_APPROVER, "reason": "knows it"})
    matter = Matter.objects.get()
    assert response["Location"] == matter.get_absolute_url()
    client.post(
        reverse("governance:matter_stop", kwargs={"pk": matter.pk}), {"reason": "second thoughts"}
    )
    assert state_of(matter) == "cancelled"
