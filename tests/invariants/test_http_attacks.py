"""Attacks on decisions through HTTP by somebody who has a browser, or somebody else's."""

from __future__ import annotations

from functools import partial

import pyotp
import pytest
from django.test import Client
from django.urls import reverse

from core import clock
from governance import approvals, stepup
from governance.models import ApprovalRequest, Decision, SecondFactor
from governance.services import people, secondfactor
from releases.models import Release
from releases.services import approval
from tests.governance.world import PASSWORD, World, with_password
from tests.invariants.test_i38_the_approval_page import address, answer, decisions
from tests.releases.pages.conftest import Looks
from tests.support.company import Company, acting
from tests.support.race import race


@pytest.fixture
def release(company: Company) -> Release:
    """The October train, which the board is asked about."""
    return company.releases["October train"]


def browser(company: Company, name: str) -> Client:
    """A browser of somebody who has just typed the password."""
    client = Client(raise_request_exception=False)
    client.force_login(company.people[name])
    session = client.session
    session[stepup.PROVED_AT] = int(clock.now().timestamp())
    session.save()
    return client


def test_i08_a_double_click_is_one_approval(committed: Company) -> None:
    """Four posts of one form at once, each on a connection of its own; then an account is closed.

    Whichever of decision and closing comes first: nothing of a closed account counts afterwards.
    """
    release, ben = committed.releases["October train"], committed.people["ben"]
    cookie = browser(committed, "ana").cookies["gatehouse"].value
    windows = [Client(headers={"Cookie": f"gatehouse={cookie}"}) for _ in range(4)]
    form = answer(release)
    outcomes = race(*[partial(each.post, address(release), form) for each in windows])
    assert sorted(each.value.status_code for each in outcomes) == [302, 409, 409, 409]
    assert decisions(release) == 1

    def close() -> None:
        with acting(committed.people["ines"]):
            people.deactivate(user_id=ben.pk, reason="Left.")

    window = browser(committed, "ben")
    decided, closed = race(partial(window.post, address(release), answer(release)), close)
    assert closed.error is None
    assert decided.value.status_code in {302, 403, 409}
    asked = approval.request_of(release)
    assert asked is not None
    request = ApprovalRequest.objects.select_related("policy_version").get(pk=asked.pk)
    assert set(approvals.progress(request).outcome.counted) == {committed.people["ana"].pk}
    assert window.get("/").status_code == 302


def test_i38_one_code_opens_one_session(committed_world: World) -> None:
    """The same one-time code typed in three windows at once."""
    ana = committed_world.ana
    with acting(ana):
        secondfactor.begin()
    factor = SecondFactor.objects.get(user=ana)
    SecondFactor.objects.filter(user=ana).update(confirmed_at=clock.now())
    secret = secondfactor._open(factor.secret)
    assert secret is not None
    code = pyotp.TOTP(secret).at(clock.now())
    taken = race(*[partial(secondfactor.check_code, ana, code, "192.0.2.1")] * 3)
    assert sum(each.error is None for each in taken) == 1


def test_i38_no_method_but_the_real_one_counts(release: Release, as_person: Looks) -> None:
    client, before = as_person("ana"), decisions(release)
    for header in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
        got = client.get(address(release), answer(release), headers={header: "POST"})
        assert got.status_code == 405
    assert client.get(address(release), answer(release, _method="post")).status_code == 405
    assert decisions(release) == before


def test_i14_what_the_address_says_besides_the_form_is_not_read(
    release: Release, as_person: Looks
) -> None:
    """Parameters twice, in the address and in the form: one verdict, the form's last."""
    client, before = as_person("ana"), decisions(release)
    polluted = f"{address(release)}?verdict=approve&shown_digest={answer(release)['shown_digest']}"
    assert client.post(polluted, {}).status_code in {409, 422}
    assert client.post(polluted, answer(release, verdict="nonsense")).status_code == 422
    assert decisions(release) == before
    twice = answer(release, verdict=["approve", "reject"], comment="No.")
    assert client.post(address(release), twice).status_code == 302
    made = Decision.objects.filter(request=approval.request_of(release))
    assert [each.verdict for each in made] == ["reject"]


def test_i38_a_fresh_proof_is_of_one_session(
    company: Company, release: Release, as_person: Looks
) -> None:
    """The password typed in one browser is no proof in another of the same person."""
    as_person("ana")
    other, before = Client(), decisions(release)
    other.force_login(company.people["ana"])
    session = other.session
    session.pop(stepup.PROVED_AT, None)
    session.save()
    assert other.post(address(release), answer(release)).status_code == 422
    assert decisions(release) == before


def test_i38_a_session_that_was_put_into_the_browser_is_not_the_one_that_signs_in(
    company: Company,
) -> None:
    """Session fixation: the id changes with the sign-in, and the old one opens nothing."""
    ana = company.people["ana"]
    with_password(ana)
    client = Client()
    session = client.session
    session["planted"] = "x"
    session.save()
    planted = session.session_key
    client.cookies["gatehouse"] = str(planted)
    given = {"email": ana.email, "password": PASSWORD}
    assert client.post(reverse("governance:sign_in"), given).status_code == 302
    assert client.session.session_key != planted
    thief = Client()
    thief.cookies["gatehouse"] = str(planted)
    assert thief.get("/account/").status_code == 302


def test_i38_nothing_that_a_person_saw_is_kept(release: Release, as_person: Looks) -> None:
    """After signing out, Back asks anew; no cache keeps a page, a fragment or a download."""
    client = as_person("ana")
    for path in ("/", release.get_absolute_url(), reverse("releases:list_csv")):
        assert "no-store" in client.get(path)["Cache-Control"]
    client.post(reverse("governance:sign_out"))
    assert client.get(release.get_absolute_url()).status_code == 302


def test_i38_a_foreign_host_is_answered_nothing(release: Release, as_person: Looks) -> None:
    client, before = as_person("ana"), decisions(release)
    for host in ("evil.example", "localhost.evil.example", "localhost@evil.example"):
        got = client.post(address(release), answer(release), headers={"Host": host})
        assert got.status_code == 400
    assert decisions(release) == before


def test_i39_an_address_with_a_nul_is_refused_with_a_sentence(as_person: Looks) -> None:
    """PostgreSQL keeps none in a text, so every list that is searched would fail over it."""
    client = as_person("marek")
    for path in ("/releases/?q=%00", "/collisions/?q=a%00b", "/found/%00/", "/search/?q=%00"):
        got = client.get(path)
        assert (got.status_code, "holds a NUL" in got.content.decode()) == (422, True), path
