"""The one table of this package."""

from __future__ import annotations

from django.db import models


class Work(models.Model):
    """A subject that wants attention, now or later, and who attends to it.

    - ``wake_at`` not null: wants attention from then on. Taken away by the claim, so that a wake
      during the work is a new one and is not lost.
    - ``queued_until``: the ticker has rung for it and will not ring again before then.
    - ``lease_until`` not null: a worker attends to it; past it, that worker is taken for dead.
    - ``fence``: number of the latest claim; every write of a worker demands its own.
    - ``tries``: failures since the last success; ``last_error`` tells the last one.

    Rows stay: the fence must never start again.
    """

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=60)
    subject_id = models.BigIntegerField()
    queue = models.CharField(max_length=20)
    wake_at = models.DateTimeField(null=True)
    queued_until = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    fence = models.BigIntegerField(db_default=0)
    tries = models.IntegerField(db_default=0)
    last_error = models.TextField(db_default="")
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "subject_id"], name="work_once_per_subject"),
        ]
        indexes = [
            models.Index(
                fields=["wake_at"], name="work_wants", condition=models.Q(wake_at__isnull=False)
            ),
            models.Index(
                fields=["lease_until"],
                name="work_leased",
                condition=models.Q(lease_until__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject_id}"
