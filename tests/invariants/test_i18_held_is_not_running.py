"""I-18: held is not running.

"A held request keeps no environment lock and no worker slot, can always be cancelled, and resumes
by itself when allowed (or expires visibly)." All workers are filled with held deployments, then a
permitted one runs.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from core.context import Actor, acting_as
from environments.models import Lease
from environments.selectors_calendar import Target
from environments.services import calendar
from environments.services.calendar import Words
from environments.states import FreezeScope
from governance import approvals
from governance.models import AuditEvent
from jobs import runner
from jobs.models import Work
from jobs.wake import wake
from releases import gate
from releases.engine import executor
from releases.models import Deployment
from releases.services import deployments
from releases.states import Purpose
from tests.invariants.gate_world import approved
from tests.support import cover
from tests.support.company import Company, acting
from tests.support.databases import as_role

MANY = 12


@pytest.fixture(autouse=True)
def org(monkeypatch: pytest.MonkeyPatch) -> None:
    """An org that cannot be reached: what begins stays at its first call."""

    def opened(_: object) -> Any:
        raise AssertionError("nothing here goes as far as the org")

    monkeypatch.setattr(executor, "open_org", opened)


def planned(company: Company) -> Deployment:
    """A candidate's deployment to TEST that waits for a worker."""
    lead, candidate = company.people["priya"], company.candidates["sales v1.0.0"]
    assert candidate.artefact is not None
    with acting(lead):
        deployment = deployments.plan(
            purpose=Purpose.TEST,
            environment=company.orgs["Sales TEST"],
            artefact=candidate.artefact,
            requester=lead,
            candidate=candidate,
        )
        wake(deployments.KIND, deployment.pk)
    return deployment


def freeze(company: Company, target: Target, *, minutes: int) -> None:
    begins = company.now.replace(tzinfo=None, microsecond=0) - timedelta(hours=1)
    ends = company.now.replace(tzinfo=None) + timedelta(minutes=minutes)
    with acting(company.people["marek"]):
        calendar.freeze(words=Words("Quarter end", "Books.", target, "UTC", begins, ends))


def due() -> list[int]:
    """The rows that a ticker would ring for now; nobody wakes anything by hand."""
    rows = Work.objects.raw(
        "SELECT id FROM jobs_work WHERE wake_at <= gatehouse_now() AND kind = %s ORDER BY wake_at",
        [deployments.KIND],
    )
    return [row.pk for row in rows]


def turn() -> None:
    """What the bell and one worker do once: attend to everything that is due."""
    with as_role("deploy"):
        for pk in due():
            runner.advance("deploy", [pk])


def states(rows: list[Deployment]) -> set[str]:
    return set(
        Deployment.objects.filter(pk__in=[row.pk for row in rows]).values_list("state", flat=True)
    )


def told(rows: list[Deployment]) -> list[tuple[str, str, str]]:
    """What became of them, for the message of a failing test."""
    found = Deployment.objects.filter(pk__in=[row.pk for row in rows])
    return [(row.state, row.message, str(row.reasons)) for row in found]


@pytest.fixture
def many(company: Company) -> list[Deployment]:
    """Held deployments to an org that is frozen for an hour."""
    Work.objects.filter(kind=deployments.KIND).update(wake_at=None)
    target = Target(FreezeScope.ENVIRONMENT, environment=company.orgs["Sales TEST"])
    freeze(company, target, minutes=60)
    rows = [planned(company) for _ in range(MANY)]
    turn()
    assert states(rows) == {"held"}
    return rows


def leases(rows: list[Deployment]) -> int:
    return Lease.objects.filter(
        holder_kind=gate.HOLDER, holder_id__in=[row.pk for row in rows]
    ).count()


def test_i18_many_held_deployments_hold_neither_the_environment_nor_a_worker(
    company: Company, many: list[Deployment]
) -> None:
    assert leases(many) == 0
    rows = Work.objects.filter(kind=deployments.KIND, subject_id__in=[row.pk for row in many])
    assert not rows.filter(lease_until__isnull=False).exists()
    build = company.builds["sales 3"]
    assert build.artefact is not None
    with acting(company.people["priya"]):
        permitted = deployments.plan(
            purpose=Purpose.BUILD,
            environment=company.orgs["Sales CI"],
            artefact=build.artefact,
            requester=None,
            build=build,
        )
        wake(deployments.KIND, permitted.pk)
    with as_role("deploy"):
        runner.advance("deploy", due()[-1:])
    permitted.refresh_from_db()
    assert permitted.state == "running", told([permitted])
    assert leases([permitted]) == 1
    assert states(many) == {"held"}


def test_i18_a_held_deployment_is_cancelled_at_once(
    company: Company, many: list[Deployment]
) -> None:
    with acting(company.people["priya"]):
        deployments.cancel(deployment_id=many[0].pk)
    turn()
    assert states(many[:1]) == {"cancelled"}
    assert states(many[1:]) == {"held"}


def test_i18_it_resumes_by_itself_when_the_freeze_ends(
    company: Company, many: list[Deployment]
) -> None:
    turn()
    assert states(many) == {"held"}
    with cover.later(minutes=61):
        assert len(due()) >= MANY
        turn()
        running = Deployment.objects.filter(pk__in=[row.pk for row in many], state="running")
        assert running.count() == 1, told(many)
        assert leases(many) == 1
        waiting = Deployment.objects.filter(pk__in=[row.pk for row in many]).exclude(
            state="running"
        )
        assert {row.reasons[0]["code"] for row in waiting if row.reasons} <= {"gate.occupied"}


def test_i18_an_approved_one_is_held_and_expires_visibly_when_its_time_ends(
    company: Company,
) -> None:
    world = approved(company)
    freeze(company, Target(FreezeScope.PROTECTED), minutes=9 * 24 * 60)
    wake(deployments.KIND, world.deployment.pk)
    with cover.later(minutes=2 * 24 * 60 + 5):
        turn()
        held = world.fresh()
        assert held.state == "held"
        assert "calendar.freeze" in {reason["code"] for reason in held.reasons}
        assert leases([held]) == 0
    with cover.later(minutes=2 * 24 * 60 + 125):
        turn()
        with as_role("build"), acting_as(Actor("worker", None, "build worker")):
            assert approvals.expire_due() == [world.request.pk]
        turn()
        gone = world.fresh()
        assert gone.state == "superseded", told([gone])
        assert "expired" in gone.message
        assert leases([gone]) == 0
        events = AuditEvent.objects.filter(event="deployment.superseded")
        assert events.filter(subject_ref=gone.public_id).count() == 1
        world.release.refresh_from_db()
        assert world.release.state == "rehearsed"
