"""I-13 and design 5: a quick deploy rests on a validation of ours, of the same artefact,
organisation and options; when the org refuses it, gate and floor are asked again for the package.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from core.errors import ExternalFault, FaultUnknown
from jobs.registry import Next
from releases.engine import parcel, reads, remote
from releases.models import Step
from tests.invariants.gate_world import Approved
from tests.invariants.test_i13_right_before_the_call import _seen, begin, withdraw, world
from tests.support.attacks import drop
from tests.support.cover import execute, sqlstate
from tests.support.databases import as_role

__all__ = ["_seen", "world"]


VOID = ExternalFault("org.validation_void", "It no longer counts.", retryable=False)


class Org:
    """An org that keeps what it is told, and may refuse quick deploys."""

    def __init__(
        self, *, fault: ExternalFault | None = None, meanwhile: Callable[[], Any] = int
    ) -> None:
        self.told: list[str] = []
        self.fault = fault
        self.meanwhile = meanwhile

    def quick_deploy(self, validated_id: str) -> str:
        """Take it, or refuse it as the platform does when something was deployed since."""
        self.told.append(validated_id)
        if self.fault is not None:
            with as_role("web"):
                self.meanwhile()
            raise self.fault
        return "0Af000000000001AAA"

    def deploy(self, package: bytes, _options: Any) -> str:
        """Take a whole package."""
        self.told.append(package.decode())
        return "0Af000000000002AAA"


@pytest.fixture(autouse=True)
def _package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parcel, "verified_zip", lambda _artefact: b"the package")


def write(world: Approved) -> Step:
    """The step that writes, as it is now."""
    return world.deployment.steps.get(kind="deploy")


def validation(world: Approved) -> Step:
    """The preparation's validation."""
    assert world.deployment.preparation is not None
    return world.deployment.preparation.steps.get(kind="validate")


def in_preparation(world: Approved, statement: str, *values: Any) -> None:
    """Bend the preparation or its validation as the owner, past what guards it."""
    for guard in ("guard_step", "moves"):
        drop("releases_step", guard)
    drop("releases_deployment", "guard_deployment")
    execute("owner", statement, *values, validation(world).deployment_id)


STEP = "UPDATE releases_step SET {} WHERE kind = 'validate' AND deployment_id = %s"
PLAN = "UPDATE releases_deployment SET plan = plan || {} WHERE id = %s"


def test_i13_what_was_validated_is_deployed_quickly(world: Approved) -> None:
    org = Org()
    begin(world, org)
    assert org.told == [validation(world).remote_id]
    step = write(world)
    assert (step.state, step.remote_id) == ("started", "0Af000000000001AAA")
    assert step.facts["validated_by"] == validation(world).deployment.public_id


@pytest.mark.parametrize(
    "change",
    [
        STEP.format("tests_done = 0"),
        STEP.format("test_errors = 1"),
        STEP.format("state = 'failed'"),
        STEP.format("finished_at = finished_at - interval '11 days'"),
        PLAN.format("""'{"ignore_warnings": false}'"""),
        "UPDATE releases_deployment SET organization_id = '00Dzz0000000001AAA' WHERE id = %s",
    ],
    ids=["no tests", "failed tests", "failed", "too old", "other options", "other organisation"],
)
def test_i13_what_was_not_validated_like_this_is_sent_whole(world: Approved, change: str) -> None:
    in_preparation(world, change)
    org = Org()
    begin(world, org)
    assert org.told == ["the package"]
    assert "validated" not in write(world).facts


def test_i13_a_refused_quick_deploy_sends_the_package_once(world: Approved) -> None:
    org = Org(fault=VOID)
    begin(world, org)
    assert org.told == [validation(world).remote_id, "the package"]
    step = write(world)
    assert (step.state, step.remote_id) == ("started", "0Af000000000002AAA")
    assert step.facts["quick_deploy_refused"] == "It no longer counts."
    assert "validated" not in step.facts


def test_i13_what_is_lost_while_the_org_refuses_stops_the_package(world: Approved) -> None:
    org = Org(fault=VOID, meanwhile=lambda: withdraw(world))
    begin(world, org)
    assert org.told == [validation(world).remote_id]
    step = write(world)
    assert (step.state, step.remote_id) == ("failed", "")
    assert world.fresh().state == "superseded"


def late(world: Approved, monkeypatch: pytest.MonkeyPatch, wait: Next | None) -> tuple[Org, Any]:
    """An org whose refusal comes when the target has to be looked at again; and those looks."""
    looks: list[str] = []

    def look(ctx: Any) -> Next | None:
        looks.append(ctx.step.state)
        return wait if len(looks) == 1 else None

    def too_late() -> None:
        monkeypatch.setattr(reads, "is_seen", lambda _ctx: len(looks) > (wait is not None))

    monkeypatch.setattr(reads, "look_again", look)
    return Org(fault=VOID, meanwhile=too_late), looks


def test_i13_a_late_refusal_looks_again_and_the_package_goes(
    world: Approved, monkeypatch: pytest.MonkeyPatch
) -> None:
    org, looks = late(world, monkeypatch, None)
    begin(world, org)
    assert looks == ["intended"]
    assert org.told == [validation(world).remote_id, "the package"]
    assert write(world).state == "started"


@pytest.mark.parametrize("cancelled", [False, True])
def test_i13_a_refusal_is_known_to_the_worker_that_comes_next(
    world: Approved, monkeypatch: pytest.MonkeyPatch, cancelled: bool
) -> None:
    org, looks = late(world, monkeypatch, Next.after(1))
    begin(world, org)
    step = write(world)
    assert (step.state, step.facts["refused"]) == ("intended", "It no longer counts.")
    if cancelled:
        world.fresh()
        execute(
            "owner",
            "UPDATE releases_deployment SET cancel_requested_at = now() WHERE id = %s",
            world.deployment.pk,
        )
    begin(world, org, remote.recover)
    step = write(world)
    if cancelled:
        assert (step.state, len(org.told)) == ("cancelled", 1)
        assert "had refused the quick deploy" in step.note
    else:
        assert (step.state, org.told[1:]) == ("started", ["the package"])
        assert "refused" not in step.facts
        assert step.facts["quick_deploy_refused"] == "It no longer counts."
    assert len(looks) == 2 - cancelled


def refused(world: Approved, statement: str, guard: str) -> str:
    """The code that the deploy role gets; without the guard the statement succeeds."""
    with as_role("deploy"), pytest.raises(DatabaseError) as error, transaction.atomic():
        execute("deploy", statement, write(world).pk)
    drop("releases_step", guard)
    assert execute("deploy", statement, write(world).pk) == 1
    return sqlstate(error.value)


def test_i13_the_database_takes_no_quick_deploy_of_a_strangers_validation(world: Approved) -> None:
    statement = """UPDATE releases_step SET facts = '{"validated": "0Af00000000STRANGER"}'
                   WHERE id = %s"""
    assert refused(world, statement, "guard_quick") == "P0F01"


def test_i13_the_database_asks_its_floor_again_for_another_call(world: Approved) -> None:
    begin(world, Org(fault=FaultUnknown("org.lost", "The answer was lost.")))
    assert write(world).state == "intended"
    withdraw(world)
    statement = "UPDATE releases_step SET intended_at = now() WHERE id = %s"
    assert refused(world, statement, "guard_step") == "P0F02"
