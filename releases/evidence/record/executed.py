"""Groups 7 to 10 of a change record: when it might run, how it ran, and what came after."""

from __future__ import annotations

from typing import Any

from django.db.models import Q

from core import clock
from core.digests import digest_json
from environments.models import Freeze
from environments.states import FreezeScope
from releases.evidence.record.authorised import hands_in
from releases.evidence.record.loading import NOT_RECORDED, Change, person
from releases.evidence.record.tested import counters
from releases.evidence.times import recorded
from releases.models import Deployment, OrgDeployment, Release, Step
from releases.states import Standing, StepKind

CALLS = (StepKind.VALIDATE, StepKind.DEPLOY)
"""Steps that send the artefact; only these have counters of components and tests."""


def windows(change: Change) -> dict[str, Any]:
    """Group 7: the planned window, and what the gate consulted when it let the change begin."""
    deployment = change.deployment
    begun = deployment.started_at
    inside: bool | str | None = None if begun is None else "no window was planned"
    if begun is not None and (deployment.not_before or deployment.not_after):
        early = deployment.not_before is not None and begun < deployment.not_before
        late = deployment.not_after is not None and begun > deployment.not_after
        inside = not early and not late
    return {
        "not_before": recorded(deployment.not_before),
        "not_after": recorded(deployment.not_after),
        "started_at": recorded(begun),
        "started_inside_the_planned_window": inside,
        "consulted_at_claim": _gate_words(change, StepKind.GATE),
        "freezes_and_stops": _freezes(change),
        "held_because": [
            {"at": recorded(event.at), "event": event.public_id, "what": event.sentence}
            for event in change.events
            if event.event == "deployment.held" and event.subject_ref == deployment.public_id
        ],
    }


def _freezes(change: Change) -> list[dict[str, Any]]:
    """Freezes and stops over this environment that were not over when the attempt began."""
    deployment = change.deployment
    environment = deployment.environment
    begun = deployment.started_at or deployment.finished_at or clock.now()
    ended = deployment.finished_at or begun
    where = Q(scope=FreezeScope.EVERYTHING.value) | Q(environment=environment)
    where |= Q(track=environment.track_id)
    where |= Q(team__in=[row.team_id for row in change.candidates])
    if environment.protected:
        where |= Q(scope=FreezeScope.PROTECTED.value)
    rows = Freeze.objects.filter(where, starts_at__lte=ended).filter(
        Q(ends_at__isnull=True) | Q(ends_at__gte=begun) | ~Q(every=""),
        Q(lifted_at__isnull=True) | Q(lifted_at__gte=begun),
    )
    return [
        {
            "id": row.public_id,
            "kind": row.kind,
            "name": row.name,
            "from": recorded(row.starts_at),
            "until": recorded(row.ends_at),
            "recurs": row.every or None,
            "lifted_at": recorded(row.lifted_at),
        }
        for row in rows.order_by("starts_at", "pk")
    ]


def _gate_words(change: Change, kind: StepKind) -> Any:
    step = next((step for step in change.steps if step.kind == kind), None)
    return step.facts.get("reasons", NOT_RECORDED) if step else NOT_RECORDED


def execution(change: Change) -> dict[str, Any]:
    """Group 8: attempt, workers, the gate's two answers, what the org said, what runs now."""
    deployment = change.deployment
    same = [
        row
        for row in change.tried
        if row.environment_id == deployment.environment_id and row.purpose == deployment.purpose
    ]
    write = change.write
    return {
        "attempt": 1 + sum(1 for row in same if row.pk < deployment.pk),
        "state": deployment.state,
        "reasons": deployment.reasons,
        "approved_at": recorded(deployment.approved_at),
        "started_at": recorded(deployment.started_at),
        "finished_at": recorded(deployment.finished_at),
        "gate_at_claim": _gate_words(change, StepKind.GATE),
        "gate_right_before_the_call": (
            write.facts.get("gate", NOT_RECORDED) if write else NOT_RECORDED
        ),
        "bound_subject_digest": deployment.subject_digest or NOT_RECORDED,
        "idempotency": (
            "The Metadata API takes no key: the intent is committed before the call, the org's id "
            "right after it, and a call without an answer is looked up in the org's own list."
        ),
        "steps": [_step(step) for step in change.steps],
        "cancel_requested_at": recorded(deployment.cancel_requested_at),
        "cancel_requested_by": person(deployment.cancel_requested_by),
        "settled_by_a_person": _settlement(change),
        "artefact_after": _observed(change),
    }


def _step(step: Step) -> dict[str, Any]:
    said = [
        {
            "kind": row.kind,
            "type": row.type,
            "name": row.name,
            "line": row.line,
            "problem": row.problem,
        }
        for row in step.messages.all()
    ]
    return {
        "step": step.kind,
        "effect": step.effect,
        "state": step.state,
        "worker": step.worker or NOT_RECORDED,
        "fence": step.fence or NOT_RECORDED,
        "intended_at": recorded(step.intended_at),
        "started_at": recorded(step.started_at),
        "finished_at": recorded(step.finished_at),
        "org_id_of_the_call": step.remote_id or None,
        "note": step.note,
        **(counters(step) if step.kind in CALLS and step.remote_id else {}),
        "messages": len(said),
        "messages_digest": digest_json(said),
        "messages_list": said,
    }


def _settlement(change: Change) -> dict[str, Any] | None:
    deployment = change.deployment
    if not deployment.settle_outcome:
        return None
    return {
        "outcome": deployment.settle_outcome,
        "note": deployment.settle_note,
        "by": person(deployment.settled_by),
    }


def _observed(change: Change) -> Any:
    """The digest the environment was recorded to hold when this attempt was its last write."""
    environment = change.deployment.environment
    if environment.holds_ref == change.deployment.public_id:
        return {
            "digest": environment.holds_digest,
            "since": recorded(environment.holds_since),
            "is_the_artefact": environment.holds_digest == change.artefact.digest,
        }
    verify = next((step for step in change.steps if step.kind == StepKind.VERIFY), None)
    if verify is not None and verify.state == "succeeded":
        return {"read_back": verify.note, "at": recorded(verify.finished_at)}
    return NOT_RECORDED


def override(change: Change) -> dict[str, Any] | None:
    """Group 9: null when the change went the ordinary way."""
    row, request = change.break_glass, change.request
    if row is None:
        return None
    approvers = [each.person for each in change.decisions if each.verdict == "approve"]
    return {
        "kind": "break-glass",
        "id": row.public_id,
        "asked_by": person(row.asked_by),
        "approved_by": [person(user) for user in approvers],
        "reason": row.reason,
        "incident": row.incident,
        "request": request.public_id if request else NOT_RECORDED,
        "used_at": recorded(row.used_at),
        "review_due_at": recorded(row.review_due_at),
        "reviewed_at": recorded(row.reviewed_at),
        "reviewed_by": person(row.reviewed_by),
        "review": row.review or None,
    }


def after(change: Change) -> dict[str, Any]:
    """Group 10: what was verified, and what happened in the environment afterwards."""
    deployment = change.deployment
    verify = next((step for step in change.steps if step.kind == StepKind.VERIFY), None)
    ended = deployment.finished_at
    strange = OrgDeployment.objects.filter(
        environment=deployment.environment_id, standing=Standing.UNEXPLAINED.value
    )
    later = strange.filter(created_at__gte=ended).order_by("created_at")[:20] if ended else []
    return {
        "verification": (
            {"result": verify.state, "note": verify.note, "at": recorded(verify.finished_at)}
            if verify
            else NOT_RECORDED
        ),
        "post_implementation_review": _review(change),
        "related_incidents": _incidents(change),
        "runbook": [
            {
                "text": row.text,
                "phase": row.get_phase_display(),
                "critical": row.critical,
                "owner": person(row.owner),
                "rehearsed_at": recorded(row.rehearsed_at),
                "done_at": recorded(row.done_at),
                "done_by": person(row.done_by),
            }
            for row in change.runbook
        ],
        "unexplained_deployments_since": [
            {"org_id": row.remote_id, "at": recorded(row.created_at)} for row in later
        ],
        "rollback": _rollbacks(change),
    }


def _review(change: Change) -> list[dict[str, Any]] | str:
    """What people found when it had run; of a reviewer who had a hand in it, the record says so."""
    hands = hands_in(change)
    found = [
        {
            "outcome": row.get_outcome_display(),
            "review": row.review,
            "reviewed_by": person(row.reviewed_by),
            "reviewer_had_no_hand_in_it": row.reviewed_by_id not in hands,
            "at": recorded(row.reviewed_at),
        }
        for row in change.reviews
    ]
    glass = change.break_glass
    if glass is not None and glass.reviewed_at is not None:
        found.append(
            {
                "outcome": f"review of {glass.public_id}",
                "review": glass.review,
                "reviewed_by": person(glass.reviewed_by),
                "reviewer_had_no_hand_in_it": glass.reviewed_by_id not in hands,
                "at": recorded(glass.reviewed_at),
            }
        )
    return found or NOT_RECORDED


def _incidents(change: Change) -> list[str] | str:
    named = [change.break_glass.incident] if change.break_glass else []
    named += [row.incidents for row in change.reviews if row.incidents]
    return sorted(set(named)) or NOT_RECORDED


def _rollbacks(change: Change) -> list[dict[str, Any]] | str:
    """Later changes of class rollback in the same environment, the first of them."""
    if change.deployment.finished_at is None:
        return NOT_RECORDED
    rows = Deployment.objects.filter(
        environment=change.deployment.environment_id,
        release__change_class=Release.ChangeClass.ROLLBACK,
        purpose=change.deployment.purpose,
        pk__gt=change.deployment.pk,
    ).select_related("artefact")
    return [
        {"id": row.public_id, "state": row.state, "artefact": row.artefact.digest}
        for row in rows.order_by("pk")[:5]
    ]
