"""Which policy governs an environment: that of its stage, or one of its own.

What demands at least as much as before is set at once by a member of the board. Everything else,
and any policy in the place of "nothing is allowed", is asked: under the policy before, together
with the new one, or under the board's own when the one before asks nobody. An environment always
carries the policy that governs it; one that follows its stage changes with it.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from django.db import connection, transaction

from core.db import advisory_lock, database_now, lock_rows
from core.digests import digest_json
from core.errors import Conflict, InvalidInput, NotFound, NotNow
from environments.models import (
    Environment,
    EnvironmentQuerySet,
    PolicyAssignment,
    StagePolicy,
)
from environments.selectors_policies import default_of
from environments.states import (
    ASSIGNMENT,
    STAGES,
    AssignmentState,
    Kind,
    Stage,
    TrackKind,
    kind_of,
)
from governance import approvals, audit, policy_changes
from governance.approvals import subjects
from governance.models import ApprovalRequest, Decision, Policy, PolicyVersion
from governance.permissions import acting_person, demand
from governance.rules.policy import parse
from governance.rules.policy_lattice import weaker
from governance.states import ApprovalState

KIND = "policy.assignment"
ENDINGS: dict[ApprovalState, AssignmentState] = {
    ApprovalState.REJECTED: AssignmentState.REJECTED,
    ApprovalState.WITHDRAWN: AssignmentState.WITHDRAWN,
    ApprovalState.EXPIRED: AssignmentState.LAPSED,
    ApprovalState.SUPERSEDED: AssignmentState.LAPSED,
}


@dataclass(frozen=True, slots=True)
class Target:
    """An environment, or a whole stage of a kind of track when that is None."""

    track_kind: TrackKind
    stage: Stage
    environment: Environment | None = None

    @property
    def needs_people(self) -> bool:
        """Tell whether a policy that asks nobody is out of the question: production's own."""
        if self.environment is not None:
            return self.environment.kind == Kind.PRODUCTION
        return kind_of(self.stage) == Kind.PRODUCTION

    def policy(self) -> Policy | None:
        """The policy that it has now."""
        if self.environment is not None:
            return self.environment.policy
        return default_of(self.track_kind, self.stage)

    def version(self) -> PolicyVersion | None:
        """The version in force there now; None: nothing is allowed."""
        policy = self.policy()
        return policy.current if policy else None


def questions(environment: Environment) -> list[str]:
    """The requests about another policy for an environment."""
    rows = PolicyAssignment.objects.filter(environment=environment, state=AssignmentState.ASKED)
    asked = ApprovalRequest.objects.filter(subject_kind=KIND, subject_id__in=rows.values("pk"))
    return [request.public_id for request in asked.order_by("pk")]


# ── Setting and asking ───────────────────────────────────────────────────────────────────────────


@transaction.atomic
def assign(
    *, environment_id: int, policy: Policy | None, reason: str = ""
) -> PolicyAssignment | None:
    """Give an environment a policy of its own, or for None that of its stage.

    Returns the question when people have to be asked, None when it is done.

    Codes: ``environment.unknown``, ``environment.retired``, ``environment.policy_same``,
    ``environment.policy_not_in_force``, ``environment.policy_too_weak``,
    ``environment.assignment_pending``, ``environment.no_board_policy`` and those of
    ``approvals.open_request``.
    """
    demand("environment.set_policy")
    advisory_lock("stage-policies")
    rows = Environment.objects.select_related("track__team", "policy").filter(pk=environment_id)
    found = lock_rows(rows)
    if not found:
        raise NotFound("environment.unknown", "There is no such environment.")
    environment = found[0]
    if environment.retired_at is not None:
        raise NotNow("environment.retired", f"{environment.name} is retired.")
    target = Target(TrackKind(environment.track.kind), Stage(environment.stage), environment)
    wanted = policy or default_of(target.track_kind, target.stage)
    if (environment.policy, environment.follows_stage) == (wanted, policy is None):
        raise InvalidInput(
            "environment.policy_same", f"{environment.name} has that already.", field="policy"
        )
    if wanted is None or wanted == environment.policy:
        _give(environment, wanted, follows=policy is None)
        return None
    return _put(target, wanted, policy is None, reason)


@transaction.atomic
def assign_stage(
    *, track_kind: str, stage: str, policy: Policy, reason: str = ""
) -> PolicyAssignment | None:
    """Say which policy the environments of a stage have; those that follow it change with it.

    The first policy of a stage on which nothing stands yet is set at once. Codes: as ``assign``,
    and ``environment.stage``.
    """
    demand("environment.set_policy")
    advisory_lock("stage-policies")
    if track_kind not in set(TrackKind) or stage not in STAGES[TrackKind(track_kind)]:
        raise InvalidInput("environment.stage", "There is no such stage on that track.")
    target = Target(TrackKind(track_kind), Stage(stage))
    before = target.policy()
    if before == policy:
        raise InvalidInput("environment.policy_same", "The stage has that already.", field="policy")
    if before is None and not _following(target).exists():
        _version_of(policy, target)
        _give_stage(target, policy)
        return None
    return _put(target, policy, follows=False, reason=reason)


def _put(target: Target, wanted: Policy, follows: bool, reason: str) -> PolicyAssignment | None:
    """Set what demands no less; ask about everything else."""
    new, old = _version_of(wanted, target), target.version()
    if old is not None and _demands_no_less(new, old):
        _apply(target, wanted, follows)
        return None
    pending = PolicyAssignment.objects.filter(
        environment=target.environment,
        track_kind=target.track_kind,
        stage=target.stage,
        state=AssignmentState.ASKED,
    )
    if pending.exists():
        raise Conflict(
            "environment.assignment_pending",
            "People are asked about another policy there already; have that decided first.",
        )
    assignment = PolicyAssignment.objects.create(
        environment=target.environment,
        track_kind=target.track_kind,
        stage=target.stage,
        policy=wanted,
        follows_stage=follows,
        old_version=old,
        new_version=new,
        reason=reason.strip()[:1000],
        asked_by=acting_person(),
    )
    _ask(assignment, old, new)
    return assignment


def _demands_no_less(new: PolicyVersion, old: PolicyVersion) -> bool:
    """The database's word besides, which guards the row and knows windows less exactly."""
    if weaker(parse(old.body), parse(new.body)):
        return False
    with connection.cursor() as cursor:
        bodies = [json.dumps(new.body), json.dumps(old.body)]
        cursor.execute("SELECT governance_demands_no_less(%s::jsonb, %s::jsonb)", bodies)
        row = cursor.fetchone()
    return bool(row and row[0])


def _version_of(policy: Policy, target: Target) -> PolicyVersion:
    """The version that would be in force, fit for its place."""
    version = None if policy.retired_at else policy.current
    if version is None:
        raise InvalidInput(
            "environment.policy_not_in_force",
            f"The policy “{policy}” has no version in force, so it would allow nothing.",
            field="policy",
        )
    if target.needs_people and not parse(version.body).quorum:
        raise InvalidInput(
            "environment.policy_too_weak",
            f"The policy “{policy}” asks nobody, which production does not take. "
            "Choose one that always asks somebody.",
            field="policy",
        )
    return version


def _ask(assignment: PolicyAssignment, old: PolicyVersion | None, new: PolicyVersion) -> None:
    under = policy_changes.governing(old, parse(new.body))
    if under is None:
        raise NotNow(
            "environment.no_board_policy",
            "The board's own policy is not in force yet, so nobody can be asked. Confirm it first.",
        )
    hours = parse(under.version.body).expires_hours
    environment = assignment.environment
    approvals.open_request(
        kind=KIND,
        subject_id=assignment.pk,
        digest=digest_of(assignment),
        policy_version=under.version,
        requester=assignment.asked_by,
        exclusions=[],
        unmapped=[],
        expires_at=database_now() + timedelta(hours=hours),
        label=f"the policy {assignment.policy.name} for {assignment.target}",
        url=assignment.get_absolute_url(),
        related=[
            assignment.policy.public_id,
            *([environment.public_id] if environment is not None else []),
        ],
        marks=under.marks,
        also_body=under.also_body,
    )


# ── Deciding ─────────────────────────────────────────────────────────────────────────────────────


def find(assignment_id: int) -> PolicyAssignment:
    """Return a question. Codes: ``environment.assignment_unknown``."""
    rows = PolicyAssignment.objects.select_related(
        "environment__track__team",
        "environment__policy",
        "policy",
        "asked_by",
        "old_version__policy",
        "new_version__policy",
    )
    found = rows.filter(pk=assignment_id).first()
    if found is None:
        raise NotFound("environment.assignment_unknown", "There is no such question.")
    return found


def target_of(assignment: PolicyAssignment) -> Target:
    """What a question is about, as it is now."""
    return Target(TrackKind(assignment.track_kind), Stage(assignment.stage), assignment.environment)


def digest_of(assignment: PolicyAssignment) -> str:
    """Digest the question with the versions that are in force now."""
    old, new = target_of(assignment).version(), assignment.policy.current
    return digest_json(
        {
            "kind": KIND,
            "assignment": str(assignment.uuid),
            "environment": str(assignment.environment.uuid) if assignment.environment else None,
            "track": assignment.track_kind,
            "stage": assignment.stage,
            "policy": assignment.policy_id,
            "follows_stage": assignment.follows_stage,
            "old": old.digest if old else None,
            "new": new.digest if new else None,
        }
    )


def request_of(assignment: PolicyAssignment) -> ApprovalRequest | None:
    """The request that asks the question."""
    rows = ApprovalRequest.objects.filter(subject_kind=KIND, subject_id=assignment.pk)
    return rows.select_related("policy_version__policy", "requester").order_by("-pk").first()


@transaction.atomic
def decide(
    *, assignment_id: int, verdict: str, comment: str, shown_digest: str, auth_strength: str
) -> Decision:
    """Record the acting person's answer.

    Codes: ``environment.assignment_unknown``, ``environment.assignment_closed`` and those of
    ``approvals.decide``.
    """
    assignment, request = _asked(assignment_id)
    return approvals.decide(
        request_id=request.pk,
        verdict=verdict,
        comment=comment,
        shown_digest=shown_digest,
        current_digest=digest_of(assignment),
        auth_strength=auth_strength,
    )


@transaction.atomic
def withdraw(*, assignment_id: int) -> PolicyAssignment:
    """Take the question back; the policy stays as it is."""
    demand("environment.set_policy")
    assignment, request = _asked(assignment_id)
    approvals.withdraw_request(request_id=request.pk, reason="no longer wanted")
    assignment.refresh_from_db(fields=["state"])
    return assignment


def _asked(assignment_id: int) -> tuple[PolicyAssignment, ApprovalRequest]:
    assignment = find(assignment_id)
    lock_rows(ApprovalRequest.objects.filter(subject_kind=KIND, subject_id=assignment.pk))
    assignment.refresh_from_db(fields=["state"])
    request = request_of(assignment)
    if assignment.state != AssignmentState.ASKED or request is None:
        raise NotNow("environment.assignment_closed", f"This is {assignment.state} already.")
    return assignment, request


def outcome(request_id: int) -> None:
    """Set the policy with the last approval; close the question with its request."""
    request = ApprovalRequest.objects.get(pk=request_id)
    assignment = find(request.subject_id)
    state = ApprovalState(request.state)
    if assignment.state != AssignmentState.ASKED or state == ApprovalState.OPEN:
        return
    if state != ApprovalState.SATISFIED:
        _close(assignment, ENDINGS[state])
        return
    advisory_lock("stage-policies")
    if approvals.progress(request, current_digest=digest_of(assignment)).satisfied:
        # First: the database lets it happen while the question is open.
        _apply(target_of(assignment), assignment.policy, assignment.follows_stage)
        _close(assignment, AssignmentState.APPLIED)
        approvals.use(request.pk, f"{assignment.policy} governs {assignment.target}")


def describe(assignments: Collection[int]) -> dict[int, subjects.Facts]:
    """Describe questions for the inbox."""
    rows = PolicyAssignment.objects.filter(pk__in=assignments).select_related("asked_by")
    return {row.pk: (f"asked by {row.asked_by.full_name}",) for row in rows}


def _close(assignment: PolicyAssignment, state: AssignmentState) -> None:
    ASSIGNMENT.check(AssignmentState(assignment.state), state)
    assignment.state = state
    assignment.closed_at = database_now()
    assignment.save(update_fields=["state", "closed_at"])


# ── Writing ──────────────────────────────────────────────────────────────────────────────────────


def _apply(target: Target, policy: Policy, follows: bool) -> None:
    if target.environment is not None:
        _give(target.environment, policy, follows=follows)
    else:
        _give_stage(target, policy)


def _give_stage(target: Target, policy: Policy) -> None:
    before = target.policy()
    place = {"track_kind": target.track_kind.value, "stage": target.stage.value}
    if not StagePolicy.objects.filter(**place).update(policy=policy):
        StagePolicy.objects.create(**place, policy=policy)
    row = StagePolicy(**place)
    facts = {"policy": policy.name, "stage": str(row), "before": str(before or "none")}
    audit.record("environment.stage_policy_set", policy, facts=facts)
    for environment in lock_rows(_following(target)):
        _give(environment, policy, follows=True)


def _give(environment: Environment, policy: Policy | None, *, follows: bool) -> None:
    before = str(environment.policy or "none")
    environment.policy = policy
    environment.follows_stage = follows
    environment.save(update_fields=["policy", "follows_stage"])
    audit.record(
        "environment.policy_set",
        environment,
        team=environment.team,
        related=[policy] if policy else [],
        facts={"policy": str(policy or "none"), "before": before, "follows_stage": follows},
    )


def _following(target: Target) -> EnvironmentQuerySet:
    rows = Environment.objects.live().select_related("track__team", "policy")
    return rows.filter(track__kind=target.track_kind, stage=target.stage, follows_stage=True)
