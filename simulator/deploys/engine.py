"""The one thread that moves deployments: start the next of each org, end what is due.

Everything it needs is in the store, so a restart goes on where the last process stopped: a
deployment without a plan is planned again (nothing was written yet), one with a plan ends when due.
"""

import logging
import threading
from collections.abc import Callable

from simulator.catalogue import holdings
from simulator.deploys import plan as plans
from simulator.deploys import planning, rows
from simulator.deploys.plan import Message, Plan
from simulator.deploys.rows import Deploy
from simulator.packages import contents
from simulator.sure import sure
from simulator.testruns import runs
from simulator.transport import faults
from simulator.world import World

log = logging.getLogger(__name__)
QUEUE_SECONDS = 0.4
LONGEST_WAIT = 1.0
RUN_CALL = "deploy.run"
FOREVER = 10 * 365 * 86400.0
Step = Callable[[World], float | None]


class Engine:
    """Run the steps of all long-lived things until stopped."""

    def __init__(self, world: World, steps: list[Step]) -> None:
        self._world = world
        self._steps = steps
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the step that is being made."""
        self._stopping = True
        self._world.wake()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        while not self._stopping:
            alarm = self._world.alarm
            due = [self._safely(step) for step in self._steps]
            now = self._world.clock.now()
            waits = [max(0.0, moment - now) for moment in due if moment is not None]
            with self._world.wakeup:
                if self._world.alarm == alarm and not self._stopping:
                    self._world.wakeup.wait(min([LONGEST_WAIT, *waits]))

    def _safely(self, step: Step) -> float | None:
        try:
            return step(self._world)
        except Exception:
            log.exception("a step of the engine failed")
            return None


def advance(world: World) -> float | None:
    """Move all deployments; return when the next thing is due."""
    now = world.clock.now()
    sql = (
        "select * from deploy where status in ('InProgress', 'Canceling', 'Pending')"
        " order by number"
    )
    living = [rows.from_row(row) for row in world.store.rows(sql)]
    busy: set[str] = set()
    for deploy in living:
        if deploy.status == rows.PENDING:
            continue
        if deploy.plan is None and deploy.status == rows.RUNNING:
            _plan(world, deploy)
        ended = _end(world, deploy.org, deploy.id, now)
        if not ended:
            busy.add(deploy.org)
    for deploy in living:
        ready = deploy.created_at + world.clock.scaled(QUEUE_SECONDS) <= now
        if deploy.status == rows.PENDING and deploy.org not in busy and ready:
            busy.add(deploy.org)
            _begin(world, deploy)
    return _next_due(world)


def _next_due(world: World) -> float | None:
    row = world.store.row(
        "select min(case when status = 'Pending' then created_at + ?"
        " else min(coalesce(finish_at, 0), coalesce(cancel_at, finish_at, 0)) end) as due"
        " from deploy"
        " where status in ('InProgress', 'Canceling') or (status = 'Pending' and not exists"
        " (select 1 from deploy d where d.org = deploy.org and d.status in"
        " ('InProgress', 'Canceling')))",
        world.clock.scaled(QUEUE_SECONDS),
    )
    return None if row is None or row["due"] is None else float(row["due"])


def _begin(world: World, deploy: Deploy) -> None:
    now = world.clock.now()
    taken = world.store.run(
        "update deploy set status = 'InProgress', started_at = ?, modified_at = ?"
        " where id = ? and status = 'Pending'",
        now,
        now,
        deploy.id,
    )
    if taken:
        _plan(world, deploy)


def _plan(world: World, deploy: Deploy) -> None:
    org = sure(world.org(deploy.org), "a deployment belongs to an org")
    plan = planning.make(world, org, deploy.options, world.store.get(deploy.zip))
    if deploy.kind == rows.QUICK:
        plan.tests, plan.run_tests, plan.coverage, plan.coverage_warnings = [], False, [], []
    stretch = _apply_faults(world, deploy, plan)
    now = world.clock.now()
    middle = now + world.clock.scaled(plan.component_seconds)
    finish = middle + world.clock.scaled(plan.test_seconds + stretch)
    if plan.never_ends:
        finish = now + FOREVER
    world.store.run(
        "update deploy set plan = ?, started_at = ?, components_end_at = ?, finish_at = ?"
        " where id = ?",
        plans.save(world, plan),
        now,
        middle,
        finish,
        deploy.id,
    )


def _apply_faults(world: World, deploy: Deploy, plan: Plan) -> float:
    """Bend a plan as the operator asked; return the seconds to add."""
    fault = faults.take(world, deploy.org, RUN_CALL)
    if fault is None:
        return 0.0
    arguments = fault.arguments
    match fault.kind:
        case "never_ends":
            plan.never_ends = True
        case "slow":
            return float(arguments.get("seconds", 60))
        case "component_error":
            _break_component(plan, arguments, rolls_back=deploy.options.rollback_on_error)
        case _:
            code = str(arguments.get("code", "UNKNOWN_EXCEPTION"))
            plan.error_code = code
            plan.error_message = str(arguments.get("message") or faults.words_for(code))
            plan.messages, plan.tests = [], []
    return 0.0


def _break_component(plan: Plan, arguments: dict[str, object], *, rolls_back: bool) -> None:
    """Let one component fail: all with it, or without rollback only what it would have done."""
    code = str(arguments.get("code", "UNABLE_TO_LOCK_ROW"))
    wanted = str(arguments.get("component", ""))
    problem = str(arguments.get("message") or faults.words_for(code))
    chosen = next((m for m in plan.counted if wanted in ("", m.name)), None)
    if chosen is None:
        chosen = Message("", "package.xml", "package.xml")
        plan.messages.append(chosen)
    chosen.success, chosen.problem, chosen.problem_type = False, problem, "Error"
    chosen.created = chosen.changed = chosen.deleted = False
    if rolls_back:
        plan.writes, plan.deletes_before, plan.deletes_after = [], [], []
        plan.tests = []
        return
    own = (chosen.type, chosen.name)
    plan.writes = [write for write in plan.writes if write[:2] != own]
    plan.deletes_before = [gone for gone in plan.deletes_before if gone != own]
    plan.deletes_after = [gone for gone in plan.deletes_after if gone != own]


def _end(world: World, org: str, identifier: str, now: float) -> bool:
    """End a deployment that is due; say whether it has ended."""
    with world.store.transaction():
        deploy = sure(rows.of_id(world, org, identifier), "deployments are never deleted")
        if deploy.done:
            return True
        finish = deploy.finish_at
        if deploy.cancel_at is not None and (finish is None or deploy.cancel_at < finish):
            if deploy.cancel_at > now:
                return False
            _close(world, deploy, rows.CANCELED, deploy.cancel_at)
            return True
        if finish is None or finish > now or deploy.plan is None:
            return False
        plan = plans.load(world, deploy.plan)
        status = outcome(deploy, plan)
        if status in (rows.SUCCEEDED, rows.PARTIAL) and not deploy.options.check_only:
            _write(world, deploy, plan)
        _close(world, deploy, status, now, plan)
    return True


def outcome(deploy: Deploy, plan: Plan) -> str:
    """Return the final status that a plan leads to."""
    if plan.error_code or plan.test_errors or plan.coverage_warnings:
        return rows.FAILED
    if not plan.component_errors:
        return rows.SUCCEEDED
    if deploy.options.rollback_on_error or not any(m.success for m in plan.counted):
        return rows.FAILED
    return rows.PARTIAL


def _write(world: World, deploy: Deploy, plan: Plan) -> None:
    created = {(m.type, m.name) for m in plan.messages if m.created}
    for kind, name in plan.deletes_before:
        holdings.delete(world, deploy.org, deploy.created_by, kind, name)
        _audit(world, deploy, "deleted", kind, name)
    revision = holdings.next_revision(world, deploy.org)
    stamp = (deploy.org, deploy.created_by, world.clock.now(), revision)
    for kind, name, files in plan.writes:
        holdings.put_hashes(world, stamp, kind, name, files)
        _audit(world, deploy, "created" if (kind, name) in created else "changed", kind, name)
        if kind == "InstalledPackage":
            org = sure(world.org(deploy.org), "a deployment belongs to an org")
            content = world.store.get(next(iter(files.values())))
            contents.install_by_file(world, org, deploy.created_by, name, content)
    for kind, name in plan.deletes_after:
        holdings.delete(world, deploy.org, deploy.created_by, kind, name)
        _audit(world, deploy, "deleted", kind, name)
    if plan.coverage:
        runs.note(world, deploy.org, deploy.created_by, plan.coverage)
    # A deployment that goes through voids every earlier validation of the org.
    world.store.run(
        "update deploy set voided_at = ? where org = ? and voided_at is null and number < ?",
        world.clock.now(),
        deploy.org,
        deploy.number,
    )


def _audit(world: World, deploy: Deploy, word: str, kind: str, name: str) -> None:
    """Note what a deployment did to one component, as a change in Setup would be noted."""
    display = f"{word.capitalize()} {kind} {name}"
    world.audit(deploy.org, deploy.created_by, f"{word}{kind}", kind, display)


def _close(world: World, deploy: Deploy, status: str, at: float, plan: Plan | None = None) -> None:
    world.store.run(
        "update deploy set status = ?, completed_at = ?, modified_at = ?, error_code = ?,"
        " error_message = ? where id = ?",
        status,
        at,
        at,
        plan.error_code if plan and plan.error_code else None,
        plan.error_message if plan and plan.error_message else None,
        deploy.id,
    )
