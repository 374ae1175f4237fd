"""The chain over the history, its checkpoints, and what was found when it was verified.

Rows of all these tables are only ever added, with two exceptions: the database itself removes an
``AuditCommit`` in the transaction that wrote it, and the owner may erase an ``AuditDetail``.
"""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.db import models

from governance.models.audit import AuditEvent


class Installation(models.Model):
    """Which installation this database is; made once by the migration."""

    id = models.PositiveSmallIntegerField(primary_key=True)
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(id=1), name="installation_is_one")
        ]

    def __str__(self) -> str:
        return str(self.uuid)


class AuditCommit(models.Model):
    """A transaction that wrote events and is about to commit; never seen by anybody else."""

    tx = models.BigIntegerField(primary_key=True)

    def __str__(self) -> str:
        return str(self.tx)


class AuditLink(models.Model):
    """An event's place in the chain, written by the database at commit."""

    position = models.BigIntegerField(primary_key=True)
    event = models.OneToOneField(
        AuditEvent, on_delete=models.PROTECT, related_name="link", db_constraint=False
    )
    previous = models.BinaryField(unique=True)
    hash = models.BinaryField()

    def __str__(self) -> str:
        return f"{self.position}: {self.event_id}"


class AuditDetail(models.Model):
    """Address and browser of who caused an event: the only part of history that can be erased.

    The event's body holds the HMAC of ``body`` under ``key``. Once this row is gone nobody can
    find out by trying addresses what the HMAC was made of.
    """

    event = models.OneToOneField(
        AuditEvent,
        on_delete=models.PROTECT,
        primary_key=True,
        related_name="detail",
        db_constraint=False,
    )
    key = models.BinaryField()
    body = models.TextField()

    def __str__(self) -> str:
        return f"details of {self.event_id}"


def _read(function: str, *path: str, output: models.Field[Any, Any]) -> Any:
    return models.GeneratedField(
        expression=models.Func("body", *map(models.Value, path), function=function),
        output_field=output,
        db_persist=True,
    )


class Checkpoint(models.Model):
    """A signed statement of how long the chain is and how it ends; copies of it lie outside."""

    number = models.BigIntegerField(primary_key=True)
    body = models.TextField()
    digest = models.CharField(max_length=71)
    signature = models.BinaryField()
    key_id = models.CharField(max_length=60)
    position = _read("gatehouse_json_bigint", "position", output=models.BigIntegerField(null=True))
    at = _read("gatehouse_json_moment", "at", output=models.DateTimeField(null=True))

    class Meta:
        ordering: ClassVar = ["-number"]

    def __str__(self) -> str:
        return f"checkpoint {self.number}"


class CheckpointCopy(models.Model):
    """One try to put a checkpoint somewhere outside; ``problem`` is empty when it arrived."""

    id = models.BigAutoField(primary_key=True)
    checkpoint = models.ForeignKey(Checkpoint, on_delete=models.PROTECT, related_name="copies")
    place = models.CharField(max_length=300)
    at = models.DateTimeField()
    problem = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        return f"{self.checkpoint_id} at {self.place}"


class Verification(models.Model):
    """One reading of the whole chain, and the first thing that was wrong, if any.

    ``unfinished`` says nothing about the history: ``problem`` then tells what stopped the reading.
    """

    id = models.BigAutoField(primary_key=True)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField()
    events = models.BigIntegerField()
    checkpoints = models.IntegerField()
    problem = models.TextField(blank=True)
    event_id = models.BigIntegerField(null=True)
    unfinished = models.BooleanField(default=False, db_default=False)

    class Meta:
        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        return self.problem or f"{self.events} events verified"

    @property
    def passed(self) -> bool:
        """Tell whether nothing was wrong."""
        return not self.problem


class GuardManifest(models.Model):
    """The guards of the database as a migration left them; compared by every verification."""

    id = models.BigAutoField(primary_key=True)
    body = models.TextField()
    digest = models.CharField(max_length=71)
    written_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        return self.digest
