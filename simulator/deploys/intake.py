"""Take deployments in: start, quick deploy, cancel. What happens then is the engine's work."""

import json
from typing import NoReturn

from simulator import ids
from simulator.deploys import options as rules
from simulator.deploys import plan as plans
from simulator.deploys import rows
from simulator.deploys.options import Options
from simulator.deploys.rows import Deploy
from simulator.identity.sessions import Session
from simulator.sure import sure
from simulator.transport.messages import Refused
from simulator.world import World

QUICK_DEPLOY_SECONDS = 10 * 24 * 3600
CANCEL_SECONDS = 0.6
MAX_ZIP = 39 * 1024 * 1024


def start(world: World, session: Session, content: bytes, options: Options, version: str) -> str:
    """Queue a deployment and return its id; Refused for what the platform refuses at once."""
    rules.check(options, is_sandbox=session.org.is_sandbox, version=float(version))
    if len(content) > MAX_ZIP:
        raise Refused(400, "LIMIT_EXCEEDED", "The zip exceeds 39 MB")
    if not content:
        raise Refused(400, "INVALID_OPERATION", "No zip file was given")
    return _insert(
        world, session, rows.ORDINARY, options, (world.store.put(content), None), version
    )


def quick(world: World, session: Session, validated: str, version: str) -> str:
    """Queue the deployment of an earlier validation and return the new id."""
    deploy = rows.of_id(world, session.org.id, validated)
    if deploy is None or not eligible(world, deploy):
        raise Refused(
            400, "INVALID_ID_FIELD", f"Invalid id: {validated} is not eligible for quick deployment"
        )
    options = Options(
        ignore_warnings=deploy.options.ignore_warnings,
        rollback_on_error=True,
        single_package=deploy.options.single_package,
        purge_on_delete=deploy.options.purge_on_delete,
    )
    source = (deploy.zip, deploy.id)
    return _insert(world, session, rows.QUICK, options, source, version)


def eligible(world: World, deploy: Deploy) -> bool:
    """Say whether a deployment is a validation that still counts."""
    if not deploy.options.check_only or deploy.status != rows.SUCCEEDED or deploy.voided_at:
        return False
    if deploy.completed_at is None or deploy.plan is None:
        return False
    if world.clock.now() - deploy.completed_at > QUICK_DEPLOY_SECONDS:
        return False
    plan = plans.load(world, deploy.plan)
    passed = bool(plan.tests) and not plan.test_errors
    return plan.run_tests and passed and not plan.lacks_coverage


def _insert(
    world: World,
    session: Session,
    kind: str,
    options: Options,
    source: tuple[str, str | None],
    version: str,
) -> str:
    now = world.clock.now()
    with world.store.transaction():
        identifier = world.store.new_id(ids.DEPLOY)
        world.store.run(
            "insert into deploy (id, org, kind, options, zip, status, created_by, created_at,"
            " modified_at, validated, api_version, number)"
            " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            identifier,
            session.org.id,
            kind,
            json.dumps(options.as_dict()),
            source[0],
            rows.PENDING,
            session.person.id,
            now,
            now,
            source[1],
            version,
            world.store.next_number("deploy.number"),
        )
    world.wake()
    return identifier


def cancel(world: World, session: Session, identifier: str) -> Deploy:
    """Ask for the end of a deployment: at once while it waits, soon while it runs."""
    with world.store.transaction():
        deploy = rows.of_id(world, session.org.id, identifier)
        if deploy is None or deploy.done:
            _no_such(identifier)
        now, by = world.clock.now(), session.person.id
        if deploy.status == rows.PENDING:
            world.store.run(
                "update deploy set status = ?, canceled_by = ?, completed_at = ?, modified_at = ?"
                " where id = ?",
                rows.CANCELED, by, now, now, deploy.id,
            )  # fmt: skip
        elif deploy.status == rows.RUNNING:
            world.store.run(
                "update deploy set status = ?, canceled_by = ?, cancel_at = ?, modified_at = ?"
                " where id = ?",
                rows.CANCELING, by, now + world.clock.scaled(CANCEL_SECONDS), now, deploy.id,
            )  # fmt: skip
        after = rows.of_id(world, session.org.id, identifier)
    world.wake()
    return sure(after, "deployments are never deleted")


def _no_such(identifier: str) -> NoReturn:
    raise Refused(400, "INVALID_ID_FIELD", f"Deployment {identifier} has ended or does not exist")
