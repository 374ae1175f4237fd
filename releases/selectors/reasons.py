"""The gate's reasons with a link to the place where a person can act on each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.urls import reverse
from django.utils import timezone

from releases.models import Deployment, Release
from releases.rules.gate import Reason, Verdict

_APPROVAL = frozenset(
    {
        "gate.approvals_missing",
        "gate.no_approval",
        "gate.subject_changed",
        "gate.approval_expired",
    }
)
_WINDOW = frozenset({"gate.window_not_open", "gate.window_over"})
_ENVIRONMENT = frozenset(
    {"gate.not_connected", "gate.organization_changed", "gate.environment_retired"}
)


@dataclass(frozen=True, slots=True)
class LinkedReason:
    """A sentence, its state and, where one leads on, an address."""

    text: str
    state: str
    url: str = ""
    code: str = ""


def linked(
    verdict: Verdict,
    release: Release | None = None,
    deployment: Deployment | None = None,
    *,
    every: bool = False,
) -> list[LinkedReason]:
    """Reasons of a verdict: all of them when it is open or wanted, else those that hold.

    Times are those of the reader's zone.
    """
    zone = timezone.get_current_timezone()
    reasons: Iterable[Reason] = verdict.reasons if verdict.allowed or every else verdict.holding
    return [
        LinkedReason(
            reason.told(zone),
            str(reason.state),
            _address(reason.code, release, deployment),
            reason.code,
        )
        for reason in reasons
    ]


def _address(code: str, release: Release | None, deployment: Deployment | None) -> str:
    if release is not None:
        if code in _APPROVAL:
            return reverse("releases:approval", kwargs={"pk": release.pk})
        if code in _WINDOW:
            return reverse("releases:release_edit", kwargs={"pk": release.pk})
        if code == "gate.stages":
            return f"{release.get_absolute_url()}#checks"
    if deployment is None:
        return ""
    if code in _ENVIRONMENT:
        return deployment.environment.get_absolute_url()
    return deployment.get_absolute_url() if code.startswith("deployment.") else ""
