"""Deciding, taking back, closing. Each command locks the request's row first.

Races closed here: two decisions at once (the row lock and a unique constraint), a decision against
a revoked role (the decider's memberships are locked FOR SHARE, which a revocation must wait for),
a decision against a changed subject (``supersede`` takes the same row).
"""

from __future__ import annotations

from datetime import timedelta

from django.db import connection, transaction

from core.db import database_now, lock_rows
from core.decisions import Denied
from core.errors import Conflict, InvalidInput, NotAllowed, NotFound, NotNow, Stale
from governance import audit
from governance.approvals import subjects
from governance.approvals.counting import Progress, progress
from governance.models import (
    ApprovalRequest,
    Decision,
    Policy,
    PolicyVersion,
    User,
    Withdrawal,
)
from governance.models.approvals import LIVE
from governance.permissions import acting_person
from governance.rules.quorum import (
    asked_rules,
    role_that_counts,
)
from governance.states import APPROVAL, ApprovalState, Verdict

COMMENT_MAX = 2000
REASON_MAX = 300


@transaction.atomic
def decide(
    *,
    request_id: int,
    verdict: str,
    comment: str,
    shown_digest: str,
    current_digest: str,
    auth_strength: str,
) -> Decision:
    """Record the acting person's answer to exactly what they were shown.

    Codes: ``approval.unknown``, ``approval.verdict``, ``approval.comment``, ``approval.stale``
    (facts: asked, shown, current) and every code of ``governance.rules.quorum.may_decide``.
    """
    request = _locked(request_id)
    answer = _verdict(verdict)
    person = acting_person()
    _check_comment(answer, comment)
    _check_digest(request, shown_digest, current_digest)
    _hold_memberships(person)
    standing = progress(request)
    _check_may(standing, person, answer)
    asked = asked_rules(standing.body, standing.facts)
    role = role_that_counts(asked, standing.facts.people[person.pk], request.opened_at)
    if role is None:
        raise NotAllowed("approval.no_role", "None of your roles decides on this.")
    decision = Decision.objects.create(
        request=request,
        person=person,
        digest=request.digest,
        policy_version=request.policy_version,
        policy_digest=request.policy_version.digest,
        verdict=answer,
        comment=comment.strip(),
        role=role,
        decided_at=standing.facts.now,
        auth_strength=auth_strength,
    )
    event = "approval.approved" if answer == Verdict.APPROVE else "approval.rejected"
    record_of(event, request, comment=comment.strip(), role=role.title, auth=auth_strength)
    settle(request)
    return decision


def _verdict(text: str) -> Verdict:
    try:
        return Verdict(text)
    except ValueError:
        raise InvalidInput(
            "approval.verdict", "Choose to approve or to reject.", field="verdict"
        ) from None


def _check_comment(verdict: Verdict, comment: str) -> None:
    if len(comment) > COMMENT_MAX:
        raise InvalidInput(
            "approval.comment",
            f"A comment has at most {COMMENT_MAX} characters.",
            field="comment",
        )
    if verdict == Verdict.REJECT and not comment.strip():
        raise InvalidInput(
            "approval.comment", "Say why you reject, so that it can be mended.", field="comment"
        )


def _check_digest(request: ApprovalRequest, shown: str, current: str) -> None:
    if shown != request.digest or current != request.digest:
        raise Stale(
            "approval.stale",
            "What you were shown is no longer what would be approved. Nothing was recorded; "
            "reload the page, read it again, then decide.",
            asked=request.digest,
            shown=shown,
            current=current,
        )


def _hold_memberships(person: User) -> None:
    """Keep the person's roles as they are until this transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT governance_hold_roles(%s)", [person.pk])


def _check_may(standing: Progress, person: User, verdict: Verdict) -> None:
    answer = standing.may_decide(person)
    if not isinstance(answer, Denied):
        return
    # Stopping is always cheaper than starting: an unknown author does not keep anybody from
    # rejecting.
    if answer.code in {"approval.unmapped", "approval.deputy_decided"} and (
        verdict == Verdict.REJECT
    ):
        return
    late = {f"approval.{state}" for state in ApprovalState} | {
        "approval.already_decided",
        "approval.already_withdrawn",
        "approval.deputy_decided",
        "approval.seat_used",
        "approval.unmapped",
        "policy.invalid",
    }
    if answer.code in late:
        raise NotNow(answer.code, answer.reason)
    raise NotAllowed(answer.code, answer.reason)


@transaction.atomic
def withdraw_decision(*, request_id: int, reason: str = "") -> Withdrawal:
    """Take the acting person's own decision back, while the request lives.

    Codes: ``approval.unknown``, ``approval.not_decided``, ``approval.already_withdrawn``,
    ``approval.closed``.
    """
    request = _locked(request_id)
    person = acting_person()
    decision = Decision.objects.filter(request=request, person=person).first()
    if decision is None:
        raise NotFound("approval.not_decided", "You have not decided on this request.")
    if Withdrawal.objects.filter(decision=decision).exists():
        raise Conflict("approval.already_withdrawn", "You took your decision back already.")
    _check_live(request)
    withdrawal = Withdrawal.objects.create(
        decision=decision, at=database_now(), reason=reason.strip()[:REASON_MAX]
    )
    word = "approval" if decision.verdict == Verdict.APPROVE else "rejection"
    record_of("approval.taken_back", request, verdict=word, reason=withdrawal.reason)
    settle(request)
    return withdrawal


@transaction.atomic
def withdraw_request(*, request_id: int, reason: str = "") -> ApprovalRequest:
    """Take the question back. Whether the actor may is for the app that owns the subject."""
    request = _locked(request_id)
    _check_live(request)
    _close(request, ApprovalState.WITHDRAWN, reason, "approval.withdrawn")
    return request


@transaction.atomic
def supersede(kind: str, subject_id: int, reason: str) -> ApprovalRequest | None:
    """Void the live request about a subject because the subject changed; None when there is none.

    Workers may do this too.
    """
    live = ApprovalRequest.objects.filter(subject_kind=kind, subject_id=subject_id, state__in=LIVE)
    request: ApprovalRequest | None = None
    for request in lock_rows(live):
        _close(request, ApprovalState.SUPERSEDED, reason, "approval.superseded")
    return request


@transaction.atomic
def supersede_of_policy(
    version: PolicyVersion, reason: str, *, besides: ApprovalRequest | None = None
) -> list[ApprovalRequest]:
    """Void every live request that was asked under a policy version, ``besides`` one."""
    asked = ApprovalRequest.objects.filter(policy_version=version, state__in=LIVE)
    live = lock_rows(asked.exclude(pk=besides.pk) if besides else asked)
    for request in live:
        _close(request, ApprovalState.SUPERSEDED, reason, "approval.superseded")
    return live


def live_under(policy: Policy) -> bool:
    """Tell whether people are being asked under any version of a policy."""
    rows = ApprovalRequest.objects.filter(policy_version__policy=policy, state__in=LIVE)
    return rows.exists()


@transaction.atomic
def expire_due() -> list[int]:
    """Close the requests whose time is over; returns their ids. Workers may do this too.

    One under which something is under way was used in time, and waits for how that ends.
    """
    due = ApprovalRequest.objects.filter(state__in=LIVE, expires_at__lte=database_now())
    expired = [request for request in lock_rows(due) if not _is_under_way(request)]
    for request in expired:
        _close(request, ApprovalState.EXPIRED, "its time was over", "approval.expired")
    return [request.pk for request in expired]


@transaction.atomic
def use(request_id: int, what: str) -> None:
    """Close a request because what it asked for has happened; ``what`` says it.

    Workers may do this too. The database looks whether it has happened.
    """
    request = _locked(request_id)
    if request.is_live:
        _close(request, ApprovalState.USED, what, "approval.used")


def settle(request: ApprovalRequest) -> None:
    """Bring the state of a locked request in line with its count, and tell its owner.

    The state is a convenience for lists: whoever acts on an approval counts again. Once what it
    let begin is under way its time no longer matters, and who takes an answer back still does.
    """
    now, last = database_now(), request.expires_at - timedelta(microseconds=1)
    if not request.is_live or (now > last and not _is_under_way(request)):
        return
    standing = progress(request, now=min(now, last))
    if now > last and standing.satisfied:
        return
    if standing.rejections:
        _move(request, ApprovalState.REJECTED)
        subjects.call_outcome(request.subject_kind, request.pk)
        return
    wanted = ApprovalState.SATISFIED if standing.satisfied else ApprovalState.OPEN
    if wanted == request.state:
        return
    _move(request, wanted)
    satisfied = wanted == ApprovalState.SATISFIED
    record_of("approval.satisfied" if satisfied else "approval.reopened", request)
    subjects.call_outcome(request.subject_kind, request.pk)
    # What needed nothing but this approval has happened meanwhile, and used it.
    request.refresh_from_db(fields=["state", "note", "closed_at"])


@transaction.atomic
def settle_for(user: User) -> None:
    """Count the live requests again on which somebody decided whose rights have changed."""
    theirs = ApprovalRequest.objects.filter(
        state__in=LIVE, pk__in=Decision.objects.filter(person=user).values("request_id")
    )
    for request in lock_rows(theirs):
        settle(request)


def _is_under_way(request: ApprovalRequest) -> bool:
    """Whether the database knows of something that a locked request let begin, and of no end."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT governance_under_way(%s)", [request.pk])
        return bool(cursor.fetchone()[0])


def _locked(request_id: int) -> ApprovalRequest:
    found = lock_rows(
        ApprovalRequest.objects.filter(pk=request_id).select_related("policy_version")
    )
    if not found:
        raise NotFound("approval.unknown", "There is no such request for approval.")
    return found[0]


def _check_live(request: ApprovalRequest) -> None:
    if not request.is_live:
        raise NotNow(
            "approval.closed",
            f"The request {request.public_id} is {request.state}; nothing can be changed.",
            state=request.state,
        )


def _close(request: ApprovalRequest, state: ApprovalState, reason: str, event: str) -> None:
    _move(request, state, note=reason.strip()[:REASON_MAX])
    record_of(event, request, reason=request.note)
    subjects.call_outcome(request.subject_kind, request.pk)


def _move(request: ApprovalRequest, state: ApprovalState, note: str = "") -> None:
    APPROVAL.check(ApprovalState(request.state), state)
    request.state = state
    request.note = note
    request.closed_at = None if request.is_live else database_now()
    request.save(update_fields=["state", "note", "closed_at"])


def record_of(event: str, request: ApprovalRequest, **facts: object) -> None:
    """Write an event about a request into the history, with what it is about."""
    audit.record(
        event,
        request,
        related=request.related,
        facts={
            "label": request.label,
            "digest": request.digest,
            "policy": str(request.policy_version),
            **facts,
        },
    )
