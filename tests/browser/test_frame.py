"""What the frame does in a browser: keys, menus, copying, live parts; all also without script."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from governance.models import Membership, Team
from tests.support.browser import PHONE, OpenWindow
from tests.support.company import Company
from tests.support.databases import as_role

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def test_keys_lead_to_the_pages_and_open_their_own_list(
    live_company: Company, open_window: OpenWindow
) -> None:
    window = open_window(live_company.people["ana"])
    window.open("/teams/")
    page = window.page
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#keys")).to_be_hidden()
    for keys, address in (("gr", "/releases/"), ("ge", "/environments/"), ("gh", "/")):
        page.keyboard.press(keys[0])
        page.keyboard.press(keys[1])
        page.wait_for_url(f"{window.origin}{address}")
    page.keyboard.press("/")
    page.wait_for_url(f"{window.origin}/search/")


def test_keys_typed_into_a_field_stay_there(live_company: Company, open_window: OpenWindow) -> None:
    window = open_window(live_company.people["ana"])
    window.open("/search/")
    window.page.locator("main input[name=q]").press_sequentially("gh?/")
    expect(window.page.locator("main input[name=q]")).to_have_value("gh?/")
    assert window.page.url == f"{window.origin}/search/"


def test_single_keys_can_be_switched_off(live_company: Company, open_window: OpenWindow) -> None:
    window = open_window(live_company.people["ana"])
    window.open("/teams/")
    page = window.page
    page.keyboard.press("?")
    page.locator("#keys-on").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("r")
    page.keyboard.press("j")
    page.wait_for_timeout(200)
    assert page.url == f"{window.origin}/teams/"
    page.reload()
    page.keyboard.press("?")
    expect(page.locator("#keys-on")).not_to_be_checked()


def test_j_and_k_walk_through_the_rows(live_company: Company, open_window: OpenWindow) -> None:
    window = open_window(live_company.people["ana"])
    window.open("/search/?q=train")
    page = window.page
    page.locator("h1").click()
    focused = "document.activeElement.closest('li')?.textContent.trim().slice(0, 4)"
    page.keyboard.press("j")
    first = page.evaluate(focused)
    page.keyboard.press("j")
    assert page.evaluate(focused) != first
    page.keyboard.press("k")
    assert page.evaluate(focused) == first


def test_the_theme_button_outlives_the_page(live_company: Company, open_window: OpenWindow) -> None:
    window = open_window(live_company.people["ana"], theme="light")
    window.open("/")
    page = window.page
    background = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(background)
    page.locator("#theme").click()
    assert page.evaluate(background) != light
    page.goto(f"{window.origin}/teams/")
    assert page.evaluate(background) != light


def test_a_menu_closes_on_escape_and_gives_the_focus_back(
    live_company: Company, open_window: OpenWindow
) -> None:
    window = open_window(live_company.people["ana"], size=PHONE)
    window.open("/")
    page = window.page
    page.locator("#menu-everything summary").click()
    expect(page.locator("#menu-everything nav a", has_text="Releases")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#menu-everything nav a", has_text="Releases")).to_be_hidden()
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"


def test_signing_out_takes_one_button_and_a_post(
    live_company: Company, open_window: OpenWindow
) -> None:
    window = open_window(live_company.people["ana"])
    window.open("/")
    window.page.locator("#menu-person summary").click()
    window.page.locator("#menu-person button", has_text="Sign out").click()
    window.page.wait_for_url(re.compile("/sign-in/"))
    window.open("/")
    assert "/sign-in/" in window.page.url


def test_a_copy_button_takes_the_whole_digest(
    live_company: Company, open_window: OpenWindow
) -> None:
    window = open_window(live_company.people["ana"])
    window.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    release = live_company.releases["October train"]
    window.open(release.get_absolute_url())
    assert release.artefact is not None
    window.page.locator(f"[data-copy='{release.artefact.digest}']").first.click()
    expect(window.page.locator("#announce")).to_have_text(f"Copied {release.artefact.digest}")
    copied = window.page.evaluate("navigator.clipboard.readText()")
    assert copied == release.artefact.digest


def test_the_live_part_of_home_follows_the_rows_and_keeps_focus_and_open_parts(
    live_company: Company, open_window: OpenWindow
) -> None:
    for number in range(8):
        Team.objects.create(slug=f"quiet-{number}", name=f"Quiet {number}")
    window = open_window(live_company.people["ana"])
    window.open("/")
    page = window.page
    running = live_company.deployments["running"]
    link = page.locator(f"#live a.btn[href='{running.get_absolute_url()}']").first
    link.focus()
    with as_role("deploy"):
        running.steps.exclude(remote_id="").update(tests_done=1200)
    bar = page.locator(f"#live progress[aria-label^='{running.public_id} ']")
    expect(bar).to_have_attribute("value", "1200", timeout=15_000)
    assert page.evaluate("document.activeElement.getAttribute('href')") == (
        running.get_absolute_url()
    )


def test_the_live_part_stops_while_the_page_is_hidden(
    live_company: Company, open_window: OpenWindow
) -> None:
    window = open_window(live_company.people["ana"])
    window.open("/")
    page = window.page
    page.evaluate("Object.defineProperty(document, 'hidden', {get: () => true})")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(4_000)
    # The browser may fetch the page's icon late; only pages are asked for anew.
    assert [url for url in asked if "/static/" not in url] == []


def test_a_form_is_sent_once_however_often_it_is_clicked(
    live_company: Company, open_window: OpenWindow
) -> None:
    window = open_window(live_company.people["ines"])
    window.open("/teams/new/")
    page = window.page
    posts: list[str] = []
    page.on("request", lambda r: posts.append(r.url) if r.method == "POST" else None)
    page.locator("main form[method=post] input[name=name]").fill("Loyalty")
    page.locator("main form[method=post] button[type=submit]").dblclick()
    page.wait_for_url(re.compile("/teams/(?!new/)"))
    assert len(posts) == 1


def test_everything_of_the_frame_works_without_script(
    live_company: Company, open_window: OpenWindow
) -> None:
    window = open_window(live_company.people["ana"], script=False)
    window.open("/")
    page = window.page
    expect(page.locator("#theme")).to_be_hidden()
    page.locator("nav[aria-label=Main] a", has_text="Releases").click()
    page.locator("a[aria-label=Search]").click()
    page.locator("main input[name=q]").fill("october")
    page.locator("main button[type=submit]").click()
    page.locator("main a", has_text="October train").first.click()
    assert live_company.releases["October train"].public_id in page.url
    expect(page.locator(".copy").first).to_be_hidden()
    page.locator("#menu-person summary").click()
    page.locator("#menu-person button").click()
    page.wait_for_url(re.compile("/sign-in/"))


def test_the_pipeline_on_a_phone_says_in_words_what_waits(
    live_company: Company, open_window: OpenWindow
) -> None:
    window = open_window(live_company.people["ana"], size=PHONE)
    window.open("/")
    words = window.page.locator(".pipeline .edge-words").all_inner_texts()
    assert any("wait" in text for text in words)
    boxes = [node.bounding_box() for node in window.page.locator(".pipeline .node").all()]
    assert all(box and box["height"] >= 24 and box["width"] > 200 for box in boxes)


def test_somebody_without_a_team_gets_a_sentence(
    live_company: Company, open_window: OpenWindow
) -> None:
    ana = live_company.people["ana"]
    Membership.objects.filter(user=ana).update(revoked_at=live_company.now)
    window = open_window(ana)
    window.expected_statuses = {403}
    window.open("/")
    expect(window.page.locator("main")).to_contain_text("not a member of any team")


def test_pages_of_lower_apps_load_their_fragments_of_releases(
    live_company: Company, open_window: OpenWindow
) -> None:
    window = open_window(live_company.people["priya"])
    window.open(live_company.teams["sales"].get_absolute_url())
    build = live_company.builds["sales 3"]
    expect(window.page.locator("#team-releases")).to_contain_text(build.public_id)
    window.open(live_company.orgs["Service CI"].get_absolute_url())
    deployment = live_company.deployments["service build 3"]
    expect(window.page.locator("#environment-deployments")).to_contain_text(deployment.public_id)
