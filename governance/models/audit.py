"""The history. Insert-only by trigger for everybody, the owner included."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models.functions import Upper
from django.urls import reverse

from core import ids


def _read(function: str, *path: str) -> models.Func:
    return models.Func("body", *(models.Value(step) for step in path), function=function)


def _text(*path: str) -> Any:
    return models.GeneratedField(
        expression=_read("gatehouse_json_text", *path),
        output_field=models.TextField(null=True),
        db_persist=True,
    )


class AuditEvent(models.Model):
    """One line of history.

    ``body`` is canonical JSON, stored verbatim as text: what is hashed later is exactly what was
    written. Every other column is derived from it by the database, so the two can never differ.
    ``recorded_at`` is the database's own clock; no role may set it. Rows are added by
    ``governance.audit.record`` only, which writes ``body`` and nothing else.
    """

    PREFIX = "H"

    id = models.BigAutoField(primary_key=True)
    body = models.TextField()
    recorded_at = models.DateTimeField(
        db_default=models.Func(function="clock_timestamp"), editable=False
    )
    event = _text("event")
    sentence = _text("sentence")
    subject_kind = _text("subject", "kind")
    subject_ref = _text("subject", "ref")
    actor_kind = _text("actor", "kind")
    actor_name = _text("actor", "name")
    actor_id = models.GeneratedField(
        expression=_read("gatehouse_json_bigint", "actor", "id"),
        output_field=models.BigIntegerField(null=True),
        db_persist=True,
    )
    team = _text("team")
    at = models.GeneratedField(
        expression=_read("gatehouse_json_moment", "at"),
        output_field=models.DateTimeField(null=True),
        db_persist=True,
    )
    related = models.GeneratedField(
        expression=_read("gatehouse_json_texts", "related"),
        output_field=ArrayField(models.TextField()),
        db_persist=True,
    )

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
