"""Lifting and shortening a freeze. What covers a protected environment takes the sign-offs.

The question is bound to a digest over the freeze as it is, what would become of it, and the policy
version of the board. When the last approval is given the freeze is lifted in that transaction; a
trigger in the database demands the satisfied request once more.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from core.db import advisory_lock, database_now
from core.digests import digest_json
from core.errors import InvalidInput, NotNow, Stale
from environments import permissions
from environments.models import Environment, Freeze, FreezeLift
from environments.rules_calendar import said
from environments.services.calendar import LIFT_KIND, LOCK, REASON_MAX, locked, record, wake
from environments.states import FreezeScope
from governance import approvals, policies
from governance.models import ApprovalRequest, Decision, PolicyVersion
from governance.models.approvals import LIVE
from governance.permissions import acting_person, demand
from governance.rules.windows import instant


def covers_protected(freeze: Freeze) -> bool:
    """Say whether it keeps anything from a protected environment.

    What a team contributes may be part of any release, so a freeze of a team does.
    """
    if freeze.scope == FreezeScope.TRACK and freeze.track is not None:
        orgs = Environment.objects.live().filter(track=freeze.track, is_sandbox=False)
        return freeze.track.is_production or orgs.exists()
    if freeze.scope == FreezeScope.ENVIRONMENT and freeze.environment is not None:
        return freeze.environment.protected
    return True


@transaction.atomic
def ask(*, freeze_id: int, ends: datetime | None, reason: str) -> Freeze:
    """Lift a freeze, or let it end at ``ends`` (a clock in its zone); at once or by sign-offs.

    Codes: ``freeze.unknown``, ``freeze.closed``, ``freeze.reason``, ``freeze.times``,
    ``freeze.no_policy`` (the board has no policy in force) and those of ``approvals.open_request``.
    """
    found = locked(freeze_id)
    permissions.demand_freeze(found.scope, found.track, found.team)
    why = reason.strip()
    if not why or len(why) > REASON_MAX:
        raise InvalidInput(
            "freeze.reason", f"Say why, in at most {REASON_MAX} characters.", field="reason"
        )
    wanted = _wanted(found, ends)
    if not covers_protected(found):
        _apply(found, wanted, why)
        return found
    version = policies.board_policy()
    if version is None:
        raise NotNow(
            "freeze.no_policy",
            "The release board has no policy in force, so nobody can agree to this. "
            "Confirm one first.",
        )
    person = acting_person()
    digest = digest_of(found, wanted, version)
    FreezeLift.objects.create(
        freeze=found, wanted_end=wanted, reason=why, digest=digest, requested_by=person
    )
    label = _label(found, wanted)
    record("freeze.lift_asked", found, label=label, reason=why)
    approvals.open_request(
        kind=LIFT_KIND,
        subject_id=found.pk,
        digest=digest,
        policy_version=version,
        requester=person,
        exclusions=(),
        unmapped=(),
        expires_at=_expiry(found, policies.expires_hours(version)),
        label=label,
        url=found.get_absolute_url(),
        related=(found.public_id,),
    )
    found.refresh_from_db()
    return found


def _expiry(freeze: Freeze, hours: int) -> datetime:
    """An answer counts until its life is over, and no longer than there is something to lift."""
    lasts = database_now() + timedelta(hours=hours)
    return min(lasts, freeze.ends_at) if freeze.ends_at and not freeze.every else lasts


def _wanted(freeze: Freeze, ends: datetime | None) -> datetime | None:
    if ends is None:
        return None
    end, now = instant(ends, freeze.zone, late=True), database_now()
    if freeze.every:
        raise InvalidInput(
            "freeze.times", "A freeze that comes back can only be lifted.", field="ends"
        )
    if end <= now or end <= freeze.starts_at or (freeze.ends_at and end >= freeze.ends_at):
        raise InvalidInput(
            "freeze.times", "Choose an end from now on and before the present one.", field="ends"
        )
    return end


def _label(freeze: Freeze, wanted: datetime | None) -> str:
    if wanted is None:
        word = "the emergency stop" if freeze.is_stop else "the freeze"
        return f"lifting {word} {freeze.public_id} “{freeze.name}”"
    return f"ending the freeze {freeze.public_id} “{freeze.name}” at {said(wanted, freeze.zone)}"


def digest_of(freeze: Freeze, wanted: datetime | None, version: PolicyVersion) -> str:
    """Digest the question: the freeze as it is, what would become of it, and under which policy."""
    return digest_json(
        {
            "kind": LIFT_KIND,
            "freeze": str(freeze.uuid),
            "act": "lift" if wanted is None else "shorten",
            "end": wanted.isoformat() if wanted else None,
            "ends_at": freeze.ends_at.isoformat() if freeze.ends_at else None,
            "lifted": freeze.lifted_at is not None,
            "policy_version": version.digest,
        }
    )


# Deciding ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Question:
    """A live question about a freeze, as its page shows it."""

    request: ApprovalRequest
    lift: FreezeLift
    progress: approvals.Progress


def question(freeze: Freeze) -> Question | None:
    """Return the live question about a freeze; None when nobody is asked."""
    request = (
        ApprovalRequest.objects.filter(subject_kind=LIFT_KIND, subject_id=freeze.pk, state__in=LIVE)
        .select_related("policy_version__policy", "requester")
        .first()
    )
    if request is None:
        return None
    lift = _lift_of(request)
    current = _current_digest(freeze, lift)
    return Question(request, lift, approvals.progress(request, current_digest=current))


def _lift_of(request: ApprovalRequest) -> FreezeLift:
    rows = FreezeLift.objects.filter(freeze_id=request.subject_id, digest=request.digest)
    return rows.select_related("freeze", "requested_by").order_by("-pk")[0]


def _current_digest(freeze: Freeze, lift: FreezeLift) -> str:
    version = policies.board_policy()
    return digest_of(freeze, lift.wanted_end, version) if version else ""


@transaction.atomic
def decide(
    *, freeze_id: int, verdict: str, comment: str, shown_digest: str, auth_strength: str
) -> Decision:
    """Answer the question about a freeze, exactly as the page showed it.

    Codes: ``approval.none``, ``approval.stale`` and those of ``approvals.decide``.
    """
    demand("calendar.decide")
    found = locked(freeze_id)
    asked = question(found)
    if asked is None:
        raise NotNow("approval.none", f"Nobody is asked about {found.public_id} now.")
    current = _current_digest(found, asked.lift)
    if not current:
        raise Stale("approval.stale", "The board's policy is no longer in force; ask anew.")
    return approvals.decide(
        request_id=asked.request.pk,
        verdict=verdict,
        comment=comment,
        shown_digest=shown_digest,
        current_digest=current,
        auth_strength=auth_strength,
    )


@transaction.atomic
def take_back(*, freeze_id: int) -> ApprovalRequest:
    """Withdraw the question about a freeze; the freeze stays. Codes: ``approval.none``."""
    found = locked(freeze_id)
    permissions.demand_freeze(found.scope, found.track, found.team)
    asked = question(found)
    if asked is None:
        raise NotNow("approval.none", f"Nobody is asked about {found.public_id} now.")
    return approvals.withdraw_request(request_id=asked.request.pk, reason="no longer wanted")


def outcome(request_id: int) -> None:
    """Lift or shorten the freeze when its question is satisfied; called by governance."""
    request = ApprovalRequest.objects.select_related("policy_version").get(pk=request_id)
    if request.state != "satisfied":
        return
    advisory_lock(LOCK)
    lift = _lift_of(request)
    if lift.freeze.over(database_now()):
        return
    found = locked(lift.freeze_id)
    counted = approvals.progress(request, current_digest=_current_digest(found, lift))
    if counted.satisfied:
        _apply(found, lift.wanted_end, lift.reason, request)
        word = "was lifted" if lift.wanted_end is None else "ends earlier"
        approvals.use(request.pk, f"{found.public_id} {word}")


def describe(freezes: Collection[int]) -> dict[int, approvals.subjects.Facts]:
    """Describe freezes for governance's inbox."""
    rows = Freeze.objects.filter(pk__in=freezes)
    rows = rows.select_related("track__team", "environment", "team")
    return {row.pk: (f"covers {row.target}",) for row in rows}


def _apply(
    freeze: Freeze, wanted: datetime | None, reason: str, request: ApprovalRequest | None = None
) -> None:
    approved = request.public_id if request else ""
    if wanted is None:
        freeze.lifted_at, freeze.lifted_by = database_now(), acting_person()
        freeze.lift_reason = reason
        freeze.save(update_fields=["lifted_at", "lifted_by", "lift_reason"])
        record("freeze.lifted", freeze, reason=reason, approval=approved)
    else:
        before, freeze.ends_at = freeze.ends_at, wanted
        freeze.save(update_fields=["ends_at"])
        record("freeze.shortened", freeze, end=wanted, before=before, approval=approved)
    wake(freeze)
