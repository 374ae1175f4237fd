"""manage.py bench: what Gatehouse adds to the org's own time, from deployments that really ran."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from releases.models import Deployment, Step
from releases.states import DeploymentState, Effect, Purpose, StepState

LINE = "{:<10} {:<10} {:>12} {:>12} {:>12} {:>12}"


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds of one deployment; ``asked_to_call`` starts at the approval, or at the plan."""

    deployment: Deployment
    asked_to_call: float
    whole: float
    org: float

    @property
    def added(self) -> float:
        """Seconds that were not the org's own."""
        return self.whole - self.org


class Command(BaseCommand):
    """Print figures of the newest deployments, and their medians by purpose."""

    help = "Print how long deployments took and what Gatehouse added to the org's own time."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take how many deployments to look at."""
        parser.add_argument("--last", type=int, default=50, help="how many deployments (50)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print one line a deployment, then the medians."""
        found = [timing for timing in map(timing_of, newest(options["last"])) if timing]
        head = ("deployment", "purpose", "ask to call", "whole", "org's own", "added")
        self.stdout.write(LINE.format(*head))
        for timing in found:
            self._line(timing.deployment.public_id, timing.deployment.purpose, [timing])
        self.stdout.write("\nmedians (seconds)")
        for purpose in Purpose:
            group = [timing for timing in found if timing.deployment.purpose == purpose]
            if group:
                self._line(f"{len(group)} runs", purpose.value, group)

    def _line(self, name: str, purpose: str, group: list[Timing]) -> None:
        figures = (
            median(timing.asked_to_call for timing in group),
            median(timing.whole for timing in group),
            median(timing.org for timing in group),
            median(timing.added for timing in group),
        )
        self.stdout.write(LINE.format(name, purpose, *(f"{figure:.2f}" for figure in figures)))


def newest(count: int) -> list[Deployment]:
    """The newest deployments that succeeded, oldest of them first."""
    rows = Deployment.objects.filter(state=DeploymentState.SUCCEEDED).order_by("-pk")[:count]
    return list(rows)[::-1]


def timing_of(deployment: Deployment) -> Timing | None:
    """Figures of a deployment; ``None`` when it sent nothing or the org gave no times."""
    sent = (
        Step.objects.filter(deployment=deployment, state=StepState.SUCCEEDED)
        .exclude(effect=Effect.READ)
        .order_by("position")
        .first()
    )
    if sent is None or sent.started_at is None or deployment.finished_at is None:
        return None
    org = sent.facts.get("org_seconds")
    if org is None:
        return None
    asked = max(
        filter(None, (deployment.approved_at, deployment.created_at, deployment.not_before))
    )
    return Timing(
        deployment=deployment,
        asked_to_call=(sent.started_at - asked).total_seconds(),
        whole=(deployment.finished_at - asked).total_seconds(),
        org=float(org),
    )
