"""What is put to the board about a person: a seat, or a way back into an account.

A matter is the subject of an approval request. When the board has approved it, a delay runs in
which any member of the board can stop it; only then does it take effect.
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.db import models
from django.urls import reverse

from core.fields import one_of
from core.models import Entity
from governance.models.people import User
from governance.states import MatterKind, MatterState, ResetWhat, Role

PENDING = ["approved", "asked"]


class Matter(Entity):
    """One question about one person. Who, what and why never change."""

    kind = models.CharField(max_length=20)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="matters")
    role = models.CharField(max_length=20, blank=True)
    what = models.CharField(max_length=20, blank=True)
    new_email = models.EmailField(max_length=254, blank=True)
    reason = models.CharField(max_length=300)
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=10, default=MatterState.ASKED)
    effective_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    note = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            one_of("kind", MatterKind, "matter_kind_is_known"),
            one_of("state", MatterState, "matter_state_is_known"),
            models.CheckConstraint(
                condition=models.Q(kind="seat.grant", what="", role__in=sorted(map(str, Role)))
                | models.Q(kind="account.reset", role="", what__in=sorted(map(str, ResetWhat))),
                name="matter_says_what",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=PENDING, closed_at=None)
                | (~models.Q(state__in=PENDING) & models.Q(closed_at__isnull=False)),
                name="matter_closed_has_time",
            ),
            models.CheckConstraint(
                condition=~models.Q(state__in=["approved", "done"])
                | models.Q(effective_at__isnull=False),
                name="matter_approved_has_time",
            ),
            models.UniqueConstraint(
                fields=["kind", "user", "role"],
                condition=models.Q(state__in=PENDING),
                name="matter_one_is_pending",
            ),
        ]

    def __str__(self) -> str:
        if self.kind == MatterKind.SEAT:
            return f"{self.user.full_name} as {self.title}"
        return f"{ResetWhat(self.what).title} of {self.user.full_name}"

    def get_absolute_url(self) -> str:
        """Return the page that asks the question."""
        return reverse("governance:matter", kwargs={"pk": self.pk})

    @property
    def audit_ref(self) -> str:
        """Name the matter in history."""
        return f"matter:{self.pk}"

    @property
    def audit_label(self) -> str:
        """Write the matter in a sentence."""
        return str(self)

    @property
    def title(self) -> str:
        """The role in words."""
        return Role(self.role).title if self.role else ""

    @property
    def is_pending(self) -> bool:
        """Tell whether it can still take effect."""
        return self.state in PENDING

    def is_due(self, now: datetime) -> bool:
        """Tell whether it is approved and the delay is over."""
        return (
            self.state == MatterState.APPROVED
            and self.effective_at is not None
            and self.effective_at <= now
        )
