"""Second factor, step-up, service accounts and access on a day, as people meet them."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pyotp
import pytest
from django.test import Client, RequestFactory
from django.urls import reverse

from core import clock
from core.db import database_now
from core.errors import InvalidInput, NotAllowed, NotSignedIn
from governance import stepup, tokens
from governance.models import ApiToken, AuditEvent, Decision, SecondFactor, User
from governance.selectors import access
from governance.services import delegations, people, secondfactor, serviceaccounts
from tests.governance.test_pages import sign_in_as, text, words
from tests.governance.world import PASSWORD, World, acting, with_password

STEP = 30


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Move the product's own clock on."""
    start, moved = clock.now(), {"by": timedelta()}
    monkeypatch.setattr(clock, "now", lambda: start + moved["by"])

    def move(**by: float) -> None:
        moved["by"] += timedelta(**by)

    return move


def code_of(user: User) -> str:
    secret = secondfactor._open(SecondFactor.objects.get(user=user).secret)
    assert secret is not None
    return pyotp.TOTP(secret).at(clock.now())


def enrol(client: Client, user: User) -> list[str]:
    address = reverse("governance:second_factor")
    assert 'name="begin"' in text(client.get(address))
    page = client.post(address, {"begin": "yes"}, follow=True)
    assert "<svg" in text(page)
    assert "style=" not in text(page).partition("<svg")[2].partition("</svg>")[0]
    shown = client.post(reverse("governance:second_factor"), {"code": code_of(user)})
    return re.findall(r"\b(?:[a-z2-9]{4}-){3}[a-z2-9]{4}\b", text(shown))


def test_enrolling_shows_recovery_codes_once_and_ends_other_sessions(
    world: World, later: Any
) -> None:
    other, client = sign_in_as(world.ben), sign_in_as(world.ben)
    codes = enrol(client, world.ben)
    assert len(codes) == 10
    assert client.get("/account/").status_code == 200
    assert other.get("/account/")["Location"].startswith("/sign-in/")
    secret = SecondFactor.objects.get(user=world.ben).secret
    assert len(secret) > 60
    assert "second factor" in words(client.get("/account/")).lower()


def test_sign_in_then_asks_for_a_code_and_takes_each_once(world: World, later: Any) -> None:
    codes = enrol(sign_in_as(world.ben), world.ben)
    later(seconds=2 * STEP)
    client = Client()
    given = {"email": "ben@example.com", "password": PASSWORD}
    assert client.post("/sign-in/", given)["Location"] == "/sign-in/code/"
    assert client.get("/account/").status_code == 302
    code = code_of(world.ben)
    assert client.post("/sign-in/code/", {"password": "000000"}).status_code == 422
    assert client.post("/sign-in/code/", {"password": code})["Location"] == "/"
    assert client.get("/account/").status_code == 200
    again = Client()
    again.post("/sign-in/", given)
    assert again.post("/sign-in/code/", {"password": code}).status_code == 422
    assert again.post("/sign-in/code/", {"password": codes[0]}).status_code == 302
    third = Client()
    third.post("/sign-in/", given)
    assert third.post("/sign-in/code/", {"password": codes[0]}).status_code == 422


def test_wrong_codes_are_limited(world: World, later: Any) -> None:
    enrol(sign_in_as(world.ben), world.ben)
    client = Client()
    client.post("/sign-in/", {"email": "ben@example.com", "password": PASSWORD})
    statuses = [
        client.post("/sign-in/code/", {"password": f"{n:06}"}).status_code for n in range(6)
    ]
    assert statuses[-1] == 409


def test_whoever_has_a_second_factor_decides_with_it(world: World, later: Any) -> None:
    with_password(world.ben)
    client = sign_in_as(world.ben)
    enrol(client, world.ben)
    later(minutes=11)
    request = RequestFactory().post("/")
    request.user, request.session = world.ben, client.session
    assert stepup.proof_asked(request) == "code"
    with pytest.raises(InvalidInput) as caught:
        stepup.demand(request, PASSWORD)
    assert caught.value.code == "second_factor.code"
    stepup.demand(request, code_of(world.ben))
    assert stepup.strength(request) == "totp"
    assert stepup.is_fresh(request)


def test_removing_it_needs_a_code(world: World, later: Any) -> None:
    client = sign_in_as(world.ben)
    enrol(client, world.ben)
    later(minutes=11)
    address = reverse("governance:second_factor_remove")
    assert client.post(address, {"password": PASSWORD}).status_code == 422
    assert client.post(address, {"password": code_of(world.ben)}).status_code == 302
    assert not secondfactor.is_enrolled(world.ben)
    assert client.get("/account/").status_code == 200


# ── Service accounts ─────────────────────────────────────────────────────────────────────────────


def a_token(world: World, **changes: Any) -> tuple[User, str]:
    with acting(world.ana):
        bot = serviceaccounts.create(full_name="Jenkins of Sales")
        given: dict[str, Any] = {
            "label": "ci",
            "scopes": ["checks:report"],
            "team_ids": [],
            "days": 30,
        }
        return bot, serviceaccounts.create_token(user_id=bot.pk, **(given | changes)).whole


def bearing(whole: str) -> Any:
    return RequestFactory().post("/api/v1/checks/", headers={"Authorization": f"Bearer {whole}"})


def test_a_token_acts_as_its_account_within_scope_and_teams(world: World) -> None:
    bot, whole = a_token(world, team_ids=[world.sales.pk])
    bearer = tokens.authenticate(bearing(whole), "checks:report")
    assert bearer.user == bot
    bearer.demand_team(world.sales)
    with pytest.raises(NotAllowed):
        bearer.demand_team(world.platform)
    with pytest.raises(NotAllowed):
        tokens.authenticate(bearing(whole), "history:read")
    assert whole not in str(ApiToken.objects.values().get())
    assert ApiToken.objects.get().last_used_at is not None


@pytest.mark.parametrize("how", ["nothing", "another secret", "revoked", "closed"])
def test_a_token_that_is_no_good_is_401(world: World, how: str) -> None:
    bot, whole = a_token(world)
    if how == "another secret":
        whole = whole[:-3] + "xyz"
    elif how == "nothing":
        whole = "Basic"
    with acting(world.ana):
        if how == "revoked":
            serviceaccounts.revoke_token(user_id=bot.pk, token_id=ApiToken.objects.get().pk)
        elif how == "closed":
            serviceaccounts.close(user_id=bot.pk)
    with pytest.raises(NotSignedIn):
        tokens.authenticate(bearing(whole), "checks:report")


def test_pages_of_service_accounts_show_the_token_once(world: World) -> None:
    client = sign_in_as(world.ana)
    made = client.post(reverse("governance:service_new"), {"full_name": "Jenkins"})
    page = made["Location"]
    sent = {"label": "ci", "scopes": ["checks:report"], "days": 30}
    shown = client.post(page, sent)
    assert shown.status_code == 201
    whole = re.search(r"gh_[0-9a-f]+_[\w-]+", text(shown))
    assert whole is not None
    assert whole[0] not in text(client.get(page))
    assert "Jenkins" in words(client.get(reverse("governance:services")))


# ── Access on a day ──────────────────────────────────────────────────────────────────────────────


def test_who_could_decide_then_and_now(world: World) -> None:
    before = database_now()
    with acting(world.ana):
        delegations.give(
            deputy_id=world.nils.pk,
            role="board_member",
            starts_at=before - timedelta(minutes=1),
            ends_at=before + timedelta(days=1),
            reason="holiday",
        )
        people.deactivate(user_id=world.cleo.pk, reason="left")
    now = database_now()

    def names(at: Any) -> list[str]:
        return [row.person.full_name for row in access.who_could_decide(world.production, at)]

    assert names(before) == ["Ana Lima", "Ben Okafor", "Cleo Sand"]
    assert names(now) == ["Ana Lima", "Ben Okafor", "Nils Lind"]
    lent = access.who_could_decide(world.production, now)[-1]
    assert lent.instead_of == "Ana Lima"
    assert names(before - timedelta(days=1)) == []
    events = [event.event for event in access.access_changes(before, now + timedelta(minutes=1))]
    assert events == ["delegation.given", "person.deactivated"]


def test_the_page_answers_for_a_day(world: World) -> None:
    client = sign_in_as(world.otto)
    page = words(client.get(reverse("governance:access")))
    assert "Ben Okafor board member" in page.replace("Board member", "board member")
    assert "Nobody." in words(client.get(reverse("governance:access") + "?day=2001-01-01"))
    assert not Decision.objects.exists()
    assert AuditEvent.objects.filter(event="membership.granted").exists()
