"""I-37 Attribution is true: actor, executor, session, address, strength and the database's time."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from core import clock
from core.context import Origin, acting_as, coming_from
from governance import audit
from governance.approvals import subjects
from governance.models import AuditDetail, AuditEvent
from jobs import runner
from tests.governance import world as worlds

pytestmark = pytest.mark.django_db
BROWSER = "Mozilla/5.0 (test)"


def latest(event: str) -> tuple[AuditEvent, dict[str, Any]]:
    found = AuditEvent.objects.filter(event=event).latest("pk")
    return found, json.loads(found.body)


@pytest.fixture
def world(db: None, monkeypatch: pytest.MonkeyPatch) -> worlds.World:
    monkeypatch.setattr(subjects, "_kinds", dict(subjects._kinds))
    spy = worlds.Subject()
    subjects.register(worlds.KIND, outcome=spy.outcome, describe=spy.describe)
    return worlds.make()


def change_team(world: worlds.World) -> Client:
    client = Client(REMOTE_ADDR="203.0.113.7", HTTP_USER_AGENT=BROWSER)
    client.force_login(world.ana)
    client.post("/teams/new/", {"name": "Service"})
    return client


def test_i37_a_person_s_event_tells_session_strength_and_both_times(world: worlds.World) -> None:
    before = clock.now()
    client = change_team(world)
    event, body = latest("team.created")
    key = client.session.session_key
    assert body["actor"] == {"id": world.ana.pk, "kind": "person", "name": "Ana Lima"}
    assert key is not None
    assert body["origin"]["session"] == hashlib.sha256(key.encode()).hexdigest()[:16]
    assert (body["origin"]["via"], body["origin"]["auth"]) == ("web", "password")
    assert key not in event.body
    assert before <= event.at <= event.recorded_at + timedelta(seconds=1)


def test_i37_address_and_browser_lie_in_a_row_of_their_own_tied_by_its_key(
    world: worlds.World,
) -> None:
    change_team(world)
    event, body = latest("team.created")
    detail = AuditDetail.objects.get(event=event)
    assert json.loads(detail.body) == {"ip": "203.0.113.7", "user_agent": BROWSER}
    mac = hmac.new(bytes(detail.key), detail.body.encode(), hashlib.sha256).hexdigest()
    assert body["origin"]["details"] == f"hmac-sha256:{mac}"
    assert "203.0.113.7" not in event.body
    assert BROWSER not in event.body


def test_i37_a_stronger_proof_within_the_session_is_told(world: worlds.World) -> None:
    client = Client()
    client.force_login(world.ana)
    session = client.session
    session["auth_strength"] = "totp"
    session.save()
    client.post("/teams/new/", {"name": "Service"})
    assert latest("team.created")[1]["origin"]["auth"] == "totp"


def test_i37_a_worker_on_an_approved_request_shows_approvers_requester_and_worker(
    world: worlds.World,
) -> None:
    request = worlds.ask(world)
    worlds.decide(world.ben, request)
    subject = audit.Subject("team", 1, "team:sales", "Sales")
    worker = runner.worker_actor("deploy")
    with acting_as(worker), coming_from(runner.worker_origin), transaction.atomic():
        behalf = audit.behalf_of(requester=world.rita, approval_id=request.pk)
        audit.record("team.created", subject, behalf=behalf)
    _, body = latest("team.created")
    assert body["actor"] == {"id": None, "kind": "worker", "name": worker.name}
    assert body["origin"] == {"auth": "worker", "executor": worker.name, "via": "worker"}
    assert body["behalf"]["requester"]["name"] == "Rita Moss"
    assert [each["name"] for each in body["behalf"]["approvers"]] == ["Ben Okafor"]
    assert body["behalf"]["request"] == request.public_id


def test_i37_what_nobody_declared_is_a_command_on_the_host(world: worlds.World) -> None:
    _, body = latest("installation.founded")
    assert body["origin"] == {"auth": "command", "via": "command"}


def test_i37_odd_bytes_of_a_browser_are_kept_as_text(world: worlds.World) -> None:
    odd = Origin(via="web", auth="password", user_agent="nul\0 \ud800")
    with worlds.acting(world.ana), coming_from(lambda: odd), transaction.atomic():
        number = audit.record("team.created", audit.Subject("team", 1, "team:x", "X"))
    assert json.loads(AuditDetail.objects.get(pk=number).body)["user_agent"] == "nul\ufffd ?"
