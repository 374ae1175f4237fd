"""Builds of commits and candidates made from tags."""

from __future__ import annotations

from django.db import models
from django.urls import reverse

from core.models import Entity
from releases.states import BuildState, CandidateState


class Build(Entity):
    """One commit of a team, deployed to that team's CI org, with its result."""

    PREFIX = "B"

    repository = models.ForeignKey("releases.Repository", models.PROTECT, related_name="builds")
    sha = models.CharField(max_length=64)
    branch = models.CharField(max_length=200)
    state = models.CharField(
        max_length=12, choices=[(s.value, s.value) for s in BuildState], default=BuildState.QUEUED
    )
    artefact = models.ForeignKey("releases.Artefact", models.PROTECT, null=True)
    message = models.TextField(blank=True, default="")
    warnings = models.JSONField(default=list)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["repository", "sha"], name="build_once")]

    def __str__(self) -> str:
        return f"{self.public_id} {self.sha[:7]}"

    def get_absolute_url(self) -> str:
        return reverse("releases:build", kwargs={"pk": self.pk})


class Candidate(Entity):
    """A tag, resolved to a commit, that a team has deployed to TEST and offers to a release."""

    PREFIX = "C"

    repository = models.ForeignKey("releases.Repository", models.PROTECT, related_name="candidates")
    team = models.ForeignKey("governance.Team", models.PROTECT, related_name="candidates")
    tag = models.CharField(max_length=250)
    sha = models.CharField(max_length=64)
    state = models.CharField(
        max_length=12,
        choices=[(s.value, s.value) for s in CandidateState],
        default=CandidateState.BUILDING,
    )
    artefact = models.ForeignKey("releases.Artefact", models.PROTECT, null=True)
    message = models.TextField(blank=True, default="")
    created_by = models.ForeignKey("governance.User", models.PROTECT, related_name="+")
    tested_by = models.ForeignKey("governance.User", models.PROTECT, null=True, related_name="+")
    tested_at = models.DateTimeField(null=True)
    test_note = models.TextField(blank=True, default="")
    offered_by = models.ForeignKey("governance.User", models.PROTECT, null=True, related_name="+")
    offered_at = models.DateTimeField(null=True)
    commit_count = models.PositiveIntegerField(default=0)
    oldest_commit_at = models.DateTimeField(null=True)
    contributors = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["repository", "tag", "sha"], name="candidate_once")
        ]

    def __str__(self) -> str:
        return f"{self.team.name} {self.tag}"

    def get_absolute_url(self) -> str:
        return reverse("releases:candidate", kwargs={"pk": self.pk})

    @property
    def audit_label(self) -> str:
        """How a sentence of history names the candidate."""
        return f"{self.public_id} ({self})"
