"""Which policy governs what: stages, environments, and everything that is protected."""

from __future__ import annotations

from environments.models import Environment, StagePolicy
from environments.states import Kind, Stage, TrackKind, kind_of
from governance.models import Policy, PolicyVersion
from governance.policies import Use


def in_force(environment: Environment) -> PolicyVersion | None:
    """The version that governs an environment now; None: nothing is allowed.

    Every environment carries its policy, also one that follows its stage.
    """
    return environment.policy.current if environment.policy else None


def default_of(track_kind: str, stage: str) -> Policy | None:
    """The policy of a stage; None when it has none."""
    rows = StagePolicy.objects.filter(track_kind=track_kind, stage=stage)
    found = rows.select_related("policy").first()
    return found.policy if found else None


def born_with(track_kind: str, stage: str) -> tuple[Policy | None, bool]:
    """The policy of a new environment, and whether it follows its stage.

    On the production track it takes the place of the one before it with the rules of that one, so
    that retiring and registering sheds none: a policy of its own, and also none.
    """
    if track_kind == TrackKind.PRODUCTION:
        rows = Environment.objects.filter(track__kind=track_kind, stage=stage)
        before = rows.select_related("policy").order_by("-pk").first()
        if before is not None and (before.policy is None or not before.follows_stage):
            return before.policy, before.follows_stage
    return default_of(track_kind, stage), True


def uses(policy: Policy) -> list[Use]:
    """What a policy governs here: its stages, and the environments that do not follow theirs."""
    stages = [
        Use(str(row), kind_of(Stage(row.stage)) == Kind.PRODUCTION)
        for row in StagePolicy.objects.filter(policy=policy).order_by("pk")
    ]
    rows = Environment.objects.live().filter(policy=policy).order_by("pk")
    return [*stages, *(Use(row.name, row.kind == Kind.PRODUCTION) for row in rows)]
