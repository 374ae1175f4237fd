"""The enumerations of environments and their state machines. Pure Python."""

from __future__ import annotations

from enum import StrEnum

from core.machine import Machine


class TrackKind(StrEnum):
    """A team's own track, or the one that leads to production."""

    DEVELOPER = "developer"
    PRODUCTION = "production"

    @property
    def title(self) -> str:  # type: ignore[override]
        """The kind in words."""
        return "the production track" if self is TrackKind.PRODUCTION else "the teams' tracks"


class Stage(StrEnum):
    """A place on a track that one org fills."""

    DEV = "DEV"
    CI = "CI"
    TEST = "TEST"
    PRE_PRD = "PRE-PRD"
    PRD = "PRD"
    CANARY = "CANARY"
    """No org stands behind it: it is asked daily to take what nobody approved, and refuses."""


STAGES: dict[TrackKind, tuple[Stage, ...]] = {
    TrackKind.DEVELOPER: (Stage.DEV, Stage.CI, Stage.TEST),
    TrackKind.PRODUCTION: (Stage.CI, Stage.PRE_PRD, Stage.PRD),
}
"""The stages of each kind of track, in the order of promotion."""


class Kind(StrEnum):
    """What sort of org it is. Exactly the stage PRD holds the production org."""

    PRODUCTION = "production"
    SANDBOX = "sandbox"


class Licence(StrEnum):
    """The licence type of a sandbox; production has its own word."""

    PRODUCTION = "production"
    DEVELOPER = "developer"
    DEVELOPER_PRO = "developer_pro"
    PARTIAL = "partial_copy"
    FULL = "full"

    @property
    def title(self) -> str:  # type: ignore[override]
        """The licence type as Salesforce writes it."""
        return self.value.replace("_", " ").title()


class Connection(StrEnum):
    """What the last check of the org found."""

    UNCHECKED = "unchecked"
    OK = "ok"
    FAILED = "failed"
    RECONNECT = "reconnect"


class HoldState(StrEnum):
    """How the last write on the environment ended."""

    EMPTY = "empty"
    DEPLOYED = "deployed"
    FAILED = "failed"
    UNKNOWN = "unknown"


class Flow(StrEnum):
    """How Gatehouse signs in to an org."""

    JWT = "jwt"
    CLIENT_CREDENTIALS = "client_credentials"

    @property
    def title(self) -> str:  # type: ignore[override]
        """The flow as Salesforce's documentation names it."""
        return "JWT bearer" if self is Flow.JWT else "Client credentials"


class SnapshotState(StrEnum):
    """Where the retrieve of a snapshot stands."""

    REQUESTED = "requested"
    RETRIEVING = "retrieving"
    DONE = "done"
    FAILED = "failed"


SNAPSHOT: Machine[SnapshotState] = Machine(
    "snapshot",
    {
        SnapshotState.REQUESTED: {SnapshotState.RETRIEVING, SnapshotState.FAILED},
        SnapshotState.RETRIEVING: {SnapshotState.DONE, SnapshotState.FAILED},
        SnapshotState.DONE: set(),
        SnapshotState.FAILED: set(),
    },
)


def kind_of(stage: Stage) -> Kind:
    """Return what sort of org a stage takes."""
    return Kind.PRODUCTION if stage is Stage.PRD else Kind.SANDBOX


class AssignmentState(StrEnum):
    """Where the question about another policy for an environment or a stage stands."""

    ASKED = "asked"
    APPLIED = "applied"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"


ASSIGNMENT: Machine[AssignmentState] = Machine(
    "policy_assignment",
    {
        AssignmentState.ASKED: set(AssignmentState) - {AssignmentState.ASKED},
        AssignmentState.APPLIED: set(),
        AssignmentState.REJECTED: set(),
        AssignmentState.WITHDRAWN: set(),
        AssignmentState.LAPSED: set(),
    },
)


class FreezeKind(StrEnum):
    """A freeze from–to, or an emergency stop until it is lifted."""

    FREEZE = "freeze"
    STOP = "stop"


class FreezeScope(StrEnum):
    """What a freeze covers."""

    EVERYTHING = "everything"
    PROTECTED = "protected"
    TRACK = "track"
    ENVIRONMENT = "environment"
    TEAM = "team"


class FreezeSource(StrEnum):
    """Where a freeze came from: typed by a person, or chosen out of a calendar."""

    PERSON = "person"
    HOLIDAYS = "holidays"
    ICAL = "ical"


class ImportState(StrEnum):
    """Where the reading of an imported calendar stands."""

    REQUESTED = "requested"
    DONE = "done"
    FAILED = "failed"


IMPORT: Machine[ImportState] = Machine(
    "calendar_import",
    {
        ImportState.REQUESTED: {ImportState.DONE, ImportState.FAILED},
        ImportState.DONE: {ImportState.REQUESTED},
        ImportState.FAILED: {ImportState.REQUESTED},
    },
)


class SandboxAction(StrEnum):
    """What somebody asks to be done with a sandbox."""

    REFRESH = "refresh"
    CREATE = "create"
    DELETE = "delete"


class SandboxStart(StrEnum):
    """When an approved request is carried out."""

    NOW = "now"
    AT = "at"
    SOON = "soon"
    """As soon as the platform allows it."""


class SandboxState(StrEnum):
    """Where a request about a sandbox stands."""

    ASKED = "asked"
    APPROVED = "approved"
    STARTING = "starting"
    COPYING = "copying"
    TO_ACTIVATE = "to_activate"
    ACTIVATING = "activating"
    UNKNOWN = "unknown"
    RECONNECT = "reconnect"
    DONE = "done"
    FAILED = "failed"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"


_S = SandboxState
SANDBOX: Machine[SandboxState] = Machine(
    "sandbox_request",
    {
        _S.ASKED: {_S.APPROVED, _S.REJECTED, _S.WITHDRAWN, _S.LAPSED},
        _S.APPROVED: {
            _S.ASKED,
            _S.STARTING,
            _S.FAILED,
            _S.REJECTED,
            _S.WITHDRAWN,
            _S.LAPSED,
        },
        # Back to approved only when it is certain that nothing was sent.
        _S.STARTING: {_S.APPROVED, _S.COPYING, _S.UNKNOWN, _S.FAILED},
        _S.UNKNOWN: {_S.COPYING, _S.FAILED},
        # To unknown when the platform no longer lists the copy.
        _S.COPYING: {_S.TO_ACTIVATE, _S.ACTIVATING, _S.UNKNOWN, _S.RECONNECT, _S.DONE, _S.FAILED},
        _S.TO_ACTIVATE: {_S.ACTIVATING, _S.UNKNOWN, _S.RECONNECT, _S.DONE, _S.FAILED},
        _S.ACTIVATING: {_S.TO_ACTIVATE, _S.UNKNOWN, _S.RECONNECT, _S.DONE, _S.FAILED},
        _S.RECONNECT: {_S.DONE},
        _S.DONE: set(),
        _S.FAILED: set(),
        _S.REJECTED: set(),
        _S.WITHDRAWN: set(),
        _S.LAPSED: set(),
    },
)
SANDBOX_WAITING = frozenset({_S.ASKED, _S.APPROVED})
SANDBOX_UNDER_WAY = frozenset({_S.STARTING, _S.COPYING, _S.TO_ACTIVATE, _S.ACTIVATING, _S.UNKNOWN})
SANDBOX_LIVE = SANDBOX_WAITING | SANDBOX_UNDER_WAY
"""A sandbox has at most one request in one of these states."""
