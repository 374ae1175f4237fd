"""I-7: service accounts, tokens without interactive re-authentication and superuser impersonation
("log in as") produce no countable approval: 403 + event."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction
from django.db.utils import Error as DatabaseError
from django.test import Client
from django.urls import reverse

from core import clock
from core.errors import NotAllowed
from governance import stepup
from governance.models import AuditEvent, Decision, Membership, User
from governance.services import matters, seats, serviceaccounts, signin
from governance.states import PersonKind
from tests.governance.test_pages import sign_in_as
from tests.governance.world import PASSWORD, World, acting, ask, decide, with_password
from tests.invariants.test_i08_one_human_one_approval import force
from tests.support.databases import as_role


def bot_of(world: World) -> User:
    with acting(world.ana):
        return serviceaccounts.create(full_name="Pipeline")


def url_and_form(world: World) -> tuple[str, dict[str, str]]:
    with acting(world.rita):
        matter = seats.ask(user_id=world.nils.pk, role="board_member", reason="needed")
    sent = {
        "verdict": "approve",
        "comment": "",
        "shown_digest": matters.digest_of(matter),
        "password": PASSWORD,
    }
    return reverse("governance:matter_decide", kwargs={"pk": matter.pk}), sent


def refusals() -> list[str]:
    events = AuditEvent.objects.filter(event="security.decision_refused").order_by("pk")
    return [event.sentence for event in events]


def test_i07_a_token_is_refused_and_told(world: World) -> None:
    with acting(world.ana):
        whole = serviceaccounts.create_token(
            user_id=bot_of(world).pk, label="ci", scopes=["checks:report"], team_ids=[], days=1
        ).whole
    address, sent = url_and_form(world)
    header = {"Authorization": f"Bearer {whole}"}
    assert Client().post(address, sent, headers=header).status_code == 403
    # A person's own session does not help a request that brings a token.
    assert sign_in_as(world.ben).post(address, sent, headers=header).status_code == 403
    assert refusals() == ["Pipeline was refused a decision with a token"] * 2
    assert not Decision.objects.exists()


def test_i07_a_session_of_somebody_else_is_refused_and_told(world: World) -> None:
    address, sent = url_and_form(world)
    client = sign_in_as(world.ben)
    session = client.session
    session[stepup.IMPERSONATOR] = world.ana.pk
    session.save()
    assert client.post(address, sent).status_code == 403
    assert refusals() == ["Ben Okafor was refused a decision in the name of somebody else"]
    assert not Decision.objects.exists()


def test_i07_a_service_account_has_no_way_in(world: World) -> None:
    bot = bot_of(world)
    with_password(bot)
    with pytest.raises(Exception, match="do not belong together"):
        signin.authenticate(email=bot.email, password=PASSWORD, address="192.0.2.1")
    client = Client()
    client.force_login(bot)
    assert client.get("/account/").status_code == 403


def test_i07_a_service_account_with_a_session_and_a_role_is_refused_and_told(world: World) -> None:
    bot = bot_of(world)
    with as_role("owner"):  # the database gives no role to what is not a person
        Membership.objects.create(user=bot, team=world.sales, role="developer")
    address, sent = url_and_form(world)
    client = Client()
    client.force_login(bot)
    session = client.session
    session[stepup.PROVED_AT] = int(clock.now().timestamp())
    session.save()
    assert client.post(address, sent).status_code == 403
    assert refusals() == ["Pipeline was refused a decision as a service account"]


def test_i07_the_count_and_the_database_refuse_a_service_account(world: World) -> None:
    bot, request = bot_of(world), ask(world)
    with pytest.raises(NotAllowed) as caught:
        decide(bot, request)
    assert caught.value.code == "approval.not_a_person"
    with pytest.raises(DatabaseError):
        force(request, bot)


ROWS: dict[str, dict[str, Any]] = {
    "a seat": {"role": "board_member"},
    "the seat of an emergency approver": {"role": "emergency_approver"},
}


@pytest.mark.parametrize("case", ROWS, ids=list(ROWS))
def test_i07_no_service_account_gets_a_seat(world: World, case: str) -> None:
    bot = bot_of(world)
    with pytest.raises(DatabaseError), transaction.atomic():
        Membership.objects.create(user=bot, team=world.platform, **ROWS[case])
    with acting(world.ana), pytest.raises(Exception, match="not active"):
        seats.ask(user_id=bot.pk, reason="x", **ROWS[case])


def test_i07_nobody_turns_a_service_account_into_a_person(world: World) -> None:
    bot = bot_of(world)
    with pytest.raises(DatabaseError), transaction.atomic():
        User.objects.filter(pk=bot.pk).update(kind=PersonKind.PERSON)
