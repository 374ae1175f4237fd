"""Groups 5 and 6 of a change record: who said yes, in which right, and who was kept apart."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from django.db.models import Q

from governance.models import ApprovalRequest, AuditEvent, Decision, Membership, PolicyVersion
from governance.rules.policy import parse
from governance.rules.policy_words import describe
from governance.selectors import people
from governance.states import Role
from releases.evidence.record.loading import NOT_RECORDED, Change, person
from releases.evidence.times import recorded

DECIDED = ("approval.approved", "approval.rejected")


def authorisation(change: Change) -> dict[str, Any]:
    """Group 5: the rule, the question and every answer."""
    request = change.request
    if request is None:
        return {
            "policy": policy(change.policy),
            "required": _required(change),
            "obtained": 0,
            "request": None,
            "decisions": [],
            "earlier_requests": [_request(row) for row in change.earlier_requests],
        }
    return {
        "policy": policy(change.policy),
        "required": _required(change),
        "obtained": sum(1 for row in change.decisions if counts(row)),
        "request": _request(request),
        "decisions": [_decision(change, row) for row in change.decisions],
        "earlier_requests": [_request(row) for row in change.earlier_requests],
        "carried_out_under_it_at": recorded(_wrote_at(change)),
        "voided_expired_or_reset": [
            {
                "at": recorded(event.at),
                "event": event.public_id,
                "what": event.sentence,
                "after_it_was_carried_out": _over(change, event),
            }
            for event in change.events
            if event.event
            in (
                "release.decisions_voided",
                "approval.superseded",
                "approval.expired",
                "approval.withdrawn",
            )
        ],
    }


def _wrote_at(change: Change) -> datetime | None:
    """When the call that changes the org was about to be made; None when it never was."""
    return change.write.intended_at if change.write else None


def _over(change: Change, event: AuditEvent) -> bool:
    wrote = _wrote_at(change)
    return wrote is not None and event.at > wrote


def policy(version: PolicyVersion | None) -> dict[str, Any] | str:
    """Name a policy version; its text is a file of its own in a pack."""
    if version is None:
        return NOT_RECORDED
    return {
        "id": version.policy.public_id,
        "name": version.policy.name,
        "version": version.number,
        "digest": version.digest,
        "file": f"policies/{version.policy.public_id}-v{version.number}.json",
    }


def _required(change: Change) -> str:
    if change.write is None:
        return "nothing is written, so no approval is demanded"
    if change.policy is None:
        return NOT_RECORDED
    return " ".join(describe(parse(change.policy.body)))


def _request(row: ApprovalRequest) -> dict[str, Any]:
    return {
        "id": row.public_id,
        "subject_digest": row.digest,
        "policy": f"{row.policy_version.policy.public_id} v{row.policy_version.number}",
        "requester": person(row.requester),
        "state": row.state,
        "opened_at": recorded(row.opened_at),
        "expires_at": recorded(row.expires_at),
        "closed_at": recorded(row.closed_at),
        "risk_marks": row.marks,
        "a_second_rule_set_had_to_hold_too": row.also_body,
        "note": row.note,
    }


def counts(row: Decision) -> bool:
    """Tell whether an answer was a yes that nobody took back."""
    return row.verdict == "approve" and not hasattr(row, "withdrawal")


def _decision(change: Change, row: Decision) -> dict[str, Any]:
    withdrawal = getattr(row, "withdrawal", None)
    event = event_of(change, row)
    return {
        "person": person(row.person),
        "role_that_counted": Role(row.role).title,
        "roles_held_at_that_moment": roles_at(row.person_id, row.decided_at),
        "verdict": row.verdict,
        "subject_digest_shown": row.digest,
        "comment": row.comment,
        "decided_at": recorded(row.decided_at),
        "authentication": row.auth_strength,
        "origin": origin_of(event),
        "event": event.public_id if event else NOT_RECORDED,
        "withdrawn_at": recorded(withdrawal.at) if withdrawal else None,
        "withdrawn_because": withdrawal.reason if withdrawal else None,
    }


def event_of(change: Change, row: Decision) -> AuditEvent | None:
    """The line of history that was written with this decision."""
    if change.request is None:
        return None
    told = [
        event
        for event in change.events
        if event.event in DECIDED
        and event.actor_id == row.person_id
        and change.request.public_id in event.related
    ]
    # Whoever took an answer back and answered again has as many events as answers.
    place = [each.pk for each in change.decisions if each.person_id == row.person_id].index(row.pk)
    return told[place] if place < len(told) else None


def origin_of(event: AuditEvent | None) -> Any:
    """Where the decision came from, as the history recorded it."""
    if event is None:
        return NOT_RECORDED
    return json.loads(event.body).get("origin") or NOT_RECORDED


def roles_at(user_id: int, at: datetime) -> list[str]:
    """The roles a person held at a moment, by the memberships that were not yet revoked."""
    held = Membership.objects.filter(
        Q(revoked_at__isnull=True) | Q(revoked_at__gt=at), user_id=user_id, granted_at__lte=at
    ).select_related("team")
    return sorted(f"{Role(row.role).title} of {row.team.name}" for row in held)


def segregation(change: Change) -> dict[str, Any]:
    """Group 6: everybody with a hand in it, and whether one of them also decided."""
    hands = hands_in(change)
    approvers = {row.person_id: row.person for row in change.decisions if counts(row)}
    conflicts = [
        {"person": person(approvers[pk]), "reasons": reasons}
        for pk, reasons in sorted(hands.items())
        if pk in approvers
    ]
    request = change.request
    write = change.write
    return {
        "requester": person(change.deployment.requester),
        "composer": person(change.release.composed_by) if change.release else None,
        "code_authors": _authors(change),
        "builder": "Gatehouse build worker",
        "approvers": [person(user) for user in approvers.values()],
        "executor": (write.worker if write else "") or NOT_RECORDED,
        "shut_out_of_the_decision": [
            {"person": person(row.user), "reason": row.reason}
            for row in (request.exclusions.select_related("user").order_by("pk") if request else ())
        ],
        "addresses_without_a_known_person": sorted(
            row.email for row in (request.unmapped.all() if request else ())
        ),
        "conflicts": conflicts,
    }


def hands_in(change: Change) -> dict[int, list[str]]:
    """People who may not have decided on this change, with every reason."""
    found: dict[int, list[str]] = {}

    def add(user_id: int | None, reason: str) -> None:
        if user_id is not None and reason not in found.setdefault(user_id, []):
            found[user_id].append(reason)

    add(change.deployment.requester_id, "asked for the deployment")
    if change.release is not None:
        add(change.release.composed_by_id, "composed the release")
    for row in change.candidates:
        add(row.created_by_id, f"picked {row.tag} of {row.team.name}")
        add(row.offered_by_id, f"offered {row.tag} of {row.team.name}")
        add(row.tested_by_id, f"signed the user testing of {row.tag}")
        for user in _identities(row).mapped.values():
            add(user.pk, f"wrote commits of {row.team.name}")
    if change.request is not None:
        add(change.request.requester_id, "asked for the approval")
        for exclusion in change.request.exclusions.order_by("pk"):
            add(exclusion.user_id, exclusion.reason)
    return found


def _identities(row: Any) -> people.Identities:
    return people.resolve_identities([(each["email"], each["name"]) for each in row.contributors])


def _authors(change: Change) -> list[dict[str, Any]] | str:
    found = []
    for row in change.candidates:
        mapped = _identities(row).mapped
        found += [
            {
                "team": row.team.name,
                "name": entry["name"],
                "person": person(mapped.get(entry["email"].strip().lower())),
            }
            for entry in row.contributors
        ]
    return found or NOT_RECORDED
