"""The pages: what people see and type, without JavaScript."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from core import clock
from governance import stepup
from governance.models import (
    AuditEvent,
    Decision,
    GitIdentity,
    Membership,
    PolicyVersion,
    Team,
    User,
)
from governance.services import founding, people
from tests.governance.world import PASSWORD, World, acting, ask, needs, propose, with_password

GOOD = "another long password"


@pytest.fixture
def browser(world: World) -> Client:
    """A browser in which Ana has just signed in."""
    return sign_in_as(world.ana)


def sign_in_as(user: User) -> Client:
    client = Client()
    with_password(user)
    response = client.post(
        reverse("governance:sign_in"), {"email": user.email, "password": PASSWORD}
    )
    assert response.status_code == 302, response.content.decode()
    return client


def text(response: Any) -> str:
    html: str = response.content.decode()
    return html


def words(response: Any) -> str:
    """The page without tags, in one line."""
    plain = re.sub(r"<[^>]*>", " ", text(response).partition("<main")[2])
    return " ".join(plain.split())


# ── Signing in ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.django_db
def test_before_the_founding_the_first_page_shows_the_command_only() -> None:
    response = Client().get(reverse("governance:sign_in"))
    assert "script/manage found --board" in words(response)
    assert "<form" not in text(response).partition("<main")[2]


def test_signing_in_leads_to_the_page_that_was_asked_for(world: World) -> None:
    with_password(world.ana)
    client = Client()
    asked = client.get("/history/?q=R-42")
    assert asked["Location"] == "/sign-in/?next=/history/%3Fq%3DR-42"
    form = client.get(asked["Location"])
    assert 'name="next" value="/history/?q=R-42"' in text(form)
    sent = {"email": "ANA@example.com", "password": PASSWORD, "next": "/history/?q=R-42"}
    assert client.post("/sign-in/", sent)["Location"] == "/history/?q=R-42"
    assert AuditEvent.objects.filter(event="person.signed_in").count() == 1


@pytest.mark.parametrize(
    "target",
    ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "\\\\evil.example"],
)
def test_signing_in_leads_nowhere_else(world: World, target: str) -> None:
    with_password(world.ana)
    sent = {"email": "ana@example.com", "password": PASSWORD, "next": target}
    assert Client().post("/sign-in/", sent)["Location"] == "/"


def test_a_wrong_password_keeps_the_address_and_shows_no_password(world: World) -> None:
    sent = {"email": "ana@example.com", "password": "wrong secret"}
    response = Client().post("/sign-in/", sent)
    assert response.status_code == 422
    assert "do not belong together" in words(response)
    assert 'value="ana@example.com"' in text(response)
    assert "wrong secret" not in text(response)


def test_too_many_tries_are_told_with_the_time_to_wait(world: World) -> None:
    client = Client()
    for _ in range(5):
        client.post("/sign-in/", {"email": "ana@example.com", "password": "wrong"})
    response = client.post("/sign-in/", {"email": "ana@example.com", "password": PASSWORD})
    assert response.status_code == 409
    assert "Too many wrong tries. Wait 15 minutes" in words(response)


def test_signing_in_makes_a_new_session(world: World) -> None:
    with_password(world.ana)
    client = Client()
    client.get("/sign-in/")
    before = client.session.session_key
    client.post("/sign-in/", {"email": "ana@example.com", "password": PASSWORD})
    assert client.session.session_key != before


def test_signing_out_takes_a_post_and_ends_the_session(browser: Client) -> None:
    assert browser.get("/sign-out/").status_code == 405
    browser.post("/sign-out/")
    assert browser.get("/teams/").status_code == 302


@pytest.mark.parametrize("path", ["/sign-in/", "/sign-out/", "/account/", "/teams/new/"])
def test_i38_a_form_without_its_token_is_refused(world: World, path: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(world.ana)
    assert client.post(path, {"name": "x"}).status_code == 403


def test_i38_pages_cannot_be_framed(browser: Client) -> None:
    response = browser.get("/policies/")
    assert response["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in response["Content-Security-Policy"]


def test_a_closed_account_is_out_at_once(browser: Client, world: World) -> None:
    User.objects.filter(pk=world.ana.pk).update(is_active=False)
    assert browser.get("/teams/").status_code == 302


def test_somebody_without_a_team_is_told_so(world: World) -> None:
    response = sign_in_as(world.nils).get("/teams/")
    assert response.status_code == 403
    assert "not a member of any team" in words(response)


def test_a_program_gets_401_instead_of_a_page(world: World) -> None:
    response = Client().get("/teams/", headers={"accept": "application/json"})
    assert response.status_code == 401


def test_htmx_sends_the_whole_page_to_sign_in(world: World) -> None:
    response = Client().get("/history/?q=x", headers={"hx-request": "true"})
    assert response["HX-Redirect"] == "/sign-in/?next=/history/%3Fq%3Dx"


# ── Joining and the first policies ───────────────────────────────────────────────────────────────


@pytest.mark.django_db
def test_the_second_founder_joins_and_confirms_the_first_policies() -> None:
    founded = founding.found(
        team_name="Platform", board=[("Ana Lima", "a@x.example"), ("Ben Okafor", "b@x.example")]
    )
    client = Client()
    path = founded.founders[1].link.partition("testserver")[2]
    assert "Welcome, Ben" in words(client.get(path))
    different = client.post(path, {"password": GOOD, "again": "something else entirely"})
    assert "The two passwords differ" in words(different)
    joined = client.post(path, {"password": GOOD, "again": GOOD})
    assert joined["Location"] == "/policies/confirm/"
    page = client.get("/policies/confirm/")
    assert "Needs the approval of 2 board members" in words(page)
    assert "Your password" not in words(page), "the password was set a moment ago"
    numbers = re.findall(r'name="proposal" value="(\d+)"', text(page))
    assert len(numbers) == len(founding.FIRST_POLICIES)
    confirmed = client.post("/policies/confirm/", {"proposal": numbers}, follow=True)
    told = words(confirmed)
    assert all(f"{name} v1" in told for name in founding.FIRST_POLICIES)
    assert PolicyVersion.objects.count() == len(founding.FIRST_POLICIES)
    assert client.get(path).status_code == 404


@pytest.mark.django_db
def test_a_wrong_link_is_a_page_with_the_next_step() -> None:
    response = Client().get("/found/made-up/")
    assert response.status_code == 404
    assert "Ask for a new one" in words(response)


# ── One's own account ────────────────────────────────────────────────────────────────────────────


def test_name_and_zone_are_changed_and_times_follow(browser: Client, world: World) -> None:
    response = browser.post("/account/", {"full_name": "Ana L.", "zone": "Asia/Tokyo"}, follow=True)
    assert "Saved." in words(response)
    assert User.objects.get(pk=world.ana.pk).zone == "Asia/Tokyo"
    assert "JST" in text(browser.get("/history/"))


def test_an_unknown_zone_is_refused_and_the_name_kept(browser: Client) -> None:
    response = browser.post("/account/", {"full_name": "Ana Changed", "zone": "Mars/Olympus"})
    assert response.status_code == 422
    assert 'value="Ana Changed"' in text(response)


def test_a_new_password_ends_the_other_sessions(browser: Client, world: World) -> None:
    other = Client()
    other.force_login(User.objects.get(pk=world.ana.pk))
    sent = {"password": PASSWORD, "new_password": GOOD, "again": GOOD}
    assert browser.post("/account/password/", sent).status_code == 302
    assert browser.get("/account/").status_code == 200
    assert other.get("/account/").status_code == 302


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ({"password": "wrong"}, "This is not your password"),
        ({"new_password": "short", "again": "short"}, "too short"),
        ({"again": "different"}, "The two passwords differ"),
        ({"password": ""}, "This field is required"),
    ],
)
def test_a_password_is_not_changed(
    browser: Client, world: World, sent: dict[str, str], told: str
) -> None:
    given = {"password": PASSWORD, "new_password": GOOD, "again": GOOD} | sent
    response = browser.post("/account/password/", given)
    assert response.status_code == 422
    assert told in words(response)
    assert User.objects.get(pk=world.ana.pk).check_password(PASSWORD)


# ── Teams and people ─────────────────────────────────────────────────────────────────────────────


def test_an_admin_creates_a_team_and_adds_its_lead(browser: Client, world: World) -> None:
    created = browser.post("/teams/new/", {"name": "Loyalty Programme"})
    assert created["Location"] == "/teams/loyalty-programme/"
    added = browser.post(
        "/teams/loyalty-programme/members/add/",
        {"user_id": world.nils.pk, "role": "team_lead"},
        follow=True,
    )
    assert "Nils Lind is now team lead of Loyalty Programme." in words(added)
    assert "made Nils Lind team lead of Loyalty Programme" in words(added)


def test_a_refused_team_keeps_what_was_typed_and_says_what_is_wrong(browser: Client) -> None:
    response = browser.post("/teams/new/", {"name": "sales", "slug": "second"})
    assert response.status_code == 409
    assert "There is a team called sales already." in words(response)
    assert 'value="second"' in text(response)


def test_a_page_offers_only_what_the_viewer_may_do(world: World) -> None:
    lead, developer = sign_in_as(world.lena), sign_in_as(world.dev)
    assert "Add somebody" in words(lead.get("/teams/sales/"))
    assert "Revoke" in words(lead.get("/teams/sales/"))
    assert "Add somebody" not in words(developer.get("/teams/sales/"))
    assert "Revoke" not in words(developer.get("/teams/sales/"))
    assert "Add somebody" not in words(lead.get("/teams/platform/"))
    disabled = words(developer.get("/teams/"))
    assert "This needs the role admin, which you do not have." in disabled


def test_a_lead_is_offered_the_roles_that_a_lead_may_give(world: World) -> None:
    page = text(sign_in_as(world.lena).get("/teams/sales/members/add/"))
    assert re.findall(r'type="radio" name="role" value="(\w+)"', page) == ["developer"]


def test_a_lead_cannot_give_another_role_by_hand(world: World) -> None:
    client = sign_in_as(world.lena)
    sent = {"user_id": world.nils.pk, "role": "team_lead"}
    assert client.post("/teams/sales/members/add/", sent).status_code == 422
    assert not Membership.objects.filter(user=world.nils).exists()


def test_i5_a_membership_is_revoked_through_its_own_team_only(
    browser: Client, world: World
) -> None:
    row = Membership.objects.get(user=world.dev)
    wrong = browser.post(f"/teams/platform/members/{row.pk}/revoke/")
    assert wrong.status_code == 404
    browser.post(f"/teams/sales/members/{row.pk}/revoke/")
    row.refresh_from_db()
    assert row.revoked_by == world.ana


def test_a_refused_revocation_says_why_on_the_page(browser: Client, world: World) -> None:
    row = Membership.objects.get(user=world.ana, role="admin")
    response = browser.post(f"/teams/platform/members/{row.pk}/revoke/", follow=True)
    assert "Ana Lima is the only admin." in words(response)


def test_a_team_is_renamed_and_retired(browser: Client) -> None:
    browser.post("/teams/sales/rename/", {"name": "Selling"})
    response = browser.post("/teams/sales/retire/", follow=True)
    assert "Selling is retired; its history stays." in words(response)
    assert Team.objects.get(slug="sales").retired_at is not None


def test_somebody_is_invited_found_closed_and_opened_again(browser: Client) -> None:
    sent = {"full_name": "Mia Chen", "email": "mia@example.com"}
    invited = browser.post("/people/invite/", sent, follow=True)
    assert "A link is on its way to mia@example.com." in words(invited)
    assert "Has not joined yet" in words(invited)
    mia = User.objects.get(email="mia@example.com")
    assert "Mia Chen" in words(browser.get("/people/?q=mia"))
    assert "Nobody matches" in words(browser.get("/people/?q=zzz"))
    again = browser.post(f"/people/{mia.pk}/invite/", follow=True)
    assert "the old one no longer works" in words(again)
    closed = browser.post(f"/people/{mia.pk}/close/", {"reason": "left"}, follow=True)
    assert "Account closed" in words(closed)
    opened = browser.post(f"/people/{mia.pk}/reopen/", follow=True)
    assert "Mia Chen can sign in again." in words(opened)


def test_closing_an_account_needs_a_reason(browser: Client, world: World) -> None:
    response = browser.post(f"/people/{world.dev.pk}/close/", {"reason": ""})
    assert response.status_code == 422
    assert User.objects.get(pk=world.dev.pk).is_active


def test_an_unknown_author_is_matched_from_the_link_of_the_approval_page(
    browser: Client, world: World
) -> None:
    ask(world, unmapped=[("yuki@home.example", "Yuki")])
    form = browser.get("/people/match/?email=yuki@home.example")
    assert 'value="yuki@home.example"' in text(form)
    sent = {"email": "yuki@home.example", "user_id": world.dev.pk}
    matched = browser.post("/people/match/", sent, follow=True)
    assert "yuki@home.example is now known as Dev Patel." in words(matched)
    row = GitIdentity.objects.get()
    assert browser.post(f"/people/{world.ana.pk}/addresses/{row.pk}/end/").status_code == 404
    ended = browser.post(f"/people/{world.dev.pk}/addresses/{row.pk}/end/", follow=True)
    assert "yuki@home.example is unknown again." in words(ended)


def test_a_person_s_page_shows_roles_now_and_before(browser: Client, world: World) -> None:
    with acting(world.ana):
        people.revoke(membership_id=world.dev.memberships.get().pk)
    page = words(browser.get(f"/people/{world.dev.pk}/"))
    assert "developer Sales" in page
    assert "took the role developer of Sales from Dev Patel" in page


# ── Policies ─────────────────────────────────────────────────────────────────────────────────────

NEXT = {"rule0_number": "3", "rule0_roles": ["board_member"], "expires_hours": "24"}
NEXT_FORM: dict[str, Any] = NEXT | {"test_level": "RunLocalTests", "reason": "Audit finding 7"}


def policy_path(world: World) -> str:
    return world.production.policy.get_absolute_url()


def test_policies_are_sentences(browser: Client) -> None:
    page = words(browser.get("/policies/"))
    assert "Needs the approval of 2 of 3 board members, none of whom had a hand in it." in page
    assert "Needs nobody's approval." in page.replace("&#x27;", "'")


def hidden(client: Client, path: str) -> str:
    """The digest that a page carries along."""
    (found,) = re.findall(r'name="shown_digest" value="(sha256:[0-9a-f]+)"', text(client.get(path)))
    return str(found)


def test_the_next_version_is_proposed_by_one_and_approved_by_others(
    browser: Client, world: World
) -> None:
    path = policy_path(world)
    form = text(browser.get(f"{path}propose/"))
    assert 'name="rule0_number" value="2"' in form
    proposed = browser.post(f"{path}propose/", NEXT_FORM, follow=True)
    assert "approvals needed: 2 board members → 3 board members" in words(proposed)
    assert "demands more" in words(proposed)
    assert "Ana Lima asked for this approval." in words(proposed)
    assert "“Audit finding 7”" in words(proposed)
    page = world.production.policy.proposals.get(state="open").get_absolute_url()
    for user in (world.ben, world.cleo):
        other = sign_in_as(user)
        sent = {"shown_digest": hidden(other, page), "verdict": "approve"}
        answered = other.post(f"{page}decide/", sent, follow=True)
    assert "You approved it. It is in force from now on." in words(answered)
    assert world.production.policy.current.number == 2  # type: ignore[union-attr]
    now = words(browser.get(path))
    assert "In force v2" in now
    assert "decided in A-" in now
    assert "It was approved and put in force" in words(browser.get(page))


def test_i14_a_stale_page_about_a_version_decides_nothing(browser: Client, world: World) -> None:
    browser.post(f"{policy_path(world)}propose/", NEXT_FORM)
    page = world.production.policy.proposals.get(state="open").get_absolute_url()
    other = sign_in_as(world.ben)
    sent = {"shown_digest": "sha256:" + "0" * 64, "verdict": "approve"}
    answered = other.post(f"{page}decide/", sent)
    assert answered.status_code == 409
    assert "Nothing was recorded." in words(answered)
    assert other.post(f"{page}decide/", sent | {"verdict": "maybe"}).status_code == 422
    assert other.get(f"{page}decide/").status_code == 405


def test_every_field_of_a_policy_has_its_place_in_the_form(browser: Client, world: World) -> None:
    typed = NEXT_FORM | {
        "rule0_number": "2",
        "rule1_number": "1",
        "rule1_roles": ["admin", "release_manager"],
        "rule1_when": "permissions",
        "checks": ["build", "coverage", "backup"],
        "min_coverage": "80",
        "external_checks": "jenkins/e2e\r\nsonar",
        "window0_days": ["mon", "tue"],
        "window0_from": "22:00",
        "window0_to": "04:00",
        "window0_zone": "Europe/Berlin",
        "start_roles": ["release_manager"],
    }
    browser.post(f"{policy_path(world)}propose/", typed)
    proposal = world.production.policy.proposals.get(state="open")
    assert proposal.body == {
        "approvals": [
            *needs(2)["approvals"],
            *needs(1, "release_manager", "admin", when="permissions")["approvals"],
        ],
        "checks": ["build", "coverage", "backup"],
        "external_checks": ["jenkins/e2e", "sonar"],
        "min_coverage": 80,
        "backup_max_hours": 24,
        "windows": [
            {"days": ["mon", "tue"], "from": "22:00", "to": "04:00", "zone": "Europe/Berlin"}
        ],
        "start_roles": ["release_manager"],
        "expires_hours": 24,
        "test_level": "RunLocalTests",
    }
    wrong = browser.post(f"{policy_path(world)}propose/", typed | {"window0_zone": "Mars"})
    assert wrong.status_code == 422
    assert "There is no time zone" in words(wrong)


def test_a_weaker_proposal_says_so(browser: Client, world: World) -> None:
    weaker = NEXT_FORM | {"rule0_number": "1", "expires_hours": "168"}
    response = browser.post(f"{policy_path(world)}propose/", weaker, follow=True)
    assert "demands less" in words(response)


def test_a_policy_that_nobody_could_fulfil_keeps_what_was_typed(
    browser: Client, world: World
) -> None:
    response = browser.post(f"{policy_path(world)}propose/", NEXT_FORM | {"rule0_number": "9"})
    assert response.status_code == 422
    assert "Nobody could ever fulfil this" in words(response)
    assert 'name="rule0_number" value="9"' in text(response)
    assert "Audit finding 7" in text(response)


def test_i38_a_stale_sign_in_is_asked_for_the_password_before_deciding(world: World) -> None:
    proposal = propose(world, "ana", world.production.body | needs(3))
    page = proposal.get_absolute_url()
    client = sign_in_as(world.ben)
    session = client.session
    session[stepup.PROVED_AT] = int(clock.now().timestamp()) - stepup.fresh_seconds() - 1
    session.save()
    assert "Your password" in words(client.get(page))
    sent = {"shown_digest": hidden(client, page), "verdict": "approve"}
    answered = client.post(f"{page}decide/", sent)
    assert "Type your password to decide." in words(answered)
    wrong = client.post(f"{page}decide/", sent | {"password": "wrong"})
    assert "This is not your password." in words(wrong)
    assert not Decision.objects.exists()
    right = client.post(f"{page}decide/", sent | {"password": PASSWORD})
    assert right.status_code == 302
    assert Decision.objects.get().person == world.ben


@pytest.mark.django_db
def test_confirming_nothing_is_a_sentence() -> None:
    founded = founding.found(
        team_name="Platform", board=[("Ana", "ana@example.com"), ("Ben", "ben@example.com")]
    )
    browser = sign_in_as(founded.founders[1].user)
    response = browser.post("/policies/confirm/", {"proposal": ["x", "-1"]})
    assert response.status_code == 422
    assert "Tick at least one policy" in words(response)


def test_i5_a_proposal_is_withdrawn_through_its_own_policy_only(
    browser: Client, world: World
) -> None:
    browser.post(f"{policy_path(world)}propose/", NEXT_FORM)
    proposal = world.production.policy.proposals.get(state="open")
    for act in ("", "withdraw/", "decide/", "take-back/"):
        path = f"/policies/P-987654/proposals/{proposal.pk}/{act}"
        asked = browser.post(path) if act else browser.get(path)
        assert asked.status_code == 404
    browser.post(f"{policy_path(world)}proposals/{proposal.pk}/withdraw/")
    proposal.refresh_from_db()
    assert proposal.state == "withdrawn"


def test_a_new_policy_is_proposed(browser: Client) -> None:
    response = browser.post("/policies/new/", NEXT_FORM | {"name": "Hotfix"}, follow=True)
    assert "Put version 1 of Hotfix in force?" in words(response)
    assert "Not in force yet" in words(browser.get("/policies/"))


# ── History ──────────────────────────────────────────────────────────────────────────────────────


def test_history_is_sentences_with_filters_in_the_address(browser: Client, world: World) -> None:
    ask(world)
    page = browser.get("/history/?object=r-42")
    assert "Rita Moss asked for approval of R-42 for Production" in words(page)
    assert "created the team" not in words(page)
    chip = re.search(r'<a class="chip" aria-current="true" href="([^"]*)">R-42', text(page))
    assert chip is not None
    assert "created the team Sales" in words(browser.get(chip[1]))


@pytest.mark.parametrize(
    ("query", "told", "not_told"),
    [
        ("area=team", "created the team Sales", "proposed version"),
        ("q=nothing-like-this", "Nothing matches these filters.", "Ana Lima created"),
        ("team=sales", "made Dev Patel developer", "created the policy"),
        ("since=2001-01-01&until=2001-01-02", "Nothing matches", "Ana Lima created"),
        ("since=garbage", "Enter a valid date.", "Nothing matches"),
        ("until=9999-12-31", "created the team Sales", "Nothing matches"),
        ("person=999999999999999999999", "created the team Sales", "Nothing matches"),
        ("at=garbage", "created the team Sales", "Nothing matches"),
        ("object=%3Cscript%3E", "An object is named like R-42", "<script>"),
    ],
)
def test_filters_are_read_kindly(browser: Client, query: str, told: str, not_told: str) -> None:
    page = browser.get(f"/history/?{query}")
    assert page.status_code == 200
    assert told in words(page)
    assert not_told not in words(page)


def test_one_s_own_history_is_found_by_person(browser: Client, world: World) -> None:
    page = words(browser.get(f"/history/?person={world.ben.pk}"))
    assert "Ben Okafor confirmed version 1" in page
    assert "created the team" not in page


def test_an_event_opens_to_its_facts_and_its_text(browser: Client, world: World) -> None:
    ask(world)
    event = AuditEvent.objects.get(event="approval.opened")
    page = browser.get(event.get_absolute_url())
    assert "Production v1" in words(page)
    assert "approval.opened" in words(page)
    assert "&quot;event&quot;:&quot;approval.opened&quot;" in text(page)
    assert browser.get("/history/H-987654321/").status_code == 404


def test_history_pages_lead_on_and_back(browser: Client, world: World) -> None:
    with acting(world.ana):
        for number in range(60):
            people.rename_team(team_id=world.sales.pk, name=f"Sales {number}")
    first = browser.get("/history/?area=team")
    assert "Sales 59" in words(first)
    assert "Sales 5 " not in words(first)
    older = re.search(r'rel="next" href="([^"]*)"', text(first))
    assert older is not None
    second = browser.get(f"/history/{older[1].replace('&amp;', '&')}")
    assert "Sales 5" in words(second)
    newer = re.search(r'rel="prev" href="([^"]*)"', text(second))
    assert newer is not None
    assert "Sales 59" in words(browser.get(f"/history/{newer[1].replace('&amp;', '&')}"))


def test_the_file_holds_what_the_filters_leave(browser: Client, world: World) -> None:
    with acting(world.ana):
        people.rename_team(team_id=world.sales.pk, name="=HYPERLINK(1)")
    response = browser.get("/history/history.csv?team=sales&area=team")
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    content = b"".join(response.streaming_content).decode()  # type: ignore[attr-defined]
    rows = list(csv.DictReader(io.StringIO(content, newline="")))
    assert [row["what"] for row in rows] == ["team.renamed", "team.created"]
    assert rows[0]["sentence"] == "Ana Lima renamed the team Sales to =HYPERLINK(1)"
    assert not any(cell.startswith("=") for row in rows for cell in row.values())


def test_an_approval_s_id_leads_to_the_page_that_asks(browser: Client, world: World) -> None:
    request = ask(world)
    assert browser.get(f"/approvals/{request.public_id}/")["Location"] == "/releases/R-42/"


@pytest.mark.parametrize(
    "path", ["/teams/nothing/", "/people/999999/", "/policies/P-999999/", "/approvals/A-999999/"]
)
def test_what_does_not_exist_is_a_page_that_says_so(browser: Client, path: str) -> None:
    assert browser.get(path).status_code == 404
