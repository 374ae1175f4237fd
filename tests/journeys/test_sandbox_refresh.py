"""A sandbox is refreshed from end to end, by people on pages and real workers, one killed midway.

Too early with the date, then allowed; refused to the wrong person; one order at the platform
whatever happens to the worker; connected anew in one step; brought back to its candidate.
"""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from core.db import database_now
from demo.content import seed as seeds
from demo.content.orgs import ORGS
from environments.models import Credential, Environment, Sandbox, SandboxRequest
from environments.services.sandboxes import requests
from governance.models import AuditEvent
from jobs.models import Work
from releases.models import Deployment
from tests.journeys.northwind import Journey
from tests.support.cover import later
from tests.support.databases import as_role
from tests.support.processes import Farm, wait_until

pytestmark = [pytest.mark.processes, pytest.mark.timeout(300)]
AGE = timedelta(days=2, minutes=1)
WISH = {
    "start": "now",
    "reason": "Testers cannot find current contracts",
    "template_id": "1ps000000000001AAA",
    "auto_activate": "on",
}


class Browser:
    """One person's session: a page is opened, a form is sent."""

    def __init__(self, journey: Journey, name: str) -> None:
        self._client = Client()
        self._client.force_login(journey.users[name])
        session = self._client.session
        session["stepped_up_at"] = int(time.time())
        session.save()

    def page(self, path: str) -> Any:
        """Open a page that there must be."""
        answer = self._client.get(path)
        assert answer.status_code == 200, answer.content.decode()[:2000]
        return answer

    def text(self, path: str) -> str:
        """A page's source."""
        return str(self.page(path).content.decode())

    def send(self, path: str, typed: dict[str, str] | None = None, *, status: int = 302) -> str:
        """Send a form and give where it leads, or the page that refuses it."""
        answer = self._client.post(path, typed or {})
        assert answer.status_code == status, answer.content.decode()[:4000]
        return str(answer["Location"]) if status == 302 else str(answer.content.decode())


def let_the_lease_lapse(request: SandboxRequest) -> None:
    """Move the dead worker's lease into the past, as waiting for it would."""
    with as_role("deploy"):
        Work.objects.filter(
            kind=requests.WORK, subject_id=request.pk, lease_until__isnull=False
        ).update(lease_until=database_now() - timedelta(seconds=1))


@pytest.mark.parametrize("journey", [("sales",)], indirect=True)
def test_a_sandbox_is_refreshed_through_a_killed_worker(journey: Journey, processes: Farm) -> None:
    journey.offered("sales", "v4.2.0")
    environment = journey.orgs["Sales TEST"]
    production = journey.org("Production")
    priya, lena, marek = (Browser(journey, name) for name in ("priya", "lena", "marek"))
    marek.send(reverse("environments:sandboxes_read"))
    journey.work()

    # Too early: the page names the date; two days later the same form is taken.
    ask = reverse("environments:refresh", kwargs={"pk": environment.pk})
    assert "can be refreshed again on" in priya.text(ask)
    assert "can be refreshed again on" in priya.send(ask, WISH, status=422)
    assert not SandboxRequest.objects.exists()
    journey.simulator.jump(AGE.total_seconds())
    with later(minutes=int(AGE.total_seconds() // 60)):
        _from_the_request_to_the_candidate(journey, processes, environment, priya, lena, marek)
    orders = [effect for effect in production.effects() if "refresh requested" in effect]
    assert len(orders) == 1


def _from_the_request_to_the_candidate(
    journey: Journey,
    processes: Farm,
    environment: Environment,
    priya: Browser,
    lena: Browser,
    marek: Browser,
) -> None:
    ask = reverse("environments:refresh", kwargs={"pk": environment.pk})
    page = priya.send(ask, WISH)
    request = SandboxRequest.objects.get()

    # The wrong people are refused, the right one finds it waiting and agrees.
    answer = {"shown_digest": marek.page(page).context["page"].digest, "verdict": "approve"}
    lena.send(f"{page}decide/", answer, status=403)
    priya.send(f"{page}decide/", answer, status=403)
    assert page in marek.text("/")
    production = journey.org("Production")
    production.fault("timeout_after", "rest.change", times=1)
    marek.send(f"{page}decide/", answer)

    # The worker dies when the platform has taken the order and nobody has written that down.
    processes.ticker()
    worker = processes.worker("deploy")
    wait_until(
        lambda: any("refresh requested" in effect for effect in production.effects()),
        seconds=60,
        farm=processes,
    )
    worker.kill()
    assert _state(request) == "starting"

    # Meanwhile a deployment to it is held, with the reason.
    priya.send(reverse("releases:bring", kwargs={"pk": environment.pk}))
    held = Deployment.objects.latest("pk")
    assert held.environment_id == environment.pk
    let_the_lease_lapse(request)
    processes.worker("deploy")
    wait_until(lambda: _state(request) == "reconnect", seconds=90, farm=processes)
    environment.refresh_from_db()
    assert (environment.connection, environment.organization_id) == ("reconnect", None)
    assert not Credential.objects.filter(environment=environment).exists()
    assert _ended(held) in ("queued", "held")
    assert "is not connected" in priya.text(held.get_absolute_url())
    _connect_and_bring(journey, processes, environment, held)


def _connect_and_bring(
    journey: Journey, processes: Farm, environment: Environment, held: Deployment
) -> None:
    priya = Browser(journey, "priya")
    priya.send(reverse("releases:deployment_cancel", kwargs={"pk": held.pk}))
    here = environment.get_absolute_url()
    step = reverse("environments:reconnect", kwargs={"pk": environment.pk})
    assert step in priya.text(here)
    typed = priya.page(step).context["form"].initial
    key = seeds.private_key(journey.directory / "seed", next(o for o in ORGS if o.is_production))
    priya.send(step, {**typed, "secret": key})
    wait_until(lambda: _connection(environment) == "ok", seconds=60, farm=processes)
    request = SandboxRequest.objects.get()
    assert request.state == "done"
    assert typed["expected_organization_id"] == request.new_organization_id

    # A copy of production: the page offers the candidate that the track was at.
    assert "Bring it to v4.2.0" in priya.text(here)
    priya.send(reverse("releases:bring", kwargs={"pk": environment.pk}))
    again = Deployment.objects.latest("pk")
    assert again.pk != held.pk
    wait_until(lambda: _ended(again) == "succeeded", seconds=90, farm=processes)
    environment.refresh_from_db()
    assert "v4.2.0" in environment.holds_label
    assert "Bring it to" not in priya.text(here)
    assert Sandbox.objects.get(name="slstest").environment == environment
    _told(request)


def _told(request: SandboxRequest) -> None:
    """The history has the whole, in sentences and in order."""
    rows = AuditEvent.objects.filter(related__contains=[request.public_id]).order_by("pk")
    story = [row.sentence for row in rows if row.event.startswith("sandbox.request.")]
    wanted = ("asked for", "let ", "set out", "had taken", "it is organisation", "connected anew")
    at = 0
    for part in wanted:
        while part not in story[at]:
            at += 1
            assert at < len(story), (part, story)


def _state(request: SandboxRequest) -> str:
    request.refresh_from_db()
    return str(request.state)


def _connection(environment: Environment) -> str:
    environment.refresh_from_db()
    return str(environment.connection)


def _ended(deployment: Deployment) -> str:
    deployment.refresh_from_db()
    return str(deployment.state)
