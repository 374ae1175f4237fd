"""Deployments as the store keeps them, and where they stand at a moment."""

import json
from dataclasses import dataclass

from simulator.deploys import plan as plans
from simulator.deploys.options import Options
from simulator.deploys.plan import Message, Plan, Test
from simulator.store import Row
from simulator.world import World

PENDING = "Pending"
RUNNING = "InProgress"
CANCELING = "Canceling"
CANCELED = "Canceled"
SUCCEEDED = "Succeeded"
PARTIAL = "SucceededPartial"
FAILED = "Failed"
FINAL = (CANCELED, SUCCEEDED, PARTIAL, FAILED)
QUICK = "quick"
ORDINARY = "deploy"


@dataclass(frozen=True, slots=True)
class Deploy:
    """One deployment of one org."""

    id: str
    org: str
    kind: str
    options: Options
    zip: str
    status: str
    created_by: str
    created_at: float
    started_at: float | None
    components_end_at: float | None
    finish_at: float | None
    completed_at: float | None
    modified_at: float
    plan: str | None
    canceled_by: str | None
    cancel_at: float | None
    validated: str | None
    voided_at: float | None
    error_code: str | None
    error_message: str | None
    api_version: str
    number: int

    @property
    def done(self) -> bool:
        """Say whether it has ended."""
        return self.status in FINAL


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a deployment is: what has been looked at so far."""

    plan: Plan
    seen: list[Message]
    tested: list[Test]
    state_detail: str

    @property
    def deployed(self) -> int:
        """Components that went through so far."""
        return sum(1 for m in self.seen if m.success)

    @property
    def errors(self) -> int:
        """Components that failed so far."""
        return sum(1 for m in self.seen if not m.success)


def of_id(world: World, org: str, identifier: str) -> Deploy | None:
    """Return an org's deployment by its id of 15 or 18 characters."""
    sql = "select * from deploy where org = ? and substr(id, 1, 15) = ?"
    row = world.store.row(sql, org, identifier[:15])
    return None if row is None else from_row(row)


def of_org(world: World, org: str) -> list[Deploy]:
    """Return an org's deployments, the newest first."""
    sql = "select * from deploy where org = ? order by number desc"
    return [from_row(row) for row in world.store.rows(sql, org)]


def from_row(row: Row) -> Deploy:
    """Make a deployment of a row."""
    values = {name: row[name] for name in tuple(row.keys())}
    values["options"] = Options(**json.loads(row["options"]))
    return Deploy(**values)


def progress(world: World, deploy: Deploy) -> Progress:
    """Return what a client may see now."""
    if deploy.plan is None:
        return Progress(Plan(), [], [], "")
    plan = plans.load(world, deploy.plan)
    if deploy.status in (SUCCEEDED, PARTIAL, FAILED):
        return Progress(plan, plan.counted, plan.tests, "")
    now = deploy.completed_at or world.clock.now()
    start, middle = deploy.started_at or now, deploy.components_end_at or now
    share = 1.0 if middle <= start else min(1.0, (now - start) / (middle - start))
    counted = plan.counted
    seen = counted[: int(len(counted) * share)]
    if share < 1.0 or not plan.tests:
        ahead = counted[len(seen)] if len(seen) < len(counted) else None
        return Progress(plan, seen, [], f"Processing Type: {ahead.type}" if ahead else "")
    total = plan.test_seconds
    scale = (deploy.finish_at or now) - middle
    passed = (now - middle) / scale * total if scale > 0 else total
    tested: list[Test] = []
    for test in plan.tests:
        passed -= test.seconds
        if passed < 0 or len(tested) == len(plan.tests) - 1:
            return Progress(plan, seen, tested, f"Running Test: {test.class_name}.{test.method}")
        tested.append(test)
    return Progress(plan, seen, tested, "")
