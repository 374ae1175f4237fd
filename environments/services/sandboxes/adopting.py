"""A sandbox that production lists and Gatehouse did not know becomes the org of a stage."""

from __future__ import annotations

from django.db import transaction

from core.errors import NotFound, NotNow
from environments import rules_sandboxes as rules
from environments.models import Environment
from environments.selectors_sandboxes import find_sandbox
from environments.services import orgs
from environments.services.sandboxes import inventory
from governance.models import Team


@transaction.atomic
def adopt(*, sandbox_id: int, team: Team | None, stage: str, name: str) -> Environment:
    """Register a listed sandbox on a stage with what production says about it.

    Codes: ``sandbox.unknown``, ``sandbox.owned``, ``sandbox.not_ready`` (never copied yet),
    ``sandbox.licence`` and those of ``orgs.create``.
    """
    sandbox = find_sandbox(sandbox_id)
    if sandbox is None:
        raise NotFound("sandbox.unknown", "Production lists no such sandbox any more.")
    if not sandbox.organization_id:
        raise NotNow(
            "sandbox.not_ready",
            f"{sandbox.name} has no organisation yet: its first copy has not ended. Wait for it.",
        )
    if not sandbox.is_known_type:
        raise NotNow(
            "sandbox.licence",
            f"{sandbox.name} is of the type {sandbox.licence_type}, which Gatehouse does not know.",
        )
    words = orgs.Words(
        name=name,
        licence_type=sandbox.licence_type,
        login_host=rules.host_of(sandbox.production.login_host, sandbox.name),
        expected_organization_id=sandbox.organization_id,
    )
    environment = orgs.create(team=team, stage=stage, words=words)
    inventory.link(sandbox_id=sandbox.pk, environment=environment)
    return environment
