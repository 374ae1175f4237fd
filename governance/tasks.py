"""Work of governance that a worker does: sending notices, expiring requests."""

from __future__ import annotations

import logging
import smtplib
from collections.abc import Mapping

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction

from core import clock, db, signing
from core.db import database_now
from core.errors import ExternalFault, InvalidInput
from governance import approvals, audit, notices, policies
from governance.models import Notice, Policy, PolicyVersion
from governance.selectors import people
from governance.services import checkpoints, matters, reminders, seats, verifying
from governance.states import NoticeState, Role
from jobs import periodic, registry
from jobs.registry import Claim, Next

logger = logging.getLogger(__name__)

TRIES_MAX = 12
EXPIRY_KIND = "governance.expiry"
EXPIRY_SECONDS = 60
POLICIES_KIND = "governance.policies"
POLICIES_SECONDS = 24 * 60 * 60
EXPIRY_SUBJECT = 1
"""There is one expiry sweep; the row of its work needs some number."""


def send_notice(claim: Claim) -> Next:
    """Send one e-mail; a refusal for good ends it, anything else is tried again later."""
    notice = Notice.objects.filter(pk=claim.subject_id, state=NoticeState.PENDING).first()
    if notice is None:
        return Next.done()
    try:
        _message(notice).send()
    except (smtplib.SMTPException, OSError) as error:
        return _not_sent(claim, notice, error)
    with transaction.atomic():
        claim.guard()
        _update(notice, state=NoticeState.SENT, sent_at=clock.now(), last_error="")
    return Next.done()


def _message(notice: Notice) -> EmailMessage:
    host = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].rstrip(">")
    return EmailMessage(
        subject=notice.subject,
        body=notice.text,
        to=[notice.recipient_email],
        headers={
            "Message-ID": f"<{notice.uuid}@{host}>",
            "Auto-Submitted": "auto-generated",
        },
    )


def _not_sent(claim: Claim, notice: Notice, error: Exception) -> Next:
    problem = _problem(error)
    final = _is_final(error) or notice.tries + 1 >= TRIES_MAX
    state = NoticeState.FAILED if final else NoticeState.PENDING
    with transaction.atomic():
        claim.guard()
        _update(notice, state=state, tries=notice.tries + 1, last_error=problem)
        if final:
            facts = {"recipient": notice.recipient_email, "problem": problem}
            audit.record("notice.failed", notice, related=notice.related, facts=facts)
    if final:
        return Next.done()
    raise ExternalFault(
        "notice.not_sent",
        f"The mail server did not take an e-mail to {notice.recipient_email}: {problem}",
        retryable=True,
    ) from error


def _update(notice: Notice, **columns: object) -> None:
    """Write only what this worker's role may write."""
    Notice.objects.filter(pk=notice.pk).update(**columns)


def _is_final(error: Exception) -> bool:
    """Tell whether the server refused the recipient or the content for good (a 5xx answer)."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(500 <= code < 600 for code, _ in error.recipients.values())
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return False
    return isinstance(error, smtplib.SMTPResponseException) and 500 <= error.smtp_code < 600


def _problem(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        answers = error.recipients.values()
        return "; ".join(f"{code} {text.decode('utf-8', 'replace')}" for code, text in answers)
    if isinstance(error, smtplib.SMTPResponseException):
        text = error.smtp_error
        told = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
        return f"{error.smtp_code} {told}"
    return str(error) or type(error).__name__


def expire_requests(claim: Claim) -> Next:
    """Close approval requests whose time is over."""
    with transaction.atomic():
        claim.guard()
        approvals.expire_due()
        reminders.remind(database_now())
    return Next.done()


def matter_takes_effect(claim: Claim) -> Next:
    """Give a seat whose delay is over; one that waits for something else is not due."""
    with transaction.atomic():
        claim.guard()
        seats.take_effect(claim.subject_id)
        seconds = seats.rest(claim.subject_id)
    return Next.done() if seconds is None else Next.after(seconds)


def check_policies(claim: Claim) -> Next:
    """Warn the board and the admins of policies that the people of today cannot fulfil (I-10)."""
    with transaction.atomic():
        claim.guard()
        told = people.holders([Role.BOARD_MEMBER, Role.ADMIN])
        for policy in Policy.objects.filter(retired_at=None):
            problem = _problem_of(policy.current)
            if not problem:
                continue
            audit.record(
                "policy.unsatisfiable",
                policy,
                facts={
                    "policy": policy.name,
                    "problem": problem,
                },
            )
            link = notices.absolute(policy.get_absolute_url())
            notices.send(
                told,
                f"Nobody can fulfil the policy {policy.name} any more",
                f"{policy.name}: {problem}\n\nWhat it governs stays closed until people are "
                f"appointed or the policy is changed.\n\n{link}\n",
                related=[policy.public_id],
            )
    return Next.done()


def _problem_of(version: PolicyVersion | None) -> str:
    if version is None:
        return ""
    try:
        return policies.unsatisfiable(policies.rules(version))
    except InvalidInput as error:
        return f"It cannot be read: {error.message}"


def record_job_event(event: str, facts: Mapping[str, object]) -> None:
    """Write what the workers met (a crash, a foreign job in Redis) into the history."""
    kind, number = str(facts.get("kind", "queue")), facts.get("subject_id", 0)
    subject_id = number if isinstance(number, int) else 0
    subject = audit.Subject("work", subject_id, f"work:{kind}:{subject_id}", kind)
    with transaction.atomic():
        audit.record(event, subject, facts=dict(facts))


def take_checkpoint(claim: Claim) -> Next:
    """Sign how the history ends and put it outside; the scheduled row comes back by itself."""
    if signing.can_sign():
        with transaction.atomic():
            claim.guard()
            checkpoints.take()
        checkpoints.deliver()
    else:
        logger.warning("no checkpoint: this worker holds no key of the history")
    if claim.subject_id == checkpoints.SCHEDULED:
        return Next.after(settings.GATEHOUSE.checkpoints.seconds)
    return Next.done()


def verify_history(claim: Claim) -> Next:
    """Read the whole history against its chain and the checkpoints outside."""
    started_at = db.database_now()
    outside = settings.GATEHOUSE.checkpoints.directory
    try:
        report = verifying.verify(outside=outside, renew=lambda: claim.renew(600))
    except ExternalFault as fault:
        with transaction.atomic():
            claim.guard()
            return Next.after(verifying.keep_unfinished(fault, started_at))
    with transaction.atomic():
        claim.guard()
        verifying.keep(report, started_at)
    return Next.done()


registry.on_security_event(record_job_event)
registry.register(notices.KIND, "build", send_notice)
registry.register(EXPIRY_KIND, "build", expire_requests)
registry.register(checkpoints.KIND, "build", take_checkpoint)
registry.register(verifying.KIND, "build", verify_history)
registry.register(matters.WORK, "build", matter_takes_effect)
registry.register(POLICIES_KIND, "build", check_policies)
periodic.register("governance.expiry", EXPIRY_SECONDS, EXPIRY_KIND, EXPIRY_SUBJECT)
periodic.register("governance.policies", POLICIES_SECONDS, POLICIES_KIND, EXPIRY_SUBJECT)
periodic.register("governance.checkpoint", 3600, checkpoints.KIND, checkpoints.SCHEDULED)
periodic.register("governance.verification", 86_400, verifying.KIND, verifying.SCHEDULED)
