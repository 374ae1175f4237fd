"""E-mails to people, as rows that a build worker sends."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from core.fields import one_of
from core.models import Entity
from governance.states import NoticeState


class Notice(Entity):
    """One e-mail to one address."""

    recipient_email = models.EmailField(max_length=254)
    subject = models.CharField(max_length=200)
    text = models.TextField()
    related = ArrayField(models.TextField(), default=list)
    state = models.CharField(max_length=10, default=NoticeState.PENDING)
    sent_at = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveIntegerField(default=0)
    last_error = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [one_of("state", NoticeState, "notice_state_is_known")]

    def __str__(self) -> str:
        return f"{self.subject} → {self.recipient_email}"
