"""Break-glass: an emergency deployment, its reason, its one use and its review."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.urls import reverse

from core.models import Entity


class BreakGlass(Entity):
    """One request to deploy in an emergency; used once, reviewed afterwards."""

    PREFIX = "G"

    release = models.ForeignKey("releases.Release", models.PROTECT, related_name="break_glass")
    request = models.OneToOneField(
        "governance.ApprovalRequest", models.PROTECT, null=True, related_name="+"
    )
    reason = models.TextField()
    incident = models.CharField(max_length=80)
    asked_by = models.ForeignKey("governance.User", models.PROTECT, related_name="+")
    used_at = models.DateTimeField(null=True)
    review_due_at = models.DateTimeField(null=True)
    reviewed_at = models.DateTimeField(null=True)
    reviewed_by = models.ForeignKey("governance.User", models.PROTECT, null=True, related_name="+")
    review = models.TextField(blank=True, default="")

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(reason="") & ~Q(incident=""), name="break_glass_says_why"
            ),
            models.CheckConstraint(
                condition=Q(used_at__isnull=True) | Q(review_due_at__isnull=False),
                name="break_glass_used_is_reviewed",
            ),
            models.CheckConstraint(
                condition=Q(reviewed_at__isnull=True)
                | (Q(used_at__isnull=False) & Q(reviewed_by__isnull=False) & ~Q(review="")),
                name="break_glass_review_has_words",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.public_id} for {self.incident}"

    def get_absolute_url(self) -> str:
        return reverse("releases:break_glass", kwargs={"pk": self.pk})

    @property
    def audit_label(self) -> str:
        """How a sentence of history names it."""
        return str(self)
