"""E-mail through a real SMTP server."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.conf import settings as django_settings
from django.db import connection, transaction

from core.context import Actor, acting_as
from core.errors import ExternalFault
from governance import notices, tasks
from governance.models import AuditEvent, Notice, User
from jobs import wake
from jobs.claims import Claim, Next
from jobs.errors import LostClaim
from jobs.models import Work
from tests.governance.world import World
from tests.support.databases import as_role


class Mailbox:
    """Keeps what arrives; ``answer`` is what the server says to a recipient or to the content."""

    def __init__(self) -> None:
        self.letters: list[Message] = []
        self.recipients: list[str] = []
        self.answer_to_recipient = "250 OK"
        self.answer_to_content = "250 OK"

    async def handle_RCPT(  # noqa: N802 - the name is aiosmtpd's
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.answer_to_recipient.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.answer_to_recipient

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        if self.answer_to_content.startswith("250"):
            assert isinstance(envelope.content, bytes)
            self.letters.append(message_from_bytes(envelope.content))
            self.recipients += envelope.rcpt_tos
        return self.answer_to_content


class OnAnyPort(Controller):
    """Lets the system choose the port, which the parent only half supports."""

    def _trigger_server(self) -> None:
        assert isinstance(self.server, asyncio.Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]


@pytest.fixture
def mailbox(settings: Any) -> Iterator[Mailbox]:
    handler = Mailbox()
    controller = OnAnyPort(handler, hostname="127.0.0.1", port=0)
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST = "127.0.0.1"
    settings.EMAIL_PORT = controller.port
    yield handler
    controller.stop()


def claim_on(notice: Notice) -> Claim:
    row = Work.objects.get(kind=notices.KIND, subject_id=notice.pk)
    return Claim(row.kind, row.subject_id, row.fence, row.pk)


def send(notice: Notice, claim: Claim | None = None) -> Next:
    """Do what the build worker does, with its rights."""
    with as_role("build"), acting_as(Actor("worker", None, "build worker")):
        return tasks.send_notice(claim or claim_on(notice))


def queue(world: World, **given: Any) -> Notice:
    arguments = {
        "to_users": [world.dev],
        "subject": "Build B-7 failed",
        "text": "AccountService, line 12: missing ';'\n\nOpen it: http://testserver/builds/B-7/",
        "related": ["B-7"],
    }
    (notice,) = notices.send(**(arguments | given))
    return notice


def test_a_notice_arrives_and_is_marked_sent(world: World, mailbox: Mailbox) -> None:
    notice = queue(world, subject="Straße\r\nBcc: evil@example.com")
    assert send(notice) == Next.done()
    (letter,) = mailbox.letters
    assert mailbox.recipients == ["dev@example.com"]
    assert letter["Bcc"] is None
    assert letter["To"] == "dev@example.com"
    assert letter["Message-ID"] == f"<{notice.uuid}@localhost>"
    assert letter["Auto-Submitted"] == "auto-generated"
    content = letter.get_payload(decode=True)
    assert isinstance(content, bytes)
    assert b"AccountService, line 12" in content
    notice.refresh_from_db()
    assert notice.state == "sent"
    assert notice.sent_at is not None


def test_a_sent_notice_is_not_sent_again(world: World, mailbox: Mailbox) -> None:
    notice = queue(world)
    send(notice)
    assert send(notice) == Next.done()
    assert len(mailbox.letters) == 1


def test_a_worker_that_lost_its_claim_writes_nothing(world: World, mailbox: Mailbox) -> None:
    notice = queue(world)
    old = claim_on(notice)
    with connection.cursor() as cursor, as_role("build"):
        cursor.execute("UPDATE jobs_work SET fence = fence + 1 WHERE id = %s", [old.work_id])
    with pytest.raises(LostClaim):
        send(notice, old)
    notice.refresh_from_db()
    assert notice.state == "pending"


@pytest.mark.parametrize(
    "answers",
    [
        {"answer_to_recipient": "450 mailbox busy"},
        {"answer_to_content": "451 try later"},
    ],
    ids=["recipient", "content"],
)
def test_a_refusal_for_now_is_tried_again(
    world: World, mailbox: Mailbox, answers: dict[str, str]
) -> None:
    vars(mailbox).update(answers)
    notice = queue(world)
    with pytest.raises(ExternalFault) as caught:
        send(notice)
    assert caught.value.retryable
    notice.refresh_from_db()
    assert (notice.state, notice.tries) == ("pending", 1)
    assert "45" in notice.last_error
    vars(mailbox).update(answer_to_recipient="250 OK", answer_to_content="250 OK")
    assert send(notice) == Next.done()
    assert len(mailbox.letters) == 1


@pytest.mark.parametrize(
    "answers",
    [
        {"answer_to_recipient": "550 no such user"},
        {"answer_to_content": "554 not wanted"},
    ],
    ids=["recipient", "content"],
)
def test_a_refusal_for_good_ends_it_and_is_told(
    world: World, mailbox: Mailbox, answers: dict[str, str]
) -> None:
    vars(mailbox).update(answers)
    notice = queue(world)
    assert send(notice) == Next.done()
    notice.refresh_from_db()
    assert notice.state == "failed"
    event = AuditEvent.objects.get(event="notice.failed")
    assert str(event.sentence).startswith("Gatehouse could not e-mail dev@example.com: 55")
    assert "B-7" in event.related


def test_a_server_that_is_away_is_tried_again_until_the_tries_are_used_up(
    world: World, settings: Any
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    notice = queue(world)
    for _ in range(tasks.TRIES_MAX - 1):
        with pytest.raises(ExternalFault):
            send(notice)
    assert send(notice) == Next.done()
    notice.refresh_from_db()
    assert (notice.state, notice.tries) == ("failed", tasks.TRIES_MAX)


def test_each_active_person_gets_one_letter(world: World) -> None:
    bot = User.objects.create(email="bot@example.com", full_name="Bot", kind="service")
    world.lena.is_active = False
    rows = notices.send([world.dev, world.dev, world.ana, world.lena, bot], "Hello", "Text")
    assert [row.recipient_email for row in rows] == ["dev@example.com", "ana@example.com"]
    woken = Work.objects.filter(kind=notices.KIND, wake_at__isnull=False)
    assert {row.subject_id for row in woken} == {row.pk for row in rows}


def _fail_after_queueing(world: World) -> None:
    with transaction.atomic():
        queue(world)
        raise KeyError("the change failed")


def test_a_notice_that_is_rolled_back_wakes_nobody(world: World) -> None:
    with pytest.raises(KeyError):
        _fail_after_queueing(world)
    assert not Work.objects.filter(kind=notices.KIND).exists()


def test_addresses_in_letters_are_whole() -> None:
    base = django_settings.GATEHOUSE.base_url
    assert notices.absolute("/releases/R-42/") == f"{base}/releases/R-42/"


@pytest.mark.parametrize("event", ["job.crashed", "security.job_refused"])
def test_what_workers_meet_is_told_in_the_history(world: World, event: str) -> None:
    facts = {"kind": "x.y", "subject_id": 7, "error": "Boom", "queue": "build", "reason": "foreign"}
    with as_role("deploy"), acting_as(Actor("worker", None, "deploy worker")):
        tasks.record_job_event(event, facts)
    assert AuditEvent.objects.get(event=event).subject_ref == "work:x.y:7"


def test_the_sweep_runs_as_the_build_worker(world: World) -> None:
    wake.wake(tasks.EXPIRY_KIND, tasks.EXPIRY_SUBJECT)
    row = Work.objects.get(kind=tasks.EXPIRY_KIND)
    claim = Claim(row.kind, row.subject_id, row.fence, row.pk)
    with as_role("build"), acting_as(Actor("worker", None, "build worker")):
        assert tasks.expire_requests(claim) == Next.done()
