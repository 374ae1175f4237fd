"""What the checks of a policy look at, read from the rows that the work left behind.

A fact that no check of the policy looks at is not read, and stays as if it did not exist.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from core.composed import Composed, Given, Question
from governance.rules.policy import PolicyRules
from releases.models import CheckResult, Deployment, RunbookItem, Step
from releases.rules.checks import CheckFacts, Runbook, Work
from releases.selectors.cargo import Cargo
from releases.states import DeploymentState, Purpose, StepKind, StepState

OF_VALIDATION = frozenset({"validated", "coverage"})
NO_CHECKS: frozenset[str] = frozenset()


def of(
    deployment: Deployment, rules: PolicyRules | None, now: datetime, *, carries: Cargo
) -> CheckFacts:
    """The facts of one deployment under the rules in force: a query per kind, at most four."""
    found = defaultdict(list, _answers(_questions(deployment, rules, carries)))
    validation, own = _first(found["validation"]), _first(found["backup"])
    return CheckFacts(
        now=now,
        work=_work(carries),
        rehearsed_in=found["rehearsed"][0][0] if found["rehearsed"] else "",
        validated_at=validation[0] if validation else None,
        coverage=validation[1] if validation else None,
        backup_planned=own is not None,
        backup_at=own[1] if own and own[0] == StepState.SUCCEEDED else None,
        runbook=_runbook(carries.steps),
        external={
            (load.team_id, sha, name): result
            for team_id, sha, name, result in found["external"]
            for load in carries.loads
            if load.sha == sha and team_id in (None, load.team_id)
        },
        min_coverage=rules.min_coverage if rules else 0,
        backup_max_hours=rules.backup_max_hours if rules else None,
    )


def _work(carries: Cargo) -> tuple[Work, ...]:
    """The candidates that the deployment carries, each with the state of its commit's build."""
    return tuple(
        Work(row.label, row.sha, row.build_state, row.tested, row.team_id) for row in carries.loads
    )


def foreseen(deployment: Deployment, rules: PolicyRules | None, carries: Cargo) -> list[Question]:
    """What ``of`` will ask."""
    return list(_questions(deployment, rules, carries).values())


def _questions(
    deployment: Deployment, rules: PolicyRules | None, carries: Cargo
) -> dict[str, Question]:
    """What is asked for the checks of a policy.

    ``rehearsed``: where this very artefact was rehearsed; ``validation``: end and coverage of its
    newest validation in this org with these tests; ``backup``: state and end of the deployment's
    own snapshot; ``external``: the newest results that outside systems reported.
    """
    checks = frozenset(rules.checks) if rules else NO_CHECKS
    asked = {}
    if "rehearsed" in checks:
        asked["rehearsed"] = _REHEARSED.asked(artefact=deployment.artefact_id)
    if checks & OF_VALIDATION:
        asked["validation"] = _VALIDATED.asked(
            environment=deployment.environment_id,
            artefact=deployment.artefact_id,
            organization=deployment.organization_id,
            level=json.dumps(deployment.plan["test_level"]),
            tests=json.dumps(deployment.plan["run_tests"]),
        )
    if "backup" in checks:
        asked["backup"] = _SNAPSHOT.asked(deployment=deployment.pk)
    if rules and rules.external_checks:
        shas = list({load.sha for load in carries.loads})
        asked["external"] = _RESULTS.asked(shas=shas, names=list(rules.external_checks))
    return asked


def _answers(asked: dict[str, Question]) -> dict[str, list[Any]]:
    return {name: question.answer() for name, question in asked.items()}


def _first(rows: list[Any]) -> Any:
    return rows[0] if rows else None


def _runbook(steps: Iterable[RunbookItem]) -> Runbook:
    """What has to be ticked before the write: every step that comes before, on the way there."""
    rows = list(steps)
    before = [row for row in rows if row.phase == RunbookItem.Phase.BEFORE]
    unrehearsed = [row.text for row in rows if row.rehearsed_at is None]
    undone = [row.text for row in before if row.done_at is None]
    return Runbook(len(rows), tuple(dict.fromkeys([*undone, *unrehearsed])))


_REHEARSED = Composed(
    lambda: (
        Deployment.objects.filter(
            artefact=Given("artefact", "bigint"),
            purpose=Purpose.REHEARSE,
            state=DeploymentState.SUCCEEDED,
        )
        .order_by("-pk")
        .values_list("environment__name")[:1]
    )
)
_VALIDATED = Composed(
    lambda: (
        Step.objects.filter(
            kind=StepKind.VALIDATE,
            state=StepState.SUCCEEDED,
            deployment__environment=Given("environment", "bigint"),
            deployment__artefact=Given("artefact", "bigint"),
            deployment__organization_id=Given("organization", "text"),
            deployment__plan__test_level=Given("level", "jsonb"),
            deployment__plan__run_tests=Given("tests", "jsonb"),
        )
        .order_by("-finished_at")
        .values_list("finished_at", "coverage")[:1]
    )
)
_SNAPSHOT = Composed(
    lambda: Step.objects.filter(
        deployment=Given("deployment", "bigint"), kind=StepKind.SNAPSHOT
    ).values_list("state", "finished_at")[:1]
)
_RESULTS = Composed(
    lambda: (
        CheckResult.objects.filter(
            sha__in=Given("shas", "text[]"), name__in=Given("names", "text[]")
        )
        .order_by("pk")
        .values_list("repository__team_id", "sha", "name", "result")
    )
)
