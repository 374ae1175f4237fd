"""Which policy governs a stage, and what people are asked when that is to demand less."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.urls import reverse

from core.fields import one_of
from core.models import Entity
from environments.models.orgs import Environment
from environments.states import AssignmentState, Stage, TrackKind
from governance.models import Policy, PolicyVersion, User


class StagePolicy(Entity):
    """The policy that environments of a stage have unless they have one of their own."""

    track_kind = models.CharField(max_length=12)
    stage = models.CharField(max_length=8)
    policy = models.ForeignKey(Policy, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints: ClassVar = [
            one_of("track_kind", TrackKind, "stage_policy_track_is_known"),
            one_of("stage", Stage, "stage_policy_stage_is_known"),
            models.UniqueConstraint(
                fields=["track_kind", "stage"], name="stage_policy_one_per_stage"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.stage} of {TrackKind(self.track_kind).title}"


class PolicyAssignment(Entity):
    """Another policy for an environment, or for a stage when that is None, put to people.

    The versions are those that people were shown; when either is no longer in force, the question
    is void.
    """

    environment = models.ForeignKey(
        Environment, on_delete=models.PROTECT, related_name="assignments", null=True, blank=True
    )
    track_kind = models.CharField(max_length=12)
    stage = models.CharField(max_length=8)
    policy = models.ForeignKey(Policy, on_delete=models.PROTECT, related_name="+")
    follows_stage = models.BooleanField(default=False)
    old_version = models.ForeignKey(
        PolicyVersion, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    new_version = models.ForeignKey(PolicyVersion, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField(blank=True)
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=12, default=AssignmentState.ASKED)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            one_of("state", AssignmentState, "policy_assignment_state_is_known")
        ]

    def __str__(self) -> str:
        return f"{self.policy} for {self.target}"

    @property
    def target(self) -> str:
        """What would be governed, in words."""
        if self.environment is not None:
            return str(self.environment)
        return f"{self.stage} of {TrackKind(self.track_kind).title}"

    def get_absolute_url(self) -> str:
        """Return the page that asks about it."""
        return reverse("environments:assignment", kwargs={"pk": self.pk})
