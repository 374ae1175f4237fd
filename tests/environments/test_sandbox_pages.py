"""The pages of sandboxes, opened by those who may and those who may not."""

from __future__ import annotations

import time

from django.test import Client

from tests.browser.pages import PAGES
from tests.releases.pages.conftest import company, founded
from tests.support.company import Company, copies

__all__ = ["company", "founded"]

OURS = ("sandbox", "refresh", "reconnect")


def client_of(company: Company, who: str) -> Client:
    client = Client()
    client.force_login(company.people[who])
    return client


def test_every_page_opens(company: Company) -> None:
    cases = [case for case in PAGES if any(word in case.name for word in OURS)]
    assert len(cases) >= 10
    for case in cases:
        answer = client_of(company, case.who).get(case.path(company))
        assert answer.status_code == 200, (case.name, answer.content[:300])


def test_the_form_shows_the_guard_the_train_and_who_must_agree(company: Company) -> None:
    copies.listed(company)
    env = company.orgs["Service TEST"]
    client = client_of(company, "tomas")
    shown = client.get(f"/environments/{env.public_id}/refresh/").content.decode()
    assert "can be refreshed again on" in shown
    assert "Who must agree" in shown
    assert "1 release manager" in shown
    typed = {"start": "now", "reason": "old", "template_id": "1ps000000000001AAA"}
    answer = client.post(f"/environments/{env.public_id}/refresh/", typed)
    assert answer.status_code == 422
    assert "can be refreshed again on" in answer.content.decode()
    assert "old</textarea>" in answer.content.decode()
    stranger = client_of(company, "lena")
    assert stranger.post(f"/environments/{env.public_id}/refresh/", typed).status_code == 403


def test_the_right_person_decides_on_the_page(company: Company) -> None:
    asked = copies.requests(company)["asked"]
    path = f"/sandbox-requests/{asked.public_id}/"
    marek = client_of(company, "marek")
    page = marek.get(path)
    digest = page.context["page"].digest
    assert "What would be lost" in page.content.decode()
    wrong = client_of(company, "chloe").post(
        f"{path}decide/", {"shown_digest": digest, "verdict": "approve"}
    )
    assert wrong.status_code in (403, 422)
    session = marek.session
    session["stepped_up_at"] = int(time.time())
    session.save()
    done = marek.post(f"{path}decide/", {"shown_digest": digest, "verdict": "approve"})
    assert done.status_code == 302, done.content.decode()[:2000]
    asked.refresh_from_db()
    assert asked.state == "approved"
    assert client_of(company, "tomas").post(f"{path}withdraw/").status_code == 302
    asked.refresh_from_db()
    assert asked.state == "withdrawn"


def test_an_environment_to_reconnect_says_so(company: Company) -> None:
    request = copies.requests(company)["reconnect"]
    assert request.environment is not None
    priya = client_of(company, "priya")
    page = priya.get(request.environment.get_absolute_url()).content.decode()
    assert "Connect it anew" in page
    form = priya.get(f"{request.environment.get_absolute_url()}reconnect/").content.decode()
    assert "00D000000000088AAA" in form
    assert ".slsci" in form
