"""The manual steps before and after a deployment, with their owners and ticks."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from core.models import Entity


class RunbookItem(Entity):
    """One manual step of a release; its words are bound by approvals, its ticks are not."""

    class Phase(models.TextChoices):
        BEFORE = "before", "before the deployment"
        AFTER = "after", "after the deployment"

    release = models.ForeignKey("releases.Release", models.PROTECT, related_name="runbook")
    phase = models.CharField(max_length=6, choices=Phase, default=Phase.BEFORE)
    text = models.CharField(max_length=300)
    owner = models.ForeignKey("governance.User", models.PROTECT, related_name="+")
    critical = models.BooleanField(default=False)
    added_by = models.ForeignKey("governance.User", models.PROTECT, related_name="+")
    removed_at = models.DateTimeField(null=True)
    rehearsed_at = models.DateTimeField(null=True)
    rehearsed_by = models.ForeignKey("governance.User", models.PROTECT, null=True, related_name="+")
    done_at = models.DateTimeField(null=True)
    done_by = models.ForeignKey("governance.User", models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering: ClassVar = ["-phase", "id"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(phase__in=["before", "after"]), name="runbook_phase_is_known"
            ),
        ]

    def __str__(self) -> str:
        return self.text
