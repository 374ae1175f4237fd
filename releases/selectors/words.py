"""What the states of this app are called on the page, and in which colour and shape.

One table per machine. ``state`` is the page's ``data-state`` word, ``text`` what people read; a
test holds every table complete against ``releases.states``.
"""

from __future__ import annotations

from dataclasses import dataclass

from releases.models import Build, Candidate, Deployment, Release, Step
from releases.states import (
    LIVE_DEPLOYMENTS,
    BuildState,
    CandidateState,
    DeploymentState,
    Purpose,
    ReleaseState,
    StepKind,
    StepState,
)


@dataclass(frozen=True, slots=True)
class Word:
    """A state as shown: the four colours by ``state``, the word people read by ``text``."""

    state: str
    text: str


_R = ReleaseState
RELEASE: dict[ReleaseState, Word] = {
    _R.DRAFT: Word("none", "Draft"),
    _R.COMPOSING: Word("running", "Composing"),
    _R.COMPOSED: Word("waiting", "Composed"),
    _R.INTEGRATING: Word("running", "Integrating"),
    _R.INTEGRATED: Word("waiting", "Integrated"),
    _R.REHEARSING: Word("running", "Rehearsing"),
    _R.REHEARSED: Word("waiting", "Rehearsed"),
    _R.SUBMITTED: Word("waiting", "Waiting for approval"),
    _R.APPROVED: Word("done", "Approved"),
    _R.SCHEDULED: Word("waiting", "Scheduled"),
    _R.DEPLOYING: Word("running", "Deploying"),
    _R.DEPLOYED: Word("done", "In production"),
    _R.FAILED: Word("failed", "Failed"),
    _R.ROLLED_BACK: Word("failed", "Rolled back"),
    _R.CLOSED: Word("none", "Closed"),
}

_D = DeploymentState
DEPLOYMENT: dict[DeploymentState, Word] = {
    _D.HELD: Word("held", "Held"),
    _D.QUEUED: Word("waiting", "Waiting"),
    _D.RUNNING: Word("running", "Running"),
    _D.SUCCEEDED: Word("done", "Done"),
    _D.FAILED: Word("failed", "Failed"),
    _D.CANCELLED: Word("none", "Cancelled"),
    _D.UNKNOWN: Word("unknown", "Unknown"),
    _D.SUPERSEDED: Word("none", "Set aside"),
}

_S = StepState
STEP: dict[StepState, Word] = {
    _S.PENDING: Word("waiting", "Waiting"),
    _S.INTENDED: Word("running", "Calling the org"),
    _S.STARTED: Word("running", "Running"),
    _S.SUCCEEDED: Word("done", "Done"),
    _S.FAILED: Word("failed", "Failed"),
    _S.CANCELLED: Word("none", "Cancelled"),
    _S.UNKNOWN: Word("unknown", "Unknown"),
    _S.SKIPPED: Word("none", "Skipped"),
}
_GATE_STEP: dict[StepState, Word] = {
    **STEP,
    _S.SUCCEEDED: Word("done", "Allowed"),
    _S.FAILED: Word("failed", "Refused"),
}
_NEVER_RAN = Word("none", "Not reached")

_C = CandidateState
CANDIDATE: dict[CandidateState, Word] = {
    _C.BUILDING: Word("running", "Building"),
    _C.TESTING: Word("running", "Deploying to TEST"),
    _C.DEPLOYED: Word("waiting", "In user testing"),
    _C.ACCEPTED: Word("done", "User tests passed"),
    _C.OFFERED: Word("done", "Offered"),
    _C.REJECTED: Word("failed", "User tests failed"),
    _C.WITHDRAWN: Word("none", "Withdrawn"),
    _C.FAILED: Word("failed", "Failed"),
}

_B = BuildState
BUILD: dict[BuildState, Word] = {
    _B.QUEUED: Word("waiting", "Waiting"),
    _B.BUILDING: Word("running", "Building"),
    _B.DEPLOYING: Word("running", "Deploying to CI"),
    _B.PASSED: Word("done", "Passed"),
    _B.FAILED: Word("failed", "Failed"),
    _B.SUPERSEDED: Word("none", "Set aside"),
}

PURPOSE: dict[Purpose, str] = {
    Purpose.BUILD: "Build",
    Purpose.TEST: "User testing",
    Purpose.INTEGRATE: "Integration",
    Purpose.REHEARSE: "Rehearsal",
    Purpose.PREPARE: "Preparation",
    Purpose.RELEASE: "Release",
}

STEP_KIND: dict[StepKind, str] = {
    StepKind.GATE: "Gate",
    StepKind.SNAPSHOT: "Snapshot",
    StepKind.VALIDATE: "Validate",
    StepKind.DEPLOY: "Deploy",
    StepKind.VERIFY: "Verify",
}

# What a step is for, said while it has not begun and nothing better is known.
STEP_PURPOSE: dict[StepKind, str] = {
    StepKind.GATE: "Every rule is asked before anything is sent.",
    StepKind.SNAPSHOT: "Keeps what the org holds now of every component that would change.",
    StepKind.VALIDATE: "Check only: the org compiles and tests everything and keeps nothing.",
    StepKind.DEPLOY: "The gate is asked again right before the call.",
    StepKind.VERIFY: "Reads back what the org holds and compares it with the artefact.",
}


def release(row: Release) -> Word:
    """The word of a release; a closed one says whether it reached production."""
    if row.state == ReleaseState.CLOSED and row.deployed_at is not None:
        return Word("done", "Closed, in production")
    return RELEASE[ReleaseState(row.state)]


def deployment(row: Deployment) -> Word:
    """The word of a deployment; one that runs after a cancel was asked says so."""
    if row.state == DeploymentState.RUNNING and row.cancel_requested_at is not None:
        return Word("running", "Cancelling")
    return DEPLOYMENT[DeploymentState(row.state)]


def too_late(row: Deployment) -> str:
    """Why a deployment that has written is not cancelled any more."""
    return (
        f"{row.environment.name} holds it already, so there is nothing left to cancel; what runs "
        "now only looks whether all of it arrived."
    )


def uncovered(row: Deployment) -> str:
    """What happens with a deployment whose approval was lost after the org had taken it."""
    name = row.environment.name
    if row.is_written:
        return f"It could not be stopped any more: {name} holds it. Go back if it must not stay."
    if row.state not in LIVE_DEPLOYMENTS:
        return f"{name} is as it was: the org undid what it had begun."
    if row.cancel_requested_at is not None:
        return f"The org is told to stop and to undo it; if it is too late, {name} holds it."
    return f"The org goes on with it. Cancel it here if {name} must not hold it."


def step(row: Step, *, is_over: bool) -> Word:
    """The word of a step; ``is_over`` says that its deployment has ended."""
    if is_over and row.state == StepState.PENDING:
        return _NEVER_RAN
    table = _GATE_STEP if row.kind == StepKind.GATE else STEP
    return table[StepState(row.state)]


def candidate(row: Candidate) -> Word:
    """The word of a candidate."""
    return CANDIDATE[CandidateState(row.state)]


def build(row: Build) -> Word:
    """The word of a build."""
    return BUILD[BuildState(row.state)]


def plural(number: int, one: str, many: str = "") -> str:
    """``1 component`` or ``1,284 components``; ``many`` when an s is not enough."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
