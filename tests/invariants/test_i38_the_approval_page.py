"""I-38 on the page where a release is approved: a fresh POST from this very page, or nothing."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from core import clock
from governance import stepup
from governance.models import Decision
from releases.models import Release
from releases.services import approval
from tests.releases.pages.conftest import Looks
from tests.support.company import Company


@pytest.fixture
def release(company: Company) -> Release:
    """The October train, which the board is asked about."""
    return company.releases["October train"]


def address(release: Release) -> str:
    return reverse("releases:approval_decide", kwargs={"pk": release.pk})


def answer(release: Release, **changes: Any) -> dict[str, Any]:
    shown = approval.card(release).shown_digest
    return {"verdict": "approve", "comment": "", "shown_digest": shown} | changes


def decisions(release: Release) -> int:
    return Decision.objects.filter(request=approval.request_of(release)).count()


@pytest.mark.parametrize("method", ["get", "head", "options", "put", "patch", "delete", "trace"])
def test_i38_nothing_but_a_post_approves_a_release(
    release: Release, as_person: Looks, method: str
) -> None:
    client, before = as_person("ana"), decisions(release)
    assert getattr(client, method)(address(release)).status_code in {405, 200}
    assert client.get(address(release), answer(release)).status_code == 405
    assert decisions(release) == before


def test_i38_no_other_site_approves_a_release(release: Release, as_person: Looks) -> None:
    before = decisions(release)
    client = Client(enforce_csrf_checks=True)
    client.cookies = as_person("ana").cookies
    assert client.post(address(release), answer(release)).status_code == 403
    page = client.get(reverse("releases:approval", kwargs={"pk": release.pk}))
    assert page["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in page["Content-Security-Policy"]
    token = page.content.decode().partition('name="csrfmiddlewaretoken" value="')[2].partition('"')
    sent = answer(release, csrfmiddlewaretoken=token[0])
    for origin in ("https://evil.example", "null"):
        elsewhere = client.post(address(release), sent, headers={"Origin": origin})
        assert elsewhere.status_code == 403
    assert decisions(release) == before
    assert client.post(address(release), sent).status_code == 302
    assert decisions(release) == before + 1


@pytest.mark.parametrize(("minutes", "counts"), [(9, True), (11, False), (-60, False)])
def test_i38_the_proof_behind_an_approval_is_fresh(
    release: Release, as_person: Looks, minutes: int, counts: bool
) -> None:
    client, before = as_person("ana"), decisions(release)
    session = client.session
    session[stepup.PROVED_AT] = int(clock.now().timestamp()) - minutes * 60
    session.save()
    code = client.post(address(release), answer(release)).status_code
    assert code == (302 if counts else 422)
    assert decisions(release) - before == counts


def test_i38_an_approval_that_is_sent_again_or_shows_something_else_decides_nothing(
    release: Release, as_person: Looks
) -> None:
    client, before = as_person("ana"), decisions(release)
    other = answer(release, shown_digest="sha256:" + "0" * 64)
    assert client.post(address(release), other).status_code == 409
    sent = answer(release)
    assert client.post(address(release), sent).status_code == 302
    assert client.post(address(release), sent).status_code == 409
    assert decisions(release) == before + 1
