"""I-38: approve is a POST with CSRF token, re-authentication within N minutes (step-up), no
prefetchable GET, and cannot be framed."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client, override_settings
from django.urls import reverse

from core import clock
from core.db import database_now
from governance import stepup
from governance.models import Decision, Delegation, Matter
from governance.services import matters, seats
from tests.governance.test_pages import sign_in_as, text
from tests.governance.world import PASSWORD, World, acting


@pytest.fixture
def matter(world: World) -> Matter:
    with acting(world.rita):
        return seats.ask(user_id=world.nils.pk, role="board_member", reason="needed")


def address_of(matter: Matter) -> str:
    return reverse("governance:matter_decide", kwargs={"pk": matter.pk})


def answer(matter: Matter, **changes: Any) -> dict[str, Any]:
    sent = {"verdict": "approve", "comment": "", "shown_digest": matters.digest_of(matter)}
    return sent | changes


def age_session(client: Client, seconds: int) -> None:
    session = client.session
    session[stepup.PROVED_AT] = int(clock.now().timestamp()) - seconds
    session.save()


@pytest.mark.parametrize("method", ["get", "head", "options", "put", "patch", "delete", "trace"])
def test_i38_nothing_but_a_post_decides(world: World, matter: Matter, method: str) -> None:
    client = sign_in_as(world.ben)
    assert getattr(client, method)(address_of(matter)).status_code in {405, 200}
    assert client.get(address_of(matter), answer(matter)).status_code == 405
    assert not Decision.objects.exists()


def test_i38_a_post_from_another_site_is_refused(world: World, matter: Matter) -> None:
    signed_in = sign_in_as(world.ben)
    client = Client(enforce_csrf_checks=True)
    client.cookies = signed_in.cookies
    bare = client.post(address_of(matter), answer(matter))
    assert bare.status_code == 403
    page = client.get(matter.get_absolute_url())
    token = text(page).partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
    elsewhere = client.post(
        address_of(matter),
        answer(matter, csrfmiddlewaretoken=token),
        headers={"Origin": "https://evil.example"},
    )
    assert elsewhere.status_code == 403
    assert not Decision.objects.exists()
    own = client.post(address_of(matter), answer(matter, csrfmiddlewaretoken=token))
    assert own.status_code == 302
    assert Decision.objects.count() == 1


def test_i38_the_page_cannot_be_framed_nor_run_foreign_code(world: World, matter: Matter) -> None:
    page = sign_in_as(world.ben).get(matter.get_absolute_url())
    assert page["X-Frame-Options"] == "DENY"
    policy = page["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in policy
    assert "form-action 'self'" in policy
    assert "unsafe-inline" not in policy
    assert page.cookies == {} or "SameSite" in str(page.cookies)


def test_i38_a_form_that_is_sent_again_decides_nothing(world: World, matter: Matter) -> None:
    client = sign_in_as(world.ben)
    assert client.post(address_of(matter), answer(matter)).status_code == 302
    assert client.post(address_of(matter), answer(matter)).status_code == 409
    client.post(reverse("governance:matter_take_back", kwargs={"pk": matter.pk}))
    assert client.post(address_of(matter), answer(matter)).status_code == 409
    assert Decision.objects.count() == 1


@pytest.mark.parametrize(("minutes", "allowed"), [(2, 302), (9, 302), (11, 422)])
def test_i38_the_proof_must_be_fresh(
    world: World, matter: Matter, minutes: int, allowed: int
) -> None:
    client = sign_in_as(world.ben)
    age_session(client, minutes * 60)
    assert client.post(address_of(matter), answer(matter)).status_code == allowed
    assert Decision.objects.count() == (allowed == 302)


def test_i38_how_fresh_is_a_setting(world: World, matter: Matter, settings: Any) -> None:
    from dataclasses import replace

    client = sign_in_as(world.ben)
    age_session(client, 180)
    with override_settings(GATEHOUSE=replace(settings.GATEHOUSE, step_up_minutes=2)):
        assert client.post(address_of(matter), answer(matter)).status_code == 422
        again = client.post(address_of(matter), answer(matter, password="wrong, quite wrong"))
        assert again.status_code == 422
        assert client.post(address_of(matter), answer(matter, password=PASSWORD)).status_code == 302
    assert Decision.objects.get().auth_strength == "password"


def test_i38_a_proof_from_the_future_is_none(world: World, matter: Matter) -> None:
    client = sign_in_as(world.ben)
    age_session(client, -3600)
    assert client.post(address_of(matter), answer(matter)).status_code == 422


def test_i38_a_seat_is_lent_with_a_fresh_proof_only(world: World) -> None:
    """Lending a seat makes a decider: a session left open must not be enough."""
    client, address = sign_in_as(world.ben), reverse("governance:delegation_new")
    day = database_now().date().isoformat()
    data = {"deputy_id": world.nils.pk, "role": "board_member", "reason": "holiday"}
    data |= {"first_day": day, "last_day": day}
    age_session(client, 660)
    assert 'name="password"' in text(client.get(address))
    assert client.post(address, data).status_code == 422
    assert client.post(address, data | {"password": "wrong, quite wrong"}).status_code == 422
    assert not Delegation.objects.exists()
    assert client.post(address, data | {"password": PASSWORD}).status_code == 302
    assert Delegation.objects.get().deputy == world.nils
