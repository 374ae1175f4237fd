"""What the checks of a policy look at, read from the rows that the work left behind."""

from __future__ import annotations

from datetime import datetime

from governance.rules.policy import PolicyRules
from releases.models import Build, Candidate, CheckResult, Deployment, RunbookItem, Step
from releases.rules.checks import CheckFacts, Runbook, Work
from releases.selectors.subject import carried
from releases.states import DeploymentState, Purpose, StepKind, StepState


def of(deployment: Deployment, rules: PolicyRules | None, now: datetime) -> CheckFacts:
    """The facts of one deployment under the rules in force; a fixed number of queries."""
    work = _work(deployment)
    validation = _validation(deployment)
    own = _own_snapshot(deployment)
    return CheckFacts(
        now=now,
        work=work,
        rehearsed_in=_rehearsed_in(deployment),
        validated_at=validation.finished_at if validation else None,
        coverage=validation.coverage if validation else None,
        backup_planned=own is not None,
        backup_at=own.finished_at if own and own.state == StepState.SUCCEEDED else None,
        runbook=_runbook(deployment),
        external=_external(work, rules.external_checks if rules else frozenset()),
        min_coverage=rules.min_coverage if rules else 0,
        backup_max_hours=rules.backup_max_hours if rules else None,
    )


def _work(deployment: Deployment) -> tuple[Work, ...]:
    """The candidates that the deployment carries, each with the state of its commit's build."""
    candidates = _candidates(deployment)
    shas = {row.sha for row in candidates}
    built = {
        (repository, sha): state
        for repository, sha, state in Build.objects.filter(sha__in=shas).values_list(
            "repository_id", "sha", "state"
        )
    }
    return tuple(
        Work(
            label=str(row),
            sha=row.sha,
            build_state=built.get((row.repository_id, row.sha), ""),
            tested=row.tested_at is not None,
        )
        for row in candidates
    )


def _candidates(deployment: Deployment) -> list[Candidate]:
    if deployment.release is not None:
        rows = Candidate.objects.filter(
            items__release=carried(deployment.release), items__removed_at__isnull=True
        )
    elif deployment.candidate_id is not None:
        rows = Candidate.objects.filter(pk=deployment.candidate_id)
    else:
        return []
    return list(rows.select_related("team").order_by("pk"))


def _rehearsed_in(deployment: Deployment) -> str:
    """Where this very artefact was rehearsed; empty when nowhere."""
    rows = Deployment.objects.filter(
        artefact=deployment.artefact_id,
        purpose=Purpose.REHEARSE,
        state=DeploymentState.SUCCEEDED,
    )
    return rows.order_by("-pk").values_list("environment__name", flat=True).first() or ""


def _validation(deployment: Deployment) -> Step | None:
    """The newest validation of this artefact in this organisation with this test level."""
    rows = Step.objects.filter(
        kind=StepKind.VALIDATE,
        state=StepState.SUCCEEDED,
        deployment__environment=deployment.environment_id,
        deployment__artefact=deployment.artefact_id,
        deployment__organization_id=deployment.organization_id,
        deployment__plan__test_level=deployment.plan["test_level"],
    )
    return rows.order_by("-finished_at").first()


def _own_snapshot(deployment: Deployment) -> Step | None:
    return deployment.steps.filter(kind=StepKind.SNAPSHOT).first()


def _external(work: tuple[Work, ...], names: frozenset[str]) -> dict[tuple[str, str], str]:
    """The newest result that outside systems reported, by commit and name."""
    if not names:
        return {}
    rows = CheckResult.objects.filter(sha__in={row.sha for row in work}, name__in=names)
    return {(row.sha, row.name): row.result for row in rows.order_by("pk")}


def _runbook(deployment: Deployment) -> Runbook:
    """What has to be ticked before the write: every step that comes before, on the way there."""
    release = deployment.release_id
    rows = RunbookItem.objects.filter(release=release, removed_at__isnull=True).order_by("pk")
    steps = list(rows) if release else []
    before = [row for row in steps if row.phase == RunbookItem.Phase.BEFORE]
    unrehearsed = [row.text for row in steps if row.rehearsed_at is None]
    undone = [row.text for row in before if row.done_at is None]
    return Runbook(len(steps), tuple(dict.fromkeys([*undone, *unrehearsed])))
