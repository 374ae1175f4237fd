"""Which policy version a deployment obeys.

An emergency and a rollback of production have policies of their own, by name; everything else
obeys the policy of its environment.
"""

from __future__ import annotations

from environments import selectors_policies
from environments.models import Environment
from governance.models import Policy, PolicyVersion
from releases.models import Deployment, Release
from releases.states import Purpose

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
    policy = Policy.objects.filter(name=name).first()
    return policy.current if policy else None


def class_of(deployment: Deployment) -> str:
    """The change class of what is deployed; builds and candidates have none."""
    return deployment.release.change_class if deployment.release is not None else ""


def of_deployment(deployment: Deployment, environment: Environment) -> PolicyVersion | None:
    """The version that a deployment obeys now."""
    if deployment.purpose in (Purpose.RELEASE, Purpose.PREPARE):
        return for_release(environment, class_of(deployment))
    return in_force(environment)
