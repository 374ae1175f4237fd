"""Telling people by e-mail.

A notice is a row per address, written in the transaction of what it tells about; a build worker
sends it afterwards with Django's mail backend. E-mail can arrive twice when a worker dies between
sending and writing that down; the message id stays the same, so mail programs can show it once.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings

from governance.models import Notice, User
from governance.states import PersonKind
from jobs import wake

SUBJECT_MAX = 200
KIND = "governance.notice"


def send(
    to_users: Iterable[User], subject: str, text: str, related: Iterable[str] = ()
) -> list[Notice]:
    """Queue an e-mail to each active person once; ``related`` are public ids it is about."""
    addresses = {
        user.email: None
        for user in to_users
        if user.is_active and user.kind == PersonKind.PERSON and user.email
    }
    return [_queue(address, subject, text, list(related)) for address in addresses]


def send_to(address: str, subject: str, text: str) -> Notice:
    """Queue an e-mail to an address that is nobody's sign-in address yet."""
    return _queue(address, subject, text, [])


def _queue(address: str, subject: str, text: str, related: list[str]) -> Notice:
    notice = Notice.objects.create(
        recipient_email=address,
        # A header line: whatever people named their things must not start another header.
        subject=" ".join(subject.split())[:SUBJECT_MAX],
        text=text,
        related=related,
    )
    wake.wake(KIND, notice.pk)
    return notice


def absolute(path: str) -> str:
    """Return the full address of one of our pages, for use in e-mails."""
    return f"{settings.GATEHOUSE.base_url}{path}"
