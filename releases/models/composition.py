"""What stands between candidates of one release, and what people decided about it."""

from __future__ import annotations

from django.db import models


class ComponentConflict(models.Model):
    """Teams change one component in ways that exclude each other; it stops the composition.

    ``elements`` are the things fought over, as the build worker found them: the path, words, and
    what production and every side say, each content with its digest.
    """

    release = models.ForeignKey("releases.Release", models.PROTECT, related_name="conflicts")
    type = models.CharField(max_length=80)
    name = models.CharField(max_length=255)
    teams = models.JSONField()
    elements = models.JSONField(default=list)
    found_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.type}:{self.name} of {', '.join(self.teams)}"


class Resolution(models.Model):
    """What a person picked where sides exclude each other; never changed, the newest counts.

    ``conflict_digest`` is over the contents of all sides, ``pick`` is the digest of the picked one
    or "all": it never comes to mean another content.
    """

    release = models.ForeignKey("releases.Release", models.PROTECT, related_name="resolutions")
    type = models.CharField(max_length=80)
    name = models.CharField(max_length=255)
    path = models.TextField()
    conflict_digest = models.CharField(max_length=71)
    pick = models.CharField(max_length=71)
    told = models.TextField()
    taken = models.CharField(max_length=250)
    reason = models.TextField()
    made_by = models.ForeignKey("governance.User", models.PROTECT, related_name="+")
    made_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["type", "name", "conflict_digest"], name="resolution_remembered")
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(conflict_digest__regex=r"^sha256:[0-9a-f]{64}$")
                & models.Q(pick__regex=r"^(all|sha256:[0-9a-f]{64})$"),
                name="resolution_digest_form",
            )
        ]

    def __str__(self) -> str:
        return f"{self.told} Taken: {self.taken}."


class KnownTest(models.Model):
    """A test of what a release carries, as the build worker found it when it composed.

    ``reasons`` say why a proposed one is proposed. Apex that nothing tests has a row of its own.
    """

    class Kind(models.TextChoices):
        PROPOSED = "proposed", "proposed"
        KNOWN = "known", "in the package, not proposed"
        UNTESTED = "untested", "Apex that no test is known for"

    release = models.ForeignKey("releases.Release", models.PROTECT, related_name="known_tests")
    artefact = models.ForeignKey("releases.Artefact", models.PROTECT, related_name="+")
    base_snapshot = models.ForeignKey(
        "environments.Snapshot", models.PROTECT, null=True, related_name="+"
    )
    kind = models.CharField(max_length=8, choices=Kind)
    name = models.CharField(max_length=255)
    reasons = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["release", "artefact", "kind", "name", "base_snapshot"],
                name="known_test_once",
                nulls_distinct=False,
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.kind})"


class Dependency(models.Model):
    """A component of one team that names, or is merged with, what another team brings."""

    release = models.ForeignKey("releases.Release", models.PROTECT, related_name="dependencies")
    artefact = models.ForeignKey("releases.Artefact", models.PROTECT, related_name="+")
    base_snapshot = models.ForeignKey(
        "environments.Snapshot", models.PROTECT, null=True, related_name="+"
    )
    team = models.CharField(max_length=120)
    type = models.CharField(max_length=80)
    name = models.CharField(max_length=255)
    needs_team = models.CharField(max_length=120)
    needs_type = models.CharField(max_length=80)
    needs_name = models.CharField(max_length=255)

    class Meta:
        verbose_name_plural = "dependencies"
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "release", "artefact", "team", "type", "name",
                    "needs_team", "needs_type", "needs_name", "base_snapshot",
                ],
                name="dependency_once",
                nulls_distinct=False,
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.type}:{self.name} needs {self.needs_type}:{self.needs_name}"
