"""Releases: candidates of several teams as one artefact."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.urls import reverse

from core.models import Entity
from releases.states import ReleaseState


class Release(Entity):
    """Candidates of several teams, merged into one integration commit and one artefact."""

    PREFIX = "R"

    class Bump(models.TextChoices):
        MAJOR = "major", "major"
        MINOR = "minor", "minor"
        PATCH = "patch", "patch"

    class ChangeClass(models.TextChoices):
        STANDARD = "standard", "standard"
        NORMAL = "normal", "normal"
        EMERGENCY = "emergency", "emergency"
        ROLLBACK = "rollback", "rollback"

    class Scope(models.TextChoices):
        WHOLE = "whole", "Whole packages of the candidates"
        DELTA = "delta", "Only what differs from production"

    title = models.CharField(max_length=120)
    version = models.CharField(max_length=40)
    bump = models.CharField(max_length=5, choices=Bump, default=Bump.MINOR)
    change_class = models.CharField(max_length=10, choices=ChangeClass, default=ChangeClass.NORMAL)
    scope = models.CharField(max_length=5, choices=Scope, default=Scope.WHOLE)
    notes = models.TextField(blank=True, default="")
    impact = models.TextField(blank=True, default="")
    state = models.CharField(
        max_length=12,
        choices=[(s.value, s.value.replace("_", " ")) for s in ReleaseState],
        default=ReleaseState.DRAFT,
    )
    state_note = models.TextField(blank=True, default="")
    composed_by = models.ForeignKey("governance.User", models.PROTECT, related_name="+")
    edited_by = models.ForeignKey("governance.User", models.PROTECT, null=True, related_name="+")
    artefact = models.ForeignKey("releases.Artefact", models.PROTECT, null=True)
    base_snapshot = models.ForeignKey(
        "environments.Snapshot", models.PROTECT, null=True, related_name="+"
    )
    restores = models.ForeignKey("self", models.PROTECT, null=True, related_name="restored_by")
    integration_commit = models.CharField(max_length=64, blank=True, default="")
    test_level = models.CharField(max_length=20, blank=True, default="")
    """The level that people chose, never below the policy's; empty: as the policy asks."""
    tests_added = models.JSONField(default=list)
    tests_removed = models.JSONField(default=list)
    not_before = models.DateTimeField(null=True)
    not_after = models.DateTimeField(null=True)
    deployed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["version"], name="release_version_once"),
            models.CheckConstraint(
                condition=Q(not_after__isnull=True)
                | Q(not_before__isnull=True)
                | Q(not_after__gt=models.F("not_before")),
                name="release_window_order",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.public_id} {self.title}"

    def get_absolute_url(self) -> str:
        return reverse("releases:release", kwargs={"pk": self.pk})

    @property
    def audit_label(self) -> str:
        """How a sentence of history names the release."""
        return str(self)


class ReleaseItem(models.Model):
    """A candidate in a release; taken out by setting ``removed_at``, never deleted."""

    release = models.ForeignKey(Release, models.PROTECT, related_name="items")
    candidate = models.ForeignKey("releases.Candidate", models.PROTECT, related_name="items")
    added_by = models.ForeignKey("governance.User", models.PROTECT, related_name="+")
    added_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True)
    removed_by = models.ForeignKey("governance.User", models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["release", "candidate"],
                condition=Q(removed_at__isnull=True),
                name="release_item_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.release_id}: {self.candidate}"


class ReleaseChange(models.Model):
    """One component that the release changes in production, as the build worker computed it.

    Production is what ``base_snapshot`` held: composed anew over another one, the same artefact may
    change other things.
    """

    class Kind(models.TextChoices):
        ADDED = "added", "new"
        CHANGED = "changed", "changed"
        REMOVED = "removed", "deleted"
        SAME = "same", "as in production"

    release = models.ForeignKey(Release, models.PROTECT, related_name="changes")
    artefact = models.ForeignKey("releases.Artefact", models.PROTECT, related_name="+")
    base_snapshot = models.ForeignKey(
        "environments.Snapshot", models.PROTECT, null=True, related_name="+"
    )
    type = models.CharField(max_length=80)
    name = models.CharField(max_length=255)
    kind = models.CharField(max_length=10, choices=Kind)
    teams = models.JSONField(default=list)
    summary = models.TextField(blank=True, default="")
    marks = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["release", "artefact", "type", "name", "base_snapshot"],
                name="release_change_once",
                nulls_distinct=False,
            )
        ]

    def __str__(self) -> str:
        return f"{self.type}:{self.name} {self.kind}"
