"""The validation that a deployment may rest on: of the same artefact, organisation and options.

While it counts, validating again is skipped; while the org takes it, a quick deploy sends no bytes
and runs no tests anew. The platform takes one that was check-only, succeeded, is at most ten days
old, whose tests ran and passed, unless something was deployed to that org since
(deployRecentValidation, API 33.0 and later).
"""

from __future__ import annotations

from core import db
from releases.engine.context import StepContext
from releases.models import Deployment, Step
from releases.rules.checks import VALIDATION_COUNTS_FOR
from releases.states import Effect, Purpose, StepKind, StepState

WITHOUT_EFFECT = (StepState.FAILED, StepState.CANCELLED)


def counting(ctx: StepContext) -> Step | None:
    """The preparation's validation while it still counts; ``None`` when none does."""
    preparation = ctx.deployment.preparation
    if ctx.deployment.purpose != Purpose.RELEASE or preparation is None:
        return None
    same = (
        preparation.artefact_id == ctx.deployment.artefact_id
        and preparation.organization_id == ctx.deployment.organization_id
        and preparation.options == ctx.deployment.options
    )
    return _recent(preparation) if same else None


def for_quick_deploy(ctx: StepContext) -> Step | None:
    """The validation that the org can deploy as it checked it; ``None`` when there is none.

    Only the org knows for sure: an installed package voids it too.
    """
    if ctx.deployment.purpose != Purpose.RELEASE or ctx.step.kind != StepKind.DEPLOY:
        return None
    step = _recent(ctx.deployment) or counting(ctx)
    if step is None or not step.tests_done or step.test_errors:
        return None
    written_since = Step.objects.filter(
        deployment__environment_id=ctx.deployment.environment_id,
        effect=Effect.WRITE,
        intended_at__gt=step.intended_at,
    ).exclude(state__in=WITHOUT_EFFECT)
    return None if written_since.exists() else step


def _recent(deployment: Deployment) -> Step | None:
    """The deployment's own validation when it succeeded not too long ago."""
    return (
        deployment.steps.filter(
            kind=StepKind.VALIDATE,
            state=StepState.SUCCEEDED,
            finished_at__gte=db.database_now() - VALIDATION_COUNTS_FOR,
        )
        .select_related("deployment")
        .first()
    )
