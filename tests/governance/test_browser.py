"""Governance's pages in a real browser: accessibility, themes, phone, keyboard, no script."""

from __future__ import annotations

import pytest
from django.urls import reverse

from governance import policies
from governance.models import AuditEvent, User
from governance.services import invitations
from governance.states import InvitationPurpose
from tests.governance.world import PASSWORD, World, acting, ask, decide, needs, with_password
from tests.support.browser import OpenWindow

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def lived_in(world: World) -> None:
    """Let something have happened: an approval, a proposal, an invited person."""
    request = ask(world, unmapped=[("yuki@home.example", "Yuki Sato")])
    with acting(world.ana):
        policies.propose(
            policy_id=world.production.policy_id,
            body=world.production.body | needs(1) | {"test_level": "RunAllTestsInOrg"},
            reason="Audit finding 7: two people are too many for a text change.",
        )
        invitations.invite(email="mia@example.com", full_name="Mia Chen")
    second = ask(world, subject_id=43, label="R-43 for Production (A·77d01aa)")
    decide(world.ben, second, comment="Rehearsal was clean.")
    decide(world.cleo, request, verdict="reject", comment="Who is Yuki?")


def paths(world: World) -> dict[str, str]:
    event = AuditEvent.objects.filter(event="approval.approved").get()
    policy = world.production.policy.get_absolute_url()
    return {
        "account": "/account/",
        "password": "/account/password/",
        "teams": "/teams/",
        "team": "/teams/platform/",
        "team-new": "/teams/new/",
        "member-add": "/teams/platform/members/add/",
        "people": "/people/",
        "person": world.ben.get_absolute_url(),
        "invite": "/people/invite/",
        "match": "/people/match/?email=yuki@home.example",
        "policies": "/policies/",
        "policy": policy,
        "propose": f"{policy}propose/",
        "confirm": "/policies/confirm/",
        "history": "/history/",
        "history-filtered": "/history/?area=approval&q=approved",
        "history-empty": "/history/?q=zzz",
        "event": event.get_absolute_url(),
    }


def test_every_page_is_accessible_and_fits_in_every_look(
    live_world: World, open_window: OpenWindow
) -> None:
    lived_in(live_world)
    window = open_window(live_world.ben)
    found = []
    for name, path in paths(live_world).items():
        if name in ("team-new", "member-add", "invite", "match"):
            continue  # an admin's pages
        window.open(path)
        found += [f"{name} {each}" for each in window.faults_in_every_look()]
    assert found == []


def test_an_admin_s_forms_are_accessible(live_world: World, open_window: OpenWindow) -> None:
    lived_in(live_world)
    window = open_window(live_world.ana)
    found = []
    for name in (
        "team-new",
        "member-add",
        "invite",
        "match",
        "team",
        "person",
        "policy",
        "propose",
    ):
        window.open(paths(live_world)[name])
        found += [f"{name}: {each}" for each in window.violations()]
    assert found == []


def test_a_newcomer_joins_and_signs_in_again_without_script(
    live_world: World, open_window: OpenWindow
) -> None:
    user = User.objects.get(pk=live_world.nils.pk)
    link = invitations.make_link(user, InvitationPurpose.JOINING)
    window = open_window(script=False)
    page = window.page
    window.expected_statuses = {403, 422}
    window.open(link.partition("testserver")[2])
    page.get_by_label("Choose a password").fill("short")
    page.get_by_label("The same password again").fill("short")
    page.get_by_role("button", name="Set the password").click()
    assert page.get_by_text("too short").first.is_visible()
    page.get_by_label("Choose a password").fill(PASSWORD)
    page.get_by_label("The same password again").fill(PASSWORD)
    page.get_by_role("button", name="Set the password").click()
    window.open("/teams/")
    assert page.get_by_text("not a member of any team").is_visible()


def test_signing_in_with_the_keyboard_leads_on(live_world: World, open_window: OpenWindow) -> None:
    with_password(live_world.ana)
    window = open_window()
    page = window.page
    window.expected_statuses = {422}
    window.open("/policies/")
    assert window.violations() == []
    page.keyboard.type("ana@example.com")
    page.keyboard.press("Tab")
    page.keyboard.type("wrong")
    page.keyboard.press("Enter")
    page.get_by_text("do not belong together").first.wait_for()
    assert page.get_by_label("E-mail address").input_value() == "ana@example.com"
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Approval policies").wait_for()
    assert page.url.endswith(reverse("governance:policies"))
