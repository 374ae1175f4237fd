"""What teams change at the same time: rebuilt by build workers after each fetch."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from metadata.collisions import Closeness


class TeamWork(models.Model):
    """One commit that a team works at: the head of its main branch, or an open candidate.

    ``base_sha`` is what the team last brought to production; ``problem`` says why the commit could
    not be read.
    """

    repository = models.ForeignKey("releases.Repository", models.PROTECT, related_name="works")
    candidate = models.ForeignKey("releases.Candidate", models.PROTECT, null=True, related_name="+")
    sha = models.CharField(max_length=64)
    base_sha = models.CharField(max_length=64, blank=True, default="")
    touched_count = models.PositiveIntegerField(default=0)
    problem = models.TextField(blank=True, default="")
    looked_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["repository", "candidate"], name="work_once", nulls_distinct=False
            )
        ]

    def __str__(self) -> str:
        return f"{self.repository_id} {self.sha[:7]}"


class TouchedComponent(models.Model):
    """One component that a work holds otherwise than the baseline; "" is the digest of none."""

    work = models.ForeignKey(TeamWork, models.CASCADE, related_name="touched")
    type = models.CharField(max_length=80)
    name = models.CharField(max_length=255)
    digest = models.CharField(max_length=64, blank=True)
    elements = models.JSONField(default=list)
    names = models.JSONField(default=list)
    commits = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["work", "type", "name"], name="touched_once")
        ]
        indexes = [models.Index(fields=["type", "name"], name="touched_by_name")]

    def __str__(self) -> str:
        return f"{self.type}:{self.name}"


class Collision(models.Model):
    """Teams that meet at one component, or where one's component names the other's.

    ``teams`` are the keys of the teams in order; a meeting that is over keeps its row for a while,
    so that nobody is told twice.
    """

    closeness = models.PositiveSmallIntegerField(
        choices=[(rank.value, rank.name.lower()) for rank in Closeness]
    )
    type = models.CharField(max_length=80)
    name = models.CharField(max_length=255)
    named_by_type = models.CharField(max_length=80, blank=True, default="")
    named_by_name = models.CharField(max_length=255, blank=True, default="")
    teams = models.JSONField()
    elements = models.JSONField(default=list)
    first_seen_at = models.DateTimeField()
    gone_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["closeness", "type", "name", "named_by_type", "named_by_name", "teams"],
                name="collision_once",
            )
        ]
        indexes = [
            models.Index(
                fields=["closeness", "type", "name"],
                condition=Q(gone_at__isnull=True),
                name="collision_now",
            )
        ]

    def __str__(self) -> str:
        return f"{self.type}:{self.name}"


class CollisionSide(models.Model):
    """One team's part in a collision: its work and the commits that touched the component."""

    collision = models.ForeignKey(Collision, models.CASCADE, related_name="sides")
    work = models.ForeignKey(TeamWork, models.CASCADE, related_name="+")
    team = models.ForeignKey("governance.Team", models.PROTECT, related_name="+")
    candidate = models.ForeignKey("releases.Candidate", models.PROTECT, null=True, related_name="+")
    sha = models.CharField(max_length=64)
    commits = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["collision", "team"], name="collision_side_once")
        ]

    def __str__(self) -> str:
        return f"{self.collision_id}: {self.team_id}"
