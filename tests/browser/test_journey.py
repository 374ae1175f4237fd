"""The main job in the browser, as a newcomer does it on the running product.

Two teams push a commit; it is built; they tag it, take it to TEST and offer it; a release of both
goes through integration and rehearsal to production, with two people of the board in between; the
org holds it afterwards and the history tells it. A release that was prepared before is stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, expect

from demo.content import commits
from demo.content.next_work import PLANS
from demo.content.repositories import git
from tests.browser.product import Product, product
from tests.browser.visitor import PATIENCE, Visitor

pytestmark = [pytest.mark.browser, pytest.mark.processes, pytest.mark.timeout(900)]
__all__ = ["product"]

TITLE = "Bonuses"
OLDER = "/releases/R-2/"
LEADS = {"sales": "priya.raman", "loyalty": "yuki.sato"}
TAGS = {"sales": "v4.4.0", "loyalty": "v0.9.0"}
HURRIED = 10

Visit = Callable[[str], Visitor]


@pytest.fixture
def visit(chromium_browser: Browser, product: Product) -> Iterator[Visit]:
    """Let people of the demo company come: visit("ana.keller")."""
    here: dict[str, Visitor] = {}

    def come(name: str) -> Visitor:
        if name not in here:
            here[name] = Visitor(chromium_browser, product.url, f"{name}@northwind.example")
        return here[name]

    yield come
    for visitor in here.values():
        visitor.close()


def test_change_of_two_teams_goes_from_commit_to_production(product: Product, visit: Visit) -> None:
    product.operator("POST", "/clock", {"speed": HURRIED})
    added = {f"ApexClass:{PLANS[team].works[0].name}" for team in LEADS}
    assert not added & product.components("northwind")

    for team in LEADS:
        pushed = commits.push(product.repositories, team)
        see_build_pass(visit(LEADS[team]), team, pushed)
    for team in LEADS:
        git(product.repositories / f"{team}.git", "tag", TAGS[team], "main")
    for team in LEADS:
        offer_tag(visit(LEADS[team]), team)
    release = compose_release(visit("marek.novak"))
    bring_before_board(visit("marek.novak"))
    assert not added & product.components("northwind")

    approve(visit("ana.keller"))
    assert not added & product.components("northwind")
    approve(visit("ben.okafor"))

    see_deployed(visit("marek.novak"), release)
    assert added <= product.components("northwind")
    read_story(visit("paul.weiss"), release)
    approve_what_is_out_of_date(visit("ana.keller"))


def see_build_pass(lead: Visitor, team: str, pushed: commits.Pushed) -> None:
    """The commit appears by itself and its build passes."""
    row = lead.page.locator("main tbody tr", has_text=pushed.message)
    for _ in range(60):
        lead.open(f"/teams/{team}/builds/")
        if row.count():
            break
        lead.page.wait_for_timeout(500)
    row.get_by_role("link").first.click()
    lead.wait_for_state("Passed")
    lead.sees(pushed.sha[:7])


def offer_tag(lead: Visitor, team: str) -> None:
    """The tag goes to TEST, user testing is signed, and the tag is offered."""
    lead.open(f"/teams/{team}/repository/")
    lead.press("Fetch now")
    pick = lead.page.get_by_role("link", name=f"Pick {TAGS[team]}")
    for _ in range(60):
        if pick.count():
            break
        lead.page.wait_for_timeout(500)
        lead.page.reload()
    pick.click()
    lead.press("Deploy to TEST")
    lead.wait_for_state("In user testing")
    lead.press("User tests passed…")
    lead.page.locator("main form textarea").fill("Tried with two account managers.")
    lead.page.locator("main form .btn.primary").click()
    lead.wait_for_state("User tests passed")
    lead.press("Offer to a release")
    lead.wait_for_state("Offered")


def compose_release(manager: Visitor) -> str:
    """The release manager puts both candidates into a new release; gives its path."""
    manager.open("/releases/new/")
    manager.page.get_by_label("Title", exact=True).fill(TITLE)
    manager.page.locator("main form .btn.primary").click()
    manager.wait_for_state("Draft")
    for tag in TAGS.values():
        choice = manager.page.get_by_label("Candidate", exact=True)
        value = choice.locator("option", has_text=tag).get_attribute("value")
        choice.select_option(value)
        manager.press("Add candidate")
        expect(manager.page.locator("#contents tbody")).to_contain_text(tag)
    manager.press("Compose")
    manager.wait_for_state("Composed")
    return f"/releases/{manager.reference()}/"


def bring_before_board(manager: Visitor) -> None:
    """Integration, rehearsal, preparation, and the question to the board."""
    manager.press("Deploy to CI")
    manager.wait_for_state("Integrated")
    manager.press("Rehearse in PRE-PRD")
    manager.wait_for_state("Rehearsed")
    manager.press("Prepare production")
    submit = manager.page.get_by_role("button", name="Ask the release board")
    expect(submit).to_be_enabled(timeout=PATIENCE)
    submit.click()
    manager.wait_for_state("Waiting for approval")


def approve(member: Visitor) -> None:
    """A member of the board finds the question on the home page and approves it."""
    member.open("/")
    row = member.page.locator("#waiting li, #waiting tr", has_text=TITLE)
    row.get_by_role("link", name="Review").click()
    member.sees(TITLE)
    member.press("Approve")
    member.sees("You approved")


def see_deployed(manager: Visitor, release: str) -> None:
    """The release reaches production by itself."""
    manager.open(release)
    manager.wait_for_state("In production")


def read_story(auditor: Visitor, release: str) -> None:
    """The history tells the whole way, with the people who went it."""
    auditor.open(release)
    reference = auditor.reference()
    auditor.open(f"/history/?q={reference}")
    for sentence in ("Marek Novák", "Ana Keller approved", "Ben Okafor approved"):
        auditor.sees(sentence)


def approve_what_is_out_of_date(member: Visitor) -> None:
    """The last approval of an older release no longer deploys it: production has changed."""
    member.open(f"{OLDER}approval/")
    member.press("Approve")
    member.open(OLDER)
    member.wait_for_state("Draft")
    member.sees("changed since")
