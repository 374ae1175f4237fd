"""What other systems report about commits."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from core.models import Entity


class CheckResult(Entity):
    """One result of another system about one commit; append-only, the newest counts.

    It counts in the team of its repository, whoever else holds that commit; without a repository,
    which only tokens for every team report, it counts in all.
    """

    class Result(models.TextChoices):
        RUNNING = "running", "running"
        PASSED = "passed", "passed"
        FAILED = "failed", "failed"

    sha = models.CharField(max_length=64)
    name = models.CharField(max_length=80)
    run = models.CharField(max_length=80)
    result = models.CharField(max_length=8, choices=Result)
    url = models.CharField(max_length=500, blank=True, default="")
    repository = models.ForeignKey("releases.Repository", models.PROTECT, null=True)
    reported_by = models.ForeignKey("governance.User", models.PROTECT, related_name="+")
    received_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["repository", "sha", "name", "run", "result"],
                name="check_result_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=models.Q(result__in=["running", "passed", "failed"]),
                name="check_result_is_known",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["sha", "name"], name="check_result_of_commit")]

    def __str__(self) -> str:
        return f"{self.name} {self.result} for {self.sha[:7]}"
