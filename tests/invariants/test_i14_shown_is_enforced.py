"""I-14: the page's verdict and the gate's come from one function; a stale form gets a 409."""

from __future__ import annotations

import html
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse

from core import db
from governance.models import Decision
from releases import gate
from releases.models import Release
from releases.services import approval, releases, stages
from tests.releases.pages.conftest import Looks
from tests.releases.pages.reading import page_of
from tests.support.company import Company, acting


@pytest.fixture
def train(company: Company) -> Release:
    return company.releases["October train"]


def test_i14_the_pages_say_what_the_gate_says(
    company: Company, train: Release, as_person: Looks
) -> None:
    """Golden test compares the page's text with gate().reasons."""
    deployment = approval.deployment_of(approval.request_of(train))  # type: ignore[arg-type]
    assert deployment is not None
    verdict = gate.evaluate(deployment, db.database_now())
    assert verdict.holding
    zone = ZoneInfo(company.people["marek"].zone)
    for where in (
        train.get_absolute_url(),
        deployment.get_absolute_url(),
        reverse("releases:approval", kwargs={"pk": train.pk}),
    ):
        body = html.unescape(as_person("marek").get(where).content.decode())
        for reason in verdict.holding:
            assert reason.told(zone) in body, (where, reason)


def test_i14_a_stale_form_is_refused_with_what_changed(
    company: Company, train: Release, as_person: Looks
) -> None:
    """Stale-form submit → 409 with diff."""
    client = as_person("ana")
    url = reverse("releases:approval", kwargs={"pk": train.pk})
    form = page_of(client, url).get_element_by_id("decide")
    typed = {field.get("name"): field.get("value") or "" for field in form.xpath(".//input[@name]")}
    typed.pop("csrfmiddlewaretoken", None)
    assert train.not_before is not None
    with acting(company.people["marek"]):
        releases.edit(release_id=train.pk, not_before=train.not_before - timedelta(hours=1))
        stages.submit(release_id=train.pk)
    answer = client.post(
        reverse("releases:approval_decide", kwargs={"pk": train.pk}),
        {**typed, "verdict": "approve", "comment": ""},
    )
    assert answer.status_code == 409
    assert "Window: <s>" in answer.content.decode()
    assert not Decision.objects.filter(request=approval.request_of(train)).exists()
