"""Deployments and their steps: the only truth about what was sent to an org."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q
from django.urls import reverse

from core.models import Entity
from releases.rules.testing import Selection
from releases.states import DeploymentState, Effect, Purpose, StepKind, StepState


class Deployment(Entity):
    """One attempt to make one environment hold one artefact; begins at the gate."""

    PREFIX = "D"

    purpose = models.CharField(max_length=10, choices=[(p.value, p.value) for p in Purpose])
    environment = models.ForeignKey(
        "environments.Environment", models.PROTECT, related_name="deployments"
    )
    artefact = models.ForeignKey("releases.Artefact", models.PROTECT, related_name="deployments")
    build = models.ForeignKey(
        "releases.Build", models.PROTECT, null=True, related_name="deployments"
    )
    candidate = models.ForeignKey(
        "releases.Candidate", models.PROTECT, null=True, related_name="deployments"
    )
    release = models.ForeignKey(
        "releases.Release", models.PROTECT, null=True, related_name="deployments"
    )
    preparation = models.ForeignKey("self", models.PROTECT, null=True, related_name="used_by")
    requester = models.ForeignKey("governance.User", models.PROTECT, null=True, related_name="+")
    state = models.CharField(
        max_length=10,
        choices=[(s.value, s.value) for s in DeploymentState],
        default=DeploymentState.QUEUED,
    )
    reasons = models.JSONField(default=list)
    message = models.TextField(blank=True, default="")

    plan = models.JSONField()
    organization_id = models.CharField(max_length=18)
    subject_digest = models.CharField(max_length=71, blank=True, default="")
    baseline_digest = models.CharField(max_length=71, blank=True, default="")
    baseline = models.JSONField(default=dict)
    approval = models.ForeignKey(
        "governance.ApprovalRequest", models.PROTECT, null=True, related_name="+"
    )
    policy_version = models.ForeignKey(
        "governance.PolicyVersion", models.PROTECT, null=True, related_name="+"
    )
    not_before = models.DateTimeField(null=True)
    not_after = models.DateTimeField(null=True)
    approved_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    cancel_requested_at = models.DateTimeField(null=True)
    cancel_requested_by = models.ForeignKey(
        "governance.User", models.PROTECT, null=True, related_name="+"
    )
    uncovered = models.TextField(blank=True, default="")
    """What became of the approval after the write was intended; empty while it stands."""
    settle_outcome = models.CharField(max_length=10, blank=True, default="")
    settle_note = models.TextField(blank=True, default="")
    settled_by = models.ForeignKey("governance.User", models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["environment"],
                condition=Q(state__in=["running", "unknown"]),
                name="deployment_one_live_per_environment",
            ),
            models.UniqueConstraint(fields=["approval"], name="deployment_one_per_request"),
            models.CheckConstraint(
                condition=~Q(purpose="release", subject_digest=""),
                name="deployment_release_is_bound",
            ),
        ]
        indexes = [
            models.Index(fields=["environment", "state"], name="deployment_by_state"),
            models.Index(fields=["release", "purpose"], name="deployment_of_release"),
        ]

    def __str__(self) -> str:
        return f"{self.public_id} to {self.environment}"

    def get_absolute_url(self) -> str:
        return reverse("releases:deployment", kwargs={"pk": self.pk})

    @property
    def tests(self) -> Selection:
        """The tests that it runs."""
        return Selection.of_plan(self.plan)

    @property
    def is_written(self) -> bool:
        """Whether the org took the write: then it is too late to cancel, and verifying goes on."""
        return self.steps.filter(effect=Effect.WRITE, state=StepState.SUCCEEDED).exists()

    @property
    def options(self) -> dict[str, Any]:
        """How the package is sent: the plan without its steps."""
        return {key: value for key, value in self.plan.items() if key != "steps"}


class Step(models.Model):
    """One step of a deployment: intent, the org's id and the outcome as separate facts."""

    deployment = models.ForeignKey(Deployment, models.PROTECT, related_name="steps")
    position = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=10, choices=[(k.value, k.value) for k in StepKind])
    effect = models.CharField(max_length=5, choices=[(e.value, e.value) for e in Effect])
    state = models.CharField(
        max_length=10,
        choices=[(s.value, s.value) for s in StepState],
        default=StepState.PENDING,
    )
    remote_id = models.CharField(max_length=18, blank=True, default="")
    intended_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    polled_at = models.DateTimeField(null=True)
    note = models.TextField(blank=True, default="")
    state_detail = models.CharField(max_length=255, blank=True, default="")
    components_total = models.PositiveIntegerField(default=0)
    components_done = models.PositiveIntegerField(default=0)
    component_errors = models.PositiveIntegerField(default=0)
    tests_total = models.PositiveIntegerField(default=0)
    tests_done = models.PositiveIntegerField(default=0)
    test_errors = models.PositiveIntegerField(default=0)
    coverage = models.DecimalField(max_digits=5, decimal_places=2, null=True)
    worker = models.CharField(max_length=120, blank=True, default="")
    fence = models.BigIntegerField(default=0)
    facts = models.JSONField(default=dict)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["deployment", "position"], name="step_position_once")
        ]

    def __str__(self) -> str:
        return f"{self.deployment_id}/{self.position} {self.kind}"


class StepMessage(models.Model):
    """One line of what the org said about a component or a test; append-only."""

    class Kind(models.TextChoices):
        COMPONENT = "component", "component"
        TEST = "test", "test"
        COVERAGE = "coverage", "coverage"
        WARNING = "warning", "warning"

    step = models.ForeignKey(Step, models.PROTECT, related_name="messages")
    kind = models.CharField(max_length=10, choices=Kind)
    type = models.CharField(max_length=80, blank=True, default="")
    name = models.CharField(max_length=255, blank=True, default="")
    file_name = models.CharField(max_length=400, blank=True, default="")
    line = models.PositiveIntegerField(null=True)
    column = models.PositiveIntegerField(null=True)
    problem = models.TextField()
    stack = models.TextField(blank=True, default="")

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.name}: {self.problem}"
