"""I-40: the gate is exercised for real, continuously; its refusals are evidence, silence alarms."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from core.context import Actor, acting_as
from environments.models import Environment
from governance.models import AuditEvent, Notice
from jobs import registry, runner
from jobs.models import Work
from releases import gate
from releases.rules.reasons import Mark, Reason, Verdict
from releases.services import canary
from tests.support.company import Company, acting
from tests.support.databases import as_role

registry.autodiscover()


def work() -> None:
    """Let every piece of the canary's work run, each in the role of its queue."""
    for _ in range(6):
        rows = Work.objects.filter(kind__startswith="releases.canary", wake_at__isnull=False)
        for queue, pk in list(rows.values_list("queue", "pk")):
            with as_role(queue):
                runner.advance(queue, [pk])


@pytest.fixture
def blobs(settings: Any, tmp_path: Any) -> None:
    settings.STORAGES = {
        **settings.STORAGES,
        "blobs": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path)},
        },
    }


def asked(company: Company) -> AuditEvent:
    with acting(company.people["ines"]):
        canary.ask()
    work()
    answer = canary.last_answer()
    assert answer is not None, list(Work.objects.values("kind", "wake_at", "last_error"))
    return answer


def test_i40_gate_and_floor_refuse_the_canary_and_say_so(company: Company, blobs: None) -> None:
    """A canary environment is asked to deploy an unapproved digest and must refuse."""
    answer = asked(company)
    assert answer.event == "canary.refused"
    assert "Nobody is asked to approve" in str(answer.sentence)
    assert not AuditEvent.objects.filter(event="database.changed").exists()


def test_i40_a_gate_that_lets_it_pass_alarms_and_still_calls_nobody(
    company: Company, blobs: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_gate = Verdict((Reason("gate.broken", "open", Mark.DONE),))
    monkeypatch.setattr(gate, "evaluate", lambda deployment, now: open_gate)
    answer = asked(company)
    assert answer.event == "canary.allowed"
    assert Notice.objects.filter(subject__contains="unapproved").exists()


def test_i40_silence_alarms_once_a_day(
    company: Company, blobs: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Alarm on absence."""
    answer = asked(company)
    assert answer.at is not None
    with acting_as(Actor("worker", None, "build")), transaction.atomic():
        canary.watch(answer.at + timedelta(hours=25, minutes=59))
        assert not AuditEvent.objects.filter(event="canary.silent").exists()
        canary.watch(answer.at + timedelta(hours=26, minutes=1))
        monkeypatch.setattr(canary, "silent_after", timedelta)
        canary.watch(answer.at + timedelta(minutes=1))
    assert AuditEvent.objects.filter(event="canary.silent").count() == 1
    assert Notice.objects.filter(subject="The canary is silent").exists()


def test_i40_a_new_installation_is_not_silent_before_its_first_day_is_over(
    company: Company,
) -> None:
    """Silence counts from the day on which production was connected for the first time."""
    production = Environment.objects.get(stage="PRD")
    connected = production.created_at
    with acting_as(Actor("worker", None, "build")), transaction.atomic():
        canary.watch(connected + timedelta(hours=25, minutes=59))
        assert not AuditEvent.objects.filter(event="canary.silent").exists()
        canary.watch(connected + timedelta(hours=26, minutes=1))
    assert AuditEvent.objects.filter(event="canary.silent").count() == 1
    assert "Nobody has asked it yet" in Notice.objects.latest("pk").text
