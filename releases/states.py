"""State tables of this app: pure data, no Django (design 4).

Every machine has one ``StrEnum`` and one table; only the service named beside it moves it.
"""

from __future__ import annotations

from enum import StrEnum

from core.machine import Machine


class ReleaseState(StrEnum):
    """Life of a release; moved by ``services.releases`` and ``services.outcomes``."""

    DRAFT = "draft"
    COMPOSING = "composing"
    COMPOSED = "composed"
    INTEGRATING = "integrating"
    INTEGRATED = "integrated"
    REHEARSING = "rehearsing"
    REHEARSED = "rehearsed"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    SCHEDULED = "scheduled"
    DEPLOYING = "deploying"
    DEPLOYED = "deployed"
    FAILED = "failed"
    ROLLED_BACK = "rolled_back"
    CLOSED = "closed"


_R = ReleaseState

RELEASE = Machine(
    "release",
    {
        _R.DRAFT: {_R.COMPOSING, _R.CLOSED},
        _R.COMPOSING: {_R.COMPOSED, _R.DRAFT},
        _R.COMPOSED: {_R.INTEGRATING, _R.SUBMITTED, _R.DRAFT},
        _R.INTEGRATING: {_R.INTEGRATED, _R.COMPOSED, _R.DRAFT},
        _R.INTEGRATED: {_R.REHEARSING, _R.SUBMITTED, _R.DRAFT},
        _R.REHEARSING: {_R.REHEARSED, _R.COMPOSED, _R.DRAFT},
        _R.REHEARSED: {_R.SUBMITTED, _R.DRAFT},
        _R.SUBMITTED: {_R.APPROVED, _R.REHEARSED, _R.COMPOSED, _R.DRAFT},
        _R.APPROVED: {_R.SCHEDULED, _R.DEPLOYING, _R.REHEARSED, _R.COMPOSED, _R.DRAFT},
        _R.SCHEDULED: {_R.DEPLOYING, _R.REHEARSED, _R.COMPOSED, _R.DRAFT},
        _R.DEPLOYING: {
            _R.DEPLOYED,
            _R.FAILED,
            _R.ROLLED_BACK,
            _R.REHEARSED,
            _R.COMPOSED,
            _R.DRAFT,
        },
        _R.DEPLOYED: {_R.CLOSED},
        _R.FAILED: {_R.DRAFT, _R.CLOSED},
        _R.ROLLED_BACK: {_R.DRAFT, _R.CLOSED},
        _R.CLOSED: set(),
    },
)


class DeploymentState(StrEnum):
    """Life of one attempt to make one environment hold one artefact."""

    HELD = "held"
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"
    SUPERSEDED = "superseded"


_D = DeploymentState

DEPLOYMENT = Machine(
    "deployment",
    {
        _D.HELD: {_D.QUEUED, _D.RUNNING, _D.CANCELLED, _D.SUPERSEDED, _D.FAILED},
        _D.QUEUED: {_D.HELD, _D.RUNNING, _D.CANCELLED, _D.SUPERSEDED, _D.FAILED},
        _D.RUNNING: {_D.SUCCEEDED, _D.FAILED, _D.CANCELLED, _D.UNKNOWN, _D.SUPERSEDED},
        _D.UNKNOWN: {_D.RUNNING, _D.SUCCEEDED, _D.FAILED, _D.CANCELLED},
        _D.SUCCEEDED: set(),
        _D.FAILED: set(),
        _D.CANCELLED: set(),
        _D.SUPERSEDED: set(),
    },
)


class StepState(StrEnum):
    """Life of one step; an effect is intended, started with the org's id, then settled."""

    PENDING = "pending"
    INTENDED = "intended"
    STARTED = "started"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"


_S = StepState

STEP = Machine(
    "step",
    {
        _S.PENDING: {_S.INTENDED, _S.SUCCEEDED, _S.FAILED, _S.SKIPPED, _S.CANCELLED},
        _S.INTENDED: {_S.STARTED, _S.SUCCEEDED, _S.FAILED, _S.UNKNOWN, _S.CANCELLED},
        _S.STARTED: {_S.SUCCEEDED, _S.FAILED, _S.CANCELLED, _S.UNKNOWN},
        _S.UNKNOWN: {_S.STARTED, _S.SUCCEEDED, _S.FAILED, _S.CANCELLED},
        _S.SUCCEEDED: set(),
        _S.FAILED: set(),
        _S.CANCELLED: set(),
        _S.SKIPPED: set(),
    },
)


class CandidateState(StrEnum):
    """Life of a tag on its way from TEST into a release."""

    BUILDING = "building"
    TESTING = "testing"
    DEPLOYED = "deployed"
    ACCEPTED = "accepted"
    OFFERED = "offered"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    FAILED = "failed"


_C = CandidateState

CANDIDATE = Machine(
    "candidate",
    {
        _C.BUILDING: {_C.TESTING, _C.FAILED},
        _C.TESTING: {_C.DEPLOYED, _C.FAILED},
        _C.DEPLOYED: {_C.ACCEPTED, _C.REJECTED},
        _C.ACCEPTED: {_C.OFFERED, _C.REJECTED},
        _C.OFFERED: {_C.WITHDRAWN},
        _C.WITHDRAWN: {_C.OFFERED},
        _C.FAILED: {_C.BUILDING},
        _C.REJECTED: set(),
    },
)


class BuildState(StrEnum):
    """Life of one commit on its way into the team's CI org."""

    QUEUED = "queued"
    BUILDING = "building"
    DEPLOYING = "deploying"
    PASSED = "passed"
    FAILED = "failed"
    SUPERSEDED = "superseded"


_B = BuildState

BUILD = Machine(
    "build",
    {
        _B.QUEUED: {_B.BUILDING, _B.SUPERSEDED},
        _B.BUILDING: {_B.DEPLOYING, _B.FAILED, _B.SUPERSEDED},
        _B.DEPLOYING: {_B.PASSED, _B.FAILED, _B.SUPERSEDED},
        _B.PASSED: set(),
        _B.FAILED: set(),
        _B.SUPERSEDED: set(),
    },
)


class Purpose(StrEnum):
    """Why a deployment exists; fixes its plan of steps."""

    BUILD = "build"
    TEST = "test"
    INTEGRATE = "integrate"
    REHEARSE = "rehearse"
    PREPARE = "prepare"
    RELEASE = "release"


class StepKind(StrEnum):
    """What a step does in the org."""

    GATE = "gate"
    SNAPSHOT = "snapshot"
    VALIDATE = "validate"
    DEPLOY = "deploy"
    VERIFY = "verify"


class Effect(StrEnum):
    """Effect class of a step (design 4): decisions are demanded for ``write`` only."""

    READ = "read"
    CHECK = "check"
    WRITE = "write"


EFFECTS: dict[StepKind, Effect] = {
    StepKind.GATE: Effect.READ,
    StepKind.SNAPSHOT: Effect.READ,
    StepKind.VALIDATE: Effect.CHECK,
    StepKind.DEPLOY: Effect.WRITE,
    StepKind.VERIFY: Effect.READ,
}

PLANS: dict[Purpose, tuple[StepKind, ...]] = {
    Purpose.BUILD: (StepKind.GATE, StepKind.DEPLOY, StepKind.VERIFY),
    Purpose.TEST: (StepKind.GATE, StepKind.DEPLOY, StepKind.VERIFY),
    Purpose.INTEGRATE: (StepKind.GATE, StepKind.SNAPSHOT, StepKind.DEPLOY, StepKind.VERIFY),
    Purpose.REHEARSE: (StepKind.GATE, StepKind.SNAPSHOT, StepKind.DEPLOY, StepKind.VERIFY),
    Purpose.PREPARE: (StepKind.GATE, StepKind.SNAPSHOT, StepKind.VALIDATE),
    Purpose.RELEASE: (
        StepKind.GATE,
        StepKind.SNAPSHOT,
        StepKind.VALIDATE,
        StepKind.DEPLOY,
        StepKind.VERIFY,
    ),
}


class PackScope(StrEnum):
    """What an evidence pack is about."""

    RELEASE = "release"
    PERIOD = "period"


class PackState(StrEnum):
    """Life of an evidence pack; moved by ``services.evidence`` and the build worker."""

    QUEUED = "queued"
    MAKING = "making"
    READY = "ready"
    FAILED = "failed"


_K = PackState

PACK = Machine(
    "evidence_pack",
    {
        _K.QUEUED: {_K.MAKING, _K.FAILED},
        _K.MAKING: {_K.READY, _K.FAILED},
        _K.READY: set(),
        _K.FAILED: set(),
    },
)


class ObservationState(StrEnum):
    """Whether an org could be asked for its own list of deployments."""

    DONE = "done"
    FAILED = "failed"


class Standing(StrEnum):
    """How a deployment that an org reports stands to what Gatehouse sent."""

    MATCHED = "matched"
    NO_EFFECT = "no_effect"
    PENDING = "pending"
    UNEXPLAINED = "unexplained"


LIVE_DEPLOYMENTS = frozenset({_D.HELD, _D.QUEUED, _D.RUNNING, _D.UNKNOWN})
UNDER_WAY = frozenset({_D.RUNNING, _D.UNKNOWN})
SETTLED_STEPS = frozenset({_S.SUCCEEDED, _S.FAILED, _S.CANCELLED, _S.SKIPPED})
