"""Asking: opening a request for approval, once it is certain that it can be answered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from core import ids
from core.db import advisory_lock, database_now
from core.digests import PATTERN as DIGEST
from core.errors import InvalidInput, NotNow, Stale
from governance.approvals import subjects
from governance.approvals.commands import record_of, settle, supersede
from governance.models import ApprovalRequest, Exclusion, PolicyVersion, UnmappedIdentity, User
from governance.rules.marks import RISK_MARKS
from governance.rules.policy import ApprovalRule, parse
from governance.rules.policy_words import rule_words
from governance.rules.quorum import able_people, is_fulfillable
from governance.selectors import people


@transaction.atomic
def open_request(
    *,
    kind: str,
    subject_id: int,
    digest: str,
    policy_version: PolicyVersion,
    requester: User,
    exclusions: Iterable[tuple[User, str]],
    unmapped: Iterable[tuple[str, str]],
    expires_at: datetime,
    label: str,
    url: str,
    related: Iterable[str] = (),
    marks: Iterable[str] = (),
    also_body: Mapping[str, Any] | None = None,
) -> ApprovalRequest:
    """Put a question to people; a live request about the same subject is superseded.

    ``label`` completes "approved …" in sentences; public ids in it join the request's story.
    ``marks`` are the subject's risk marks; with ``also_body`` a second policy must hold too.

    Codes: ``approval.kind_unknown``, ``approval.digest``, ``approval.expiry``, ``approval.mark``,
    ``approval.old_policy`` (a newer version is in force) and ``approval.unsatisfiable`` (fewer
    people may decide than must approve).
    """
    now = database_now()
    _check_question(kind, digest, policy_version, expires_at, now)
    known_marks = _known(marks)
    advisory_lock(f"approval:{kind}:{subject_id}")
    shut_out = {user.pk: reason for user, reason in exclusions}
    for body in (policy_version.body, also_body):
        if body is not None:
            rules = parse(body).asked(known_marks)
            check_satisfiable(rules, _with_first_accounts({*shut_out, requester.pk}), now)
    supersede(kind, subject_id, "asked anew")
    references = [match[0] for match in ids.REFERENCE.finditer(label)]
    request = ApprovalRequest.objects.create(
        subject_kind=kind,
        subject_id=subject_id,
        digest=digest,
        policy_version=policy_version,
        requester=requester,
        opened_at=now,
        expires_at=expires_at,
        label=label[:200],
        url=url,
        related=list(dict.fromkeys([*references, *related])),
        marks=known_marks,
        also_body=None if also_body is None else dict(also_body),
    )
    _keep_out(request, shut_out, unmapped)
    record_of("approval.opened", request, expires=expires_at)
    settle(request)
    return request


def _with_first_accounts(people: set[int]) -> set[int]:
    """These accounts and the first ones of the same people; the database keeps them out too."""
    rows = User.objects.filter(pk__in=people).exclude(same_as=None)
    return people | set(rows.values_list("same_as_id", flat=True))


def _keep_out(
    request: ApprovalRequest, shut_out: Mapping[int, str], unmapped: Iterable[tuple[str, str]]
) -> None:
    """Write who may not decide, with the reason, and the addresses that are nobody's yet."""
    Exclusion.objects.bulk_create(
        [
            Exclusion(request=request, user_id=user_id, reason=reason[:200])
            for user_id, reason in shut_out.items()
        ],
        ignore_conflicts=True,  # the database excludes whom a matter is about by itself
    )
    addresses = {email.strip().lower(): name for email, name in unmapped}
    UnmappedIdentity.objects.bulk_create(
        UnmappedIdentity(request=request, email=email[:254], name=name[:200])
        for email, name in addresses.items()
    )


def _check_question(
    kind: str, digest: str, version: PolicyVersion, expires_at: datetime, now: datetime
) -> None:
    if not subjects.is_registered(kind):
        raise InvalidInput("approval.kind_unknown", f"Nobody can be asked about a {kind}.")
    if not DIGEST.fullmatch(digest):
        raise InvalidInput("approval.digest", "An approval needs the digest of what it is about.")
    if expires_at <= now:
        raise InvalidInput(
            "approval.expiry", "The approval would have expired already; choose a later date."
        )
    newest = PolicyVersion.objects.filter(policy=version.policy_id).order_by("-number").first()
    if newest != version:
        raise Stale(
            "approval.old_policy",
            f"A newer version of the policy {version.policy.name} is in force. Submit again.",
            version=version.number,
        )


def _known(marks: Iterable[str]) -> list[str]:
    found = sorted(set(marks))
    if unknown := [mark for mark in found if mark not in RISK_MARKS]:
        raise InvalidInput("approval.mark", f"There is no risk mark {', '.join(unknown)}.")
    return found


def check_satisfiable(rules: tuple[ApprovalRule, ...], shut_out: set[int], now: datetime) -> None:
    """Raise ``approval.unsatisfiable`` when those who may decide could not fill every seat."""
    may = [
        person
        for person in people.everybody_for_counting(rules)
        if person.id not in shut_out and any(able_people(rule, [person], now) for rule in rules)
    ]
    if is_fulfillable(rules, may, now):
        return
    needed = sum(rule.number for rule in rules)
    raise NotNow(
        "approval.unsatisfiable",
        f"This needs {needed} approvals ({'; '.join(map(rule_words, rules))}), but only "
        f"{len(may)} people may decide on it: the others had a hand in it or hold no such role. "
        "Ask the release board to admit another member.",
        needed=needed,
        eligible=len(may),
    )
