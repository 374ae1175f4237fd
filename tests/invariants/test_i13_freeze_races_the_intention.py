"""I-13 with two connections: the worker stands right before the intent while its cover is lost.

A freeze and an intention never pass each other, in either order.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import transaction

from environments.models import Freeze
from environments.selectors_calendar import Target
from environments.services import calendar
from environments.services.calendar import Words
from environments.states import FreezeScope
from governance.models import AuditEvent
from releases.engine import parcel, reads
from releases.services import steps
from tests.invariants.gate_world import Approved
from tests.invariants.test_i13_right_before_the_call import LOSSES, RecordingOrg, begin, ready
from tests.support.barrier import SECONDS, held_at_the_calendar, someone_waits, started
from tests.support.company import Company, acting
from tests.support.databases import starting_here
from tests.support.processes import wait_until


@pytest.fixture
def world(committed: Company, monkeypatch: pytest.MonkeyPatch) -> Iterator[Approved]:
    monkeypatch.setattr(parcel, "verified_zip", lambda artefact: b"zip")
    monkeypatch.setattr(reads, "LOOK_COUNTS_FOR", timedelta(days=365))
    with ready(committed) as found:
        yield found


def freeze(world: Approved) -> None:
    begins = world.company.now.replace(tzinfo=None)
    target = Target(FreezeScope.PROTECTED)
    with acting(world.company.people["marek"]):
        calendar.freeze(
            words=Words("Stop", "Now.", target, "UTC", begins, begins + timedelta(days=9))
        )


def test_i13_a_freeze_that_is_being_written_is_waited_for_and_seen(world: Approved) -> None:
    org = RecordingOrg()
    with transaction.atomic():
        freeze(world)
        worker = started(lambda: begin(world, org))
        wait_until(someone_waits, seconds=SECONDS)
        assert org.calls == 0
    worker.join(SECONDS)
    assert org.calls == 0
    assert world.fresh().state == "superseded"
    assert world.deployment.steps.get(kind="deploy").intended_at is None


def test_i13_a_freeze_after_the_intention_waits_and_is_later_in_the_history(
    world: Approved, monkeypatch: pytest.MonkeyPatch
) -> None:
    org, intended, go_on = RecordingOrg(), threading.Event(), threading.Event()
    intend = steps.intend

    def paused(*given: Any, **more: Any) -> None:
        intend(*given, **more)
        intended.set()
        go_on.wait(SECONDS)

    monkeypatch.setattr(steps, "intend", paused)
    worker = started(lambda: begin(world, org))
    assert intended.wait(SECONDS)
    freezer = started(lambda: freeze(world))
    wait_until(someone_waits, seconds=SECONDS)
    assert not Freeze.objects.filter(name="Stop").exists()
    go_on.set()
    worker.join(SECONDS)
    freezer.join(SECONDS)
    assert org.calls == 1
    assert Freeze.objects.filter(name="Stop").exists()
    order = AuditEvent.objects.filter(event__in=["step.intended", "freeze.created"])
    assert list(order.order_by("pk").values_list("event", flat=True)) == [
        "step.intended",
        "freeze.created",
    ]


@pytest.mark.timeout(240)
def test_i13_whatever_is_lost_while_the_worker_stands_before_the_intent_stops_the_call(
    world: Approved,
) -> None:
    """Revoked, expired, moved …: committed on one connection while the worker waits on another."""
    calls = {}
    with starting_here() as again:
        for name, loss in {"nothing": lambda world: None, **LOSSES}.items():
            again()
            org = RecordingOrg()
            with held_at_the_calendar(partial(begin, world, org)):
                loss(world)
            calls[name] = org.calls
            stands = world.deployment.steps.get(kind="deploy").state
            assert (stands == "started") == (name == "nothing"), name
    assert calls == {"nothing": 1} | dict.fromkeys(LOSSES, 0)
