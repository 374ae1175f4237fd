"""I-13 with two connections: a freeze and an intention never pass each other, in either order."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections, transaction

from environments.models import Freeze
from environments.selectors_calendar import Target
from environments.services import calendar
from environments.services.calendar import Words
from environments.states import FreezeScope
from governance.models import AuditEvent
from releases.engine import parcel
from releases.services import steps
from tests.invariants.gate_world import Approved
from tests.invariants.test_i13_right_before_the_call import RecordingOrg, begin, ready
from tests.support.company import Company, acting
from tests.support.processes import wait_until

SECONDS = 20.0
WAITING = """SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
    AND classid = (%(key)s >> 32) & 4294967295 AND objid = %(key)s & 4294967295"""


@pytest.fixture
def world(committed: Company, monkeypatch: pytest.MonkeyPatch) -> Iterator[Approved]:
    monkeypatch.setattr(parcel, "verified_zip", lambda artefact: b"zip")
    with ready(committed) as found:
        yield found


def freeze(world: Approved) -> None:
    begins = world.company.now.replace(tzinfo=None)
    target = Target(FreezeScope.PROTECTED)
    with acting(world.company.people["marek"]):
        calendar.freeze(
            words=Words("Stop", "Now.", target, "UTC", begins, begins + timedelta(days=9))
        )


def started(work: Callable[[], Any]) -> threading.Thread:
    """Run something on a connection of its own."""

    def run() -> None:
        try:
            work()
        finally:
            connections.close_all()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def someone_waits() -> bool:
    """Whether a connection waits for the calendar."""
    digest = hashlib.sha256(calendar.LOCK.encode()).digest()
    with connection.cursor() as cursor:
        cursor.execute(WAITING, {"key": int.from_bytes(digest[:8], "big", signed=True)})
        return bool(cursor.fetchone()[0])


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
