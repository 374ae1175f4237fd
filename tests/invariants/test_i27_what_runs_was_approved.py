"""I-27: What runs = what was approved.

Drift detector compares the digest reported by production with the last successful attempt; any
difference opens an incident "unapproved change". *Test:* change the fake target behind our back.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from core import clock
from core.context import Actor, acting_as
from governance.models import AuditEvent, Notice
from releases.models import Deployment, OrgDeployment, OrgObservation
from releases.services import observation
from releases.services.observation import Look
from releases.states import StepKind
from salesforce.types import DeployRequestRow
from tests.releases.pages.conftest import company, founded
from tests.support import cover
from tests.support.company import Company
from tests.support.databases import as_role

__all__ = ["company", "founded"]

WORKER = Actor("worker", None, "deploy worker north/4711")
OURS, FOREIGN = "005000000000001AAA", "005900000000002AAA"


def listed(remote_id: str, **more: Any) -> DeployRequestRow:
    """A deployment as an org lists it: another user's, written and done, unless said otherwise."""
    facts: dict[str, Any] = {
        "status": "Succeeded",
        "check_only": False,
        "components_total": 3,
        "created_by_id": FOREIGN,
        "created_at": clock.now() - timedelta(minutes=9),
        "completed_at": clock.now() - timedelta(minutes=8),
        "created_by_name": "Ada Admin",
    }
    return DeployRequestRow(id=remote_id, **(facts | more))


def look(company: Company, *rows: DeployRequestRow) -> list[OrgDeployment]:
    """Let a deploy worker write down what production lists."""
    with as_role("deploy"), acting_as(WORKER), transaction.atomic():
        return observation.keep(
            Look(company.orgs["Production"], company.ago(days=1), OURS, tuple(rows))
        )


def standing(remote_id: str) -> str:
    return OrgDeployment.objects.get(remote_id=remote_id).standing


def writing_step(company: Company) -> Any:
    row = Deployment.objects.filter(environment=company.orgs["Production"], purpose="release")
    return row.latest("pk").steps.get(kind=StepKind.DEPLOY)


def test_i27_deployment_that_gatehouse_did_not_send_opens_an_incident(company: Company) -> None:
    before = Notice.objects.count()
    found = look(company, listed("0Af000000009001AAA"))
    assert [row.remote_id for row in found] == ["0Af000000009001AAA"]
    event = AuditEvent.objects.filter(event="observation.unexplained").latest("pk")
    assert company.orgs["Production"].public_id in event.related
    assert "Ada Admin" in str(event.sentence)
    with as_role("build"):
        assert Notice.objects.count() > before


def test_i27_incident_is_opened_once_and_stays_until_explained(company: Company) -> None:
    look(company, listed("0Af000000009001AAA"))
    number = AuditEvent.objects.filter(event="observation.unexplained").count()
    assert look(company, listed("0Af000000009001AAA")) == []
    assert AuditEvent.objects.filter(event="observation.unexplained").count() == number
    assert OrgDeployment.objects.get(remote_id="0Af000000009001AAA").is_open


def test_i27_what_a_step_of_ours_sent_is_matched(company: Company) -> None:
    step = writing_step(company)
    with as_role("deploy"):
        step.remote_id = "0Af000000009002AAA"
        step.save(update_fields=["remote_id"])
    assert look(company, listed("0Af000000009002AAA")) == []
    assert standing("0Af000000009002AAA") == "matched"


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"check_only": True}, "no_effect"),
        ({"status": "Failed"}, "no_effect"),
        ({"status": "Canceled"}, "no_effect"),
        ({"status": "InProgress", "completed_at": None}, "pending"),
        ({"status": "SucceededPartial"}, "unexplained"),
    ],
    ids=["validation", "failed", "cancelled", "still running", "partly succeeded"],
)
def test_i27_only_what_may_have_changed_the_org_is_an_incident(
    company: Company, facts: dict[str, Any], expected: str
) -> None:
    look(company, listed("0Af000000009003AAA", **facts))
    assert standing("0Af000000009003AAA") == expected


def test_i27_call_of_ours_without_an_id_yet_is_not_accused(company: Company) -> None:
    cover.intend(cover.asked(company, "ana", "ben").write)
    assert look(company, listed("0Af000000009004AAA", created_by_id=OURS)) == []
    assert standing("0Af000000009004AAA") == "pending"
    found = look(company, listed("0Af000000009005AAA", created_by_id=FOREIGN))
    assert len(found) == 1


def test_i27_pending_becomes_an_incident_when_it_was_not_ours_after_all(company: Company) -> None:
    look(company, listed("0Af000000009006AAA", status="InProgress", completed_at=None))
    found = look(company, listed("0Af000000009006AAA"))
    assert len(found) == 1


def test_i27_look_in_vain_is_kept_as_a_gap(company: Company) -> None:
    production = company.orgs["Production"]
    before = observation.begins(production)
    with as_role("deploy"), transaction.atomic():
        observation.failed(production, company.ago(days=1), "The org does not answer.")
    newest = OrgObservation.objects.filter(environment=production).first()
    assert newest is not None
    assert newest.state == "failed"
    assert observation.begins(production) == before
