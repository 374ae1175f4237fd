"""What one advance of a deployment works with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from jobs.registry import Claim, Next
from releases.models import Deployment, Step
from salesforce.client import Org

FIRST_POLL = 1.0
LONGEST_POLL = 30.0
UPLOAD_LIMIT = timedelta(seconds=300)
"""The upload's hard time limit; a call that left no trace for longer was lost or refused."""


@dataclass(slots=True)
class StepContext:
    """A claimed deployment, its current step and the opened org."""

    claim: Claim
    deployment: Deployment
    step: Step
    org: Org


def poll_after(step: Step, now: datetime) -> Next:
    """When to ask the org again: every second at first, stretching with age to 30 s."""
    age = (now - (step.started_at or now)).total_seconds()
    return Next.after(min(LONGEST_POLL, max(FIRST_POLL, age / 20)))
