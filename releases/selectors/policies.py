"""Which policy version a deployment obeys.

An emergency and a rollback of production have policies of their own, by name; everything else
obeys the policy of its environment.
"""

from __future__ import annotations

from environments import selectors_policies
from environments.models import Environment
from governance.models import Policy, PolicyVersion
from governance.models.approvals import LIVE
from governance.policies import Use
from releases.models import Deployment, Release
from releases.states import LIVE_DEPLOYMENTS, Purpose

BREAK_GLASS = "Break-glass"
ROLLBACK = "Rollback"
OF_CLASS = {
    Release.ChangeClass.EMERGENCY.value: BREAK_GLASS,
    Release.ChangeClass.ROLLBACK.value: ROLLBACK,
}


def in_force(environment: Environment) -> PolicyVersion | None:
    """The policy version that governs an environment now; ``None`` means deny all."""
    return selectors_policies.in_force(environment)


def for_release(environment: Environment, change_class: str) -> PolicyVersion | None:
    """The version that a release of this class obeys in production."""
    name = OF_CLASS.get(change_class)
    if name is None:
        return in_force(environment)
    rows = PolicyVersion.objects.filter(policy__name=name).select_related("policy")
    return rows.order_by("-number").first()


def uses(policy: Policy) -> list[Use]:
    """What a policy governs here, for whoever wants to change or retire it."""
    return [
        Use(f"releases of the class {change_class}", True)
        for change_class, name in OF_CLASS.items()
        if policy.name == name
    ]


def questions(environment: Environment) -> list[str]:
    """The live requests for approval about deployments to an environment."""
    states = [str(state) for state in LIVE_DEPLOYMENTS]
    rows = Deployment.objects.filter(
        environment=environment, approval__state__in=LIVE, state__in=states
    )
    return [row.approval.public_id for row in rows.select_related("approval") if row.approval]


def class_of(deployment: Deployment) -> str:
    """The change class of what is deployed; builds and candidates have none."""
    return deployment.release.change_class if deployment.release is not None else ""


def of_deployment(deployment: Deployment, environment: Environment) -> PolicyVersion | None:
    """The version that a deployment obeys now."""
    if deployment.purpose in (Purpose.RELEASE, Purpose.PREPARE):
        return for_release(environment, class_of(deployment))
    return in_force(environment)
