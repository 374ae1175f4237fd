"""The history. Insert-only by trigger for everybody, the owner included."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models.functions import Upper
from django.urls import reverse

from core import ids


def _text() -> Any:
    return models.TextField(null=True, editable=False)


class AuditEvent(models.Model):
    """One line of history.

    ``body`` is canonical JSON, stored verbatim as text: what is hashed later is exactly what was
    written. Every other column is read out of it by the database (governance/sql/0007_speed.sql),
    whatever a statement says, so the two never differ.
    ``recorded_at`` is the database's own clock; no role may set it. Rows are added by
    ``governance.audit.record`` only, which writes ``body`` and nothing else.
    """

    PREFIX = "H"

    id = models.BigAutoField(primary_key=True)
    body = models.TextField()
    recorded_at = models.DateTimeField(
        db_default=models.Func(function="clock_timestamp"), editable=False
    )
    event = _text()
    sentence = _text()
    subject_kind = _text()
    subject_ref = _text()
    actor_kind = _text()
    actor_name = _text()
    actor_id: Any = models.BigIntegerField(null=True, editable=False)
    team = _text()
    at: Any = models.DateTimeField(null=True, editable=False)
    related = ArrayField(models.TextField(), editable=False)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(
                    event__isnull=False,
                    sentence__isnull=False,
                    subject_ref__isnull=False,
                    actor_kind__isnull=False,
                    actor_name__isnull=False,
                    at__isnull=False,
                ),
                name="audit_event_is_whole",
            )
        ]
        indexes: ClassVar = [
            models.Index(fields=["-at", "-id"], name="audit_by_time"),
            models.Index(fields=["event", "-at", "-id"], name="audit_by_event"),
            models.Index(fields=["actor_id", "-at", "-id"], name="audit_by_actor"),
            models.Index(fields=["team", "-at", "-id"], name="audit_by_team"),
            GinIndex(fields=["related"], name="audit_by_reference"),
            # In capitals, since that is how icontains asks.
            GinIndex(OpClass(Upper("sentence"), name="gin_trgm_ops"), name="audit_by_words"),
        ]

    def __str__(self) -> str:
        return str(self.sentence)

    def get_absolute_url(self) -> str:
        """Return the event's own page."""
        return reverse("governance:event", kwargs={"pk": self.pk})

    @property
    def public_id(self) -> str:
        """The short id of the event, such as ``H-1042``."""
        return ids.format_ref(self.PREFIX, self.pk)
