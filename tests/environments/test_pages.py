"""The pages: what they show, to whom, and that no secret ever comes back."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from environments import pages
from environments.models import Credential, Environment, PolicyAssignment, Snapshot
from environments.services import leases, orgs, policies, snapshots
from environments.services.orgs import Words
from tests.environments.conftest import CI_ID, PRD_ID, SECRET, House, policy, words
from tests.salesforce.scripted import Scripted, page
from tests.support.databases import as_role

Work = Callable[..., None]


def browse(house: House, name: str) -> Client:
    """A browser in which this person is signed in."""
    client = Client()
    client.force_login(house.people[name])
    return client


def text(client: Client, url: str, status: int = 200) -> str:
    answer = client.get(url)
    assert answer.status_code == status, answer.content[:500]
    return answer.content.decode()


# The board ---------------------------------------------------------------------------------------


def test_the_board_shows_every_track_and_what_is_missing(
    house: House, connected: Environment
) -> None:
    shown = text(browse(house, "lena"), "/environments/")
    assert "Sales CI" in shown
    assert "Developer Pro" in shown
    assert "80 %" in shown
    assert "No org" in shown
    assert shown.count('class="group"') == 3


def test_an_empty_installation_says_what_would_appear(house: House) -> None:
    shown = text(browse(house, "ines"), "/environments/?q=nothing")
    assert "No environment matches." in shown


@pytest.mark.parametrize(
    ("query", "found"),
    [("q=sales", True), ("q=sales+ci", True), ("q=service", False), ("show=attention", False)],
)
def test_filters_are_in_the_address(
    house: House, connected: Environment, query: str, found: bool
) -> None:
    shown = text(browse(house, "lena"), f"/environments/?{query}")
    assert ("Northwind" in shown) == found


def test_the_board_as_a_spreadsheet_holds_no_formula(house: House, connected: Environment) -> None:
    with house.acting("priya"):
        orgs.edit(
            environment_id=connected.pk,
            seen_version=Words.of(connected).version(),
            words=words(None, name="=1+1", login_host=connected.login_host),
        )
    answer = browse(house, "lena").get("/environments/?format=csv")
    assert answer.headers["Content-Type"].startswith("text/csv")
    lines = b"".join(answer).decode().splitlines()
    assert lines[0].startswith("id,name,track")
    assert f"{connected.public_id},'=1+1,Sales,CI" in lines[1]


@pytest.mark.parametrize(("who", "may"), [("priya", True), ("ines", True), ("lena", False)])
def test_the_button_to_register_says_who_may(house: House, who: str, may: bool) -> None:
    shown = text(browse(house, who), "/environments/")
    assert ('href="/environments/new/"' in shown) == may
    if not may:
        assert "Team leads register" in shown


# Registering and connecting ----------------------------------------------------------------------


def test_an_org_is_registered_connected_and_checked_by_hand(
    house: House, server: Scripted, work: Work
) -> None:
    client = browse(house, "priya")
    assert "Sales DEV" in text(client, "/environments/new/?track=sales&stage=DEV")
    answer = client.post(
        "/environments/new/",
        {
            "place": "sales:CI",
            "name": "Sales CI",
            "licence_type": "developer_pro",
            "login_host": server.host,
            "expected_organization_id": CI_ID,
            "api_version": "64.0",
        },
    )
    made = Environment.objects.get()
    assert answer.headers["Location"] == f"/environments/{made.public_id}/credential/"
    form = {"flow": "client_credentials", "client_id": "3MVG9", "username": "", "secret": SECRET}
    answer = client.post(answer.headers["Location"], form)
    assert answer.headers["Location"] == f"/environments/{made.public_id}/"
    waiting = text(client, made.get_absolute_url())
    assert 'hx-trigger="every 2s"' in waiting
    assert "A check runs already." in waiting
    work("deploy")
    shown = text(client, made.get_absolute_url())
    assert "Connected" in shown
    assert "hx-trigger" not in shown.partition('id="connection"')[2].partition("</section>")[0]
    assert "Northwind" in shown
    for address in (made.get_absolute_url(), f"/environments/{made.public_id}/credential/"):
        assert SECRET not in text(client, address)


def test_a_refused_form_keeps_every_entry_but_the_secret(
    house: House, environment: Environment
) -> None:
    client = browse(house, "priya")
    answer = client.post(
        f"/environments/{environment.public_id}/credential/",
        {
            "flow": "jwt",
            "client_id": "3MVG9kept",
            "username": "kept@acme.example",
            "secret": SECRET,
        },
    )
    shown = answer.content.decode()
    assert answer.status_code == 422
    assert "not an unencrypted private key" in shown
    assert "3MVG9kept" in shown
    assert "kept@acme.example" in shown
    assert SECRET not in shown
    assert not Credential.objects.exists()


def test_a_refused_registration_blames_its_field(house: House) -> None:
    answer = browse(house, "priya").post(
        "/environments/new/",
        {
            "place": "sales:CI",
            "name": "Sales CI",
            "licence_type": "developer",
            "login_host": "evil.example",
            "expected_organization_id": CI_ID,
            "api_version": "64.0",
        },
    )
    shown = answer.content.decode()
    assert answer.status_code == 422
    assert "evil.example is not an address of Salesforce" in shown
    assert not Environment.objects.exists()


def test_a_place_of_another_team_cannot_be_chosen(house: House) -> None:
    answer = browse(house, "tomas").post(
        "/environments/new/",
        {
            "place": "sales:CI",
            "name": "Mine",
            "licence_type": "developer",
            "login_host": "acme.my.salesforce.com",
            "expected_organization_id": CI_ID,
            "api_version": "64.0",
        },
    )
    assert answer.status_code == 422
    assert not Environment.objects.exists()


def test_a_stale_edit_shows_what_is_there_and_can_be_sent_again(
    house: House, environment: Environment
) -> None:
    client = browse(house, "priya")
    url = f"/environments/{environment.public_id}/edit/"
    seen = Words.of(environment)
    with house.acting("ines"):
        orgs.edit(
            environment_id=environment.pk,
            seen_version=seen.version(),
            words=words(None, name="Renamed by Ines", login_host=environment.login_host),
        )
    form = {
        "name": "Renamed by Priya",
        "licence_type": "developer_pro",
        "login_host": environment.login_host,
        "expected_organization_id": CI_ID,
        "api_version": "64.0",
        "version": seen.version(),
    }
    answer = client.post(url, form)
    shown = answer.content.decode()
    assert answer.status_code == 422
    assert "Renamed by Ines" in shown
    assert "Renamed by Priya" in shown
    fresh = shown.partition('name="version" value="')[2].partition('"')[0]
    assert client.post(url, {**form, "version": fresh}).status_code == 302
    environment.refresh_from_db()
    assert environment.name == "Renamed by Priya"


# One environment ---------------------------------------------------------------------------------


def test_a_failed_check_is_explained_on_the_page(
    house: House, sealed: Environment, server: Scripted, work: Work
) -> None:
    server.on("POST", "/services/oauth2/token", page(503))
    work("deploy")
    shown = text(browse(house, "priya"), sealed.get_absolute_url())
    assert "answered with a web page" in shown
    assert "Enter the credential again" in shown
    assert "could not connect Sales CI" in shown


def test_the_page_says_who_uses_it_and_why_buttons_are_off(
    house: House, connected: Environment
) -> None:
    with as_role("deploy"):
        leases.take(
            environment_id=connected.pk, holder_kind="deployment", holder_id=7, holder_label="D-7"
        )
    shown = text(browse(house, "tomas"), connected.get_absolute_url())
    assert "In use by D-7" in shown
    assert "team lead" in shown
    assert "disabled" in shown
    assert "/check/" not in shown


def test_a_protected_org_shows_its_mark_and_its_policy(house: House) -> None:
    with house.acting("ines"):
        production = orgs.create(
            team=None,
            stage="PRD",
            words=words(
                None, name="Production", licence_type="production", expected_organization_id=PRD_ID
            ),
        )
    shown = text(browse(house, "lena"), production.get_absolute_url())
    assert "No policy, so nothing may be deployed" in shown
    assert "production&#x27;s track" in shown
    chosen = policy(house, quorum=1, governs_board=True)
    client = browse(house, "ana")
    url = f"/environments/{production.public_id}/policy/"
    assert "Production" in text(client, url)
    assert client.post(url, {"policy": chosen.pk}).status_code == 302
    asked = PolicyAssignment.objects.get(environment=production)
    assert "No policy" in text(client, production.get_absolute_url()), "the board has a say first"
    with house.acting("ana"):
        policies.withdraw(assignment_id=asked.pk)


def test_the_live_part_is_the_same_address(house: House, connected: Environment) -> None:
    answer = browse(house, "lena").get(connected.get_absolute_url(), headers={"HX-Request": "true"})
    shown = answer.content.decode()
    assert shown.lstrip().startswith('<section class="section" id="connection"')
    assert "<html" not in shown


def test_apps_above_have_one_place_for_their_panels(
    house: House, connected: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "_panels", {})
    pages.register_panel("Deployments", lambda item: f"/panel/{item.pk}/")
    shown = text(browse(house, "lena"), connected.get_absolute_url())
    assert f'hx-get="/panel/{connected.pk}/"' in shown
    with pytest.raises(ValueError, match="twice"):
        pages.register_panel("Deployments", lambda item: "/other/")


def test_retiring_asks_for_the_name_on_the_page(house: House, environment: Environment) -> None:
    client = browse(house, "priya")
    url = f"/environments/{environment.public_id}/retire/"
    assert "Type the environment" in text(client, url)
    assert client.post(url, {"typed_name": "no"}).status_code == 422
    assert client.post(url, {"typed_name": "Sales CI"}).headers["Location"] == "/environments/"
    environment.refresh_from_db()
    assert environment.retired_at is not None
    assert "Retired" in text(client, environment.get_absolute_url())


@pytest.mark.parametrize(
    "path",
    [
        "/environments/E-999999/",
        "/environments/E-999999/edit/",
        "/environments/E-999999/snapshots/",
        "/snapshots/S-999999/",
        "/environments/R-1/",
        "/environments/E-0/",
        "/environments/E-99999999999999999999/",
    ],
)
def test_what_is_not_there_is_not_found(house: House, path: str) -> None:
    assert browse(house, "ines").get(path).status_code == 404


def test_strangers_see_nothing(house: House, environment: Environment) -> None:
    for path in ("/environments/", environment.get_absolute_url(), "/environments/new/"):
        assert Client().get(path).status_code == 302


@pytest.mark.parametrize("act", ["check", "snapshots/take"])
def test_acts_are_posts_and_refused_in_words(
    house: House, connected: Environment, act: str
) -> None:
    url = f"/environments/{connected.public_id}/{act}/"
    assert browse(house, "priya").get(url).status_code == 405
    answer = browse(house, "tomas").post(url)
    assert answer.status_code == 403
    assert "role" in answer.content.decode()


# Snapshots ---------------------------------------------------------------------------------------


def test_snapshots_are_listed_and_shown(house: House, connected: Environment) -> None:
    client = browse(house, "lena")
    url = f"/environments/{connected.public_id}/snapshots/"
    assert "No snapshot here." in text(client, url)
    answer = client.post(f"{url}take/")
    made = Snapshot.objects.get()
    assert answer.headers["Location"] == made.get_absolute_url()
    assert "Requested" in text(client, made.get_absolute_url())
    assert "ApexClass" in text(client, made.get_absolute_url())
    assert made.public_id in text(client, url)
    assert made.public_id in text(client, connected.get_absolute_url())


def test_long_lists_of_snapshots_are_paged(house: House, connected: Environment) -> None:
    with house.acting("priya"):
        made = [
            snapshots.request(environment=connected, manifest={"ApexClass": ["*"]}, purpose="x")
            for _ in range(27)
        ]
    client = browse(house, "lena")
    url = f"/environments/{connected.public_id}/snapshots/"
    first = text(client, url)
    assert made[-1].public_id in first
    assert f">{made[0].public_id}<" not in first
    older = first.partition('rel="next" href="')[2].partition('"')[0]
    assert f">{made[0].public_id}<" in text(client, older)
