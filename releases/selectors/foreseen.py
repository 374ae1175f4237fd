"""What the gate will ask, sent ahead in two portions, so that it waits twice and not twenty times.

Nothing here decides. The gate asks as if nothing had been sent; it finds the answers waiting where
the same was asked with the same values, and asks itself where a guess was wrong.
"""

from __future__ import annotations

from datetime import datetime

from core.composed import Question
from core.errors import InvalidInput
from environments.services import calendar
from governance import approvals, permissions
from governance.rules.policy import PolicyRules, parse
from releases.models import Deployment
from releases.selectors import bound, cargo, check_facts, segregation
from releases.selectors.cargo import Cargo


def by_keys(deployment: Deployment) -> list[Question]:
    """What follows from the keys of the deployment in hand, if they are still the stored ones."""
    asked = [*bound.foreseen(deployment), *cargo.foreseen(deployment)]
    if deployment.requester_id is not None:
        asked.append(permissions.foreseen(deployment.requester_id))
    if deployment.approval_id is not None:
        asked += approvals.foreseen(deployment.approval_id)
        asked.append(segregation.foreseen(deployment.approval_id, deployment.release_id or 0))
    return asked


def by_rows(
    deployment: Deployment, carries: Cargo, team_ids: set[int], now: datetime
) -> list[Question]:
    """What follows from the rows, if the policy is still the one that people were asked under."""
    environment, request = deployment.environment, deployment.approval
    asked = [calendar.foreseen(environment, team_ids, now)]
    if environment.policy is not None:
        asked.append(environment.policy.foreseen())
    if request is not None:
        asked += approvals.foreseen_people(request)
        asked += check_facts.foreseen(deployment, _rules(request.policy_version.body), carries)
    return asked


def _rules(body: dict[str, object]) -> PolicyRules | None:
    try:
        return parse(body)
    except InvalidInput:
        return None
