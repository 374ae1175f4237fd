"""Asking for a refresh, a new sandbox or the end of one, and deciding on it.

The guard is asked with the list of sandboxes as it is; a worker asks it again with the platform's
own words before anything is sent. The question is bound to a digest over the request and the
guard's facts. A unique constraint keeps two requests about one sandbox apart, no query before.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from core.db import database_now, lock_rows
from core.errors import Conflict, InvalidInput, NotFound, NotNow
from environments import permissions
from environments import rules_sandboxes as rules
from environments import selectors_sandboxes as reads
from environments.models import Environment, SandboxRequest
from environments.models.sandboxes import LIVE as LIVE_REQUESTS
from environments.services.sandboxes import facts, outlook, policies, telling
from environments.services.sandboxes.facts import KIND, Wish
from environments.services.sandboxes.inventory import require_production
from environments.states import SANDBOX, SANDBOX_WAITING, SandboxAction, SandboxStart, SandboxState
from governance import approvals
from governance.approvals import subjects
from governance.models import ApprovalRequest, Decision, Team
from governance.models.approvals import LIVE
from governance.permissions import acting_person
from governance.states import ApprovalState
from jobs.wake import wake

WORK = "environments.sandbox_request"
REASON_MAX = 500
LONGEST_AHEAD = timedelta(days=90)
ENDINGS: dict[ApprovalState, SandboxState] = {
    ApprovalState.REJECTED: SandboxState.REJECTED,
    ApprovalState.WITHDRAWN: SandboxState.WITHDRAWN,
    ApprovalState.EXPIRED: SandboxState.LAPSED,
    ApprovalState.SUPERSEDED: SandboxState.LAPSED,
}


# Asking ------------------------------------------------------------------------------------------


@transaction.atomic
def ask(*, wish: Wish, environment: Environment | None, team: Team | None) -> SandboxRequest:
    """Put a request to those who decide on it; ``team`` is for whom a new sandbox is.

    Codes: ``sandbox.reason``, ``sandbox.start``, ``sandbox.running`` (a deployment to it runs),
    ``sandbox.asked_already``, ``sandbox.no_policy``, those of the guard
    (``rules_sandboxes.obstacles``) and of ``approvals.open_request``.
    """
    permissions.demand_sandbox(environment, team)
    owner, person = require_production(), acting_person()
    if environment is not None:
        _hold(environment)
    now = database_now()
    _check_words(wish, now)
    judged = facts.facts_of(owner, wish, now)
    refuse(judged, wish.not_before)
    decided_by = policies.deciding(environment, person)
    view = outlook.of(environment) if environment else outlook.Outlook()
    request = SandboxRequest(
        production=owner,
        action=wish.action.value,
        name=wish.name,
        licence_type=wish.licence_type,
        sandbox=wish.sandbox,
        environment=environment,
        team=environment.team if environment else team,
        source=wish.source,
        template_id=wish.template_id,
        apex_class_id=wish.apex_class_id,
        auto_activate=wish.auto_activate,
        start=wish.start.value,
        not_before=wish.not_before,
        reason=" ".join(wish.reason.split()),
        shown={
            "guard": facts.as_stored(judged),
            "trains": [line.text for line in view.trains],
            "lost": [line.text for line in view.lost],
        },
        needs_nobody=decided_by.needs_nobody,
        requested_by=person,
    )
    request.digest = facts.digest_of(request)
    _insert(request)
    telling.record("sandbox.request.opened", request, reason=request.reason)
    telling.tell(request, f"Asked: {request.words}", f"{person.full_name}: {request.reason}")
    if decided_by.needs_nobody:
        move(request, SandboxState.APPROVED)
        telling.record("sandbox.request.approved", request, how="its team's lead asked for it")
        wake(WORK, request.pk)
        return request
    _open(request, decided_by, now)
    request.refresh_from_db(fields=["state"])
    return request


def _open(request: SandboxRequest, decided_by: policies.Deciding, now: datetime) -> None:
    begins = max(now, starts_at(request, now))
    approvals.open_request(
        kind=KIND,
        subject_id=request.pk,
        digest=request.digest,
        policy_version=decided_by.version,
        requester=request.requested_by,
        exclusions=(),
        unmapped=(),
        expires_at=begins + timedelta(hours=decided_by.hours),
        label=request.words,
        url=request.get_absolute_url(),
        related=[
            request.public_id,
            *([request.environment.public_id] if request.environment else []),
        ],
        also_body=decided_by.also_body,
    )


def starts_at(request: SandboxRequest, now: datetime) -> datetime:
    """When an approved request is carried out at the earliest."""
    if request.start == SandboxStart.AT and request.not_before is not None:
        return request.not_before
    if request.start == SandboxStart.SOON and request.action == SandboxAction.REFRESH:
        earliest = reads.next_refresh(request.sandbox) if request.sandbox else None
        return earliest or now
    return now


def _hold(environment: Environment) -> None:
    """Lock the environment, so that its address and its end wait, and refuse what cannot be."""
    Environment.objects.select_for_update(no_key=True, of=("self",)).get(pk=environment.pk)
    if environment.retired_at is not None:
        raise NotNow("environment.retired", f"{environment.name} is retired.")


def _check_words(wish: Wish, now: datetime) -> None:
    if not wish.reason.strip() or len(wish.reason) > REASON_MAX:
        raise InvalidInput(
            "sandbox.reason",
            f"Say why, in at most {REASON_MAX} characters: those who decide read it.",
            field="reason",
        )
    if wish.start is not SandboxStart.AT:
        return
    if wish.not_before is None or not now < wish.not_before <= now + LONGEST_AHEAD:
        raise InvalidInput(
            "sandbox.start",
            f"Choose a time from now on, at most {LONGEST_AHEAD.days} days ahead.",
            field="not_before",
        )


FIELDS = {
    "sandbox.name": "name",
    "sandbox.name_taken": "name",
    "sandbox.licence": "licence_type",
    "sandbox.no_licence": "licence_type",
    "sandbox.source_gone": "source",
    "sandbox.source_type": "source",
    "sandbox.template": "template_id",
    "sandbox.too_early": "start",
}


def refuse(judged: rules.Facts, not_before: datetime | None) -> None:
    """Raise what stands in the way: typed things beside their field, the rest on top."""
    found = rules.refusing(judged, not_before)
    if found is None:
        return
    field = FIELDS.get(found.code)
    if field is not None:
        raise InvalidInput(found.code, found.text, field=field, until=found.until)
    raise NotNow(found.code, found.text)


def _insert(request: SandboxRequest) -> None:
    try:
        with transaction.atomic():
            request.save()
    except IntegrityError as error:
        text = str(error)
        if "sandbox_request_one" not in text:
            raise
        raise Conflict(
            "sandbox.asked_already",
            f"There is a request about {request.name} already. Follow that one, or have it "
            "withdrawn first.",
        ) from None


# Deciding ----------------------------------------------------------------------------------------


def find(request_id: int) -> SandboxRequest:
    """Return a request. Codes: ``sandbox.request_unknown``."""
    found = reads.find_request(request_id)
    if found is None:
        raise NotFound("sandbox.request_unknown", "There is no such request.")
    return found


def question_of(request: SandboxRequest) -> ApprovalRequest | None:
    """The newest request for approval about it; None when nobody had to be asked."""
    rows = ApprovalRequest.objects.filter(subject_kind=KIND, subject_id=request.pk)
    return rows.select_related("policy_version__policy", "requester").order_by("-pk").first()


def agreed(request: SandboxRequest) -> bool:
    """Count again whether what is asked has been agreed to, by the sandbox as it is now."""
    if request.needs_nobody:
        return _stands(request, None)
    asked = question_of(request)
    if asked is None or not _stands(request, asked):
        return False
    return approvals.progress(asked, current_digest=facts.digest_of(request)).satisfied


def _stands(request: SandboxRequest, asked: ApprovalRequest | None) -> bool:
    """Whether those who were asked, or nobody, are those who decide about the sandbox now."""
    try:
        decided_by = policies.deciding(request.environment, request.requested_by)
    except NotNow:
        return False
    if asked is None:
        return decided_by.needs_nobody
    return (asked.policy_version_id, asked.also_body) == (
        decided_by.version.pk,
        decided_by.also_body,
    )


def hold_question(request: SandboxRequest) -> None:
    """Lock the live question about a request; always before the request itself."""
    rows = ApprovalRequest.objects.filter(subject_kind=KIND, subject_id=request.pk, state__in=LIVE)
    lock_rows(rows)


def taken(request: SandboxRequest, **columns: object) -> None:
    """The platform has a locked request: nobody calls it back, so its approval is used.

    The caller holds the question, which comes before the request.
    """
    move(request, SandboxState.COPYING, **columns)
    question = question_of(request)
    if question is not None:
        approvals.use(question.pk, f"the platform took {request.public_id}")


@transaction.atomic
def decide(
    *, request_id: int, verdict: str, comment: str, shown_digest: str, auth_strength: str
) -> Decision:
    """Record the acting person's answer to exactly what the page showed.

    Codes: ``sandbox.request_unknown``, ``sandbox.request_closed`` and those of
    ``approvals.decide``.
    """
    request = find(request_id)
    asked = question_of(request)
    if asked is None or request.state not in SANDBOX_WAITING:
        raise NotNow("sandbox.request_closed", f"{request.public_id} is {request.state} already.")
    return approvals.decide(
        request_id=asked.pk,
        verdict=verdict,
        comment=comment,
        shown_digest=shown_digest,
        current_digest=facts.digest_of(request),
        auth_strength=auth_strength,
    )


@transaction.atomic
def withdraw(*, request_id: int) -> SandboxRequest:
    """Take a request back before it is started. Codes: ``sandbox.request_closed``."""
    request = find(request_id)
    permissions.demand_sandbox(request.environment, request.team)
    questions = lock_rows(
        ApprovalRequest.objects.filter(subject_kind=KIND, subject_id=request.pk, state__in=LIVE)
    )
    locked = lock(request.pk)
    if locked.state not in SANDBOX_WAITING:
        raise NotNow(
            "sandbox.request_closed",
            f"{locked.public_id} is {locked.state.replace('_', ' ')}: the platform has taken it, "
            "and it cannot be called back.",
        )
    for question in questions:
        approvals.withdraw_request(request_id=question.pk, reason="no longer wanted")
    if not questions:
        close(locked, SandboxState.WITHDRAWN, "sandbox.request.withdrawn")
    locked.refresh_from_db()
    return locked


@transaction.atomic
def settle(*, request_id: int, wish: str) -> SandboxRequest:
    """Have a copy that waits for it activated or discarded. Codes: ``sandbox.not_waiting``."""
    request = find(request_id)
    permissions.demand_sandbox(request.environment, request.team)
    locked = lock(request.pk)
    if wish not in ("activate", "discard"):
        raise InvalidInput("sandbox.wish", "Choose to activate or to discard the copy.")
    if locked.state != SandboxState.TO_ACTIVATE or locked.settle_wish:
        raise NotNow("sandbox.not_waiting", f"{locked.public_id} waits for no activation.")
    locked.settle_wish = wish
    locked.save(update_fields=["settle_wish"])
    telling.record("sandbox.request.settle_asked", locked, wish=wish)
    wake(WORK, locked.pk)
    return locked


def outcome(request_id: int) -> None:
    """Follow the state of the question: approved, open again, or closed with it."""
    question = ApprovalRequest.objects.get(pk=request_id)
    request = lock(question.subject_id)
    state = ApprovalState(question.state)
    if request.state not in SANDBOX_WAITING:
        return
    if state is ApprovalState.SATISFIED:
        if not _stands(request, question):
            approvals.supersede(KIND, request.pk, "another policy decides about the sandbox now")
        elif request.state == SandboxState.ASKED:
            move(request, SandboxState.APPROVED)
            telling.record("sandbox.request.approved", request, how=str(question.policy_version))
            telling.tell(request, f"Approved: {request.words}", "A worker carries it out.")
            wake(WORK, request.pk)
    elif state is ApprovalState.OPEN:
        if request.state == SandboxState.APPROVED:
            move(request, SandboxState.ASKED)
    else:
        end = ENDINGS[state]
        close(request, end, f"sandbox.request.{end}", question.note)


def describe(requests: Collection[int]) -> dict[int, subjects.Facts]:
    """Describe requests for the inbox."""
    rows = SandboxRequest.objects.select_related("requested_by").filter(pk__in=requests)
    return {row.pk: _facts(row) for row in rows}


def _facts(request: SandboxRequest) -> subjects.Facts:
    when = {"now": "at once", "soon": "as soon as possible"}.get(request.start, "")
    if request.not_before is not None:
        when = f"not before {rules.said(request.not_before)}"
    return (f"asked by {request.requested_by.full_name}", request.reason[:120], when)


def questions(environment: Environment) -> list[str]:
    """What is asked or under way about an environment's sandbox: it is not retired meanwhile."""
    rows = SandboxRequest.objects.filter(environment=environment, state__in=LIVE_REQUESTS)
    return [row.public_id for row in rows.order_by("pk")]


# Writing -----------------------------------------------------------------------------------------


def lock(request_id: int) -> SandboxRequest:
    """Hold a request's row until the transaction ends."""
    rows = SandboxRequest.objects.select_related(
        "environment__track__team", "production", "sandbox", "source", "team", "requested_by"
    )
    found = lock_rows(rows.filter(pk=request_id))
    if not found:
        raise NotFound("sandbox.request_unknown", "There is no such request.")
    return found[0]


def close(
    request: SandboxRequest, state: SandboxState, event: str, reason: str = "", code: str = ""
) -> None:
    """End a locked request that was not started, or that came to nothing."""
    move(request, state, message=reason, code=code, closed_at=database_now())
    telling.record(event, request, reason=reason)
    word = event.rpartition(".")[2].capitalize()
    telling.tell(request, f"{word}: {request.words}", reason)


def move(request: SandboxRequest, state: SandboxState, **columns: object) -> None:
    """Move a locked request and write the named columns with it."""
    SANDBOX.check(SandboxState(request.state), state)
    for name, value in columns.items():
        setattr(request, name, value)
    request.state = state.value
    request.save(update_fields=["state", *columns])
