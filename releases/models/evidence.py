"""Evidence for auditors: packs, what orgs report themselves, and samples drawn by a seed."""

from __future__ import annotations

from datetime import date, timedelta
from zoneinfo import ZoneInfo

from django.db import models
from django.db.models import Q
from django.urls import reverse

from core.fields import one_of
from core.models import Entity
from releases.states import ObservationState, PackScope, PackState, Standing


class EvidencePack(Entity):
    """A file that proves what happened to a release or in a period; made by a build worker."""

    PREFIX = "K"

    scope = models.CharField(max_length=8)
    release = models.ForeignKey(
        "releases.Release", models.PROTECT, null=True, related_name="evidence_packs"
    )
    environment = models.ForeignKey(
        "environments.Environment", models.PROTECT, null=True, related_name="+"
    )
    since = models.DateTimeField(null=True)
    until = models.DateTimeField(null=True)
    zone = models.CharField(max_length=64)
    requested_by = models.ForeignKey("governance.User", models.PROTECT, related_name="+")

    # Written by build workers.
    state = models.CharField(max_length=8, default=PackState.QUEUED.value)
    stage = models.CharField(max_length=80, blank=True, default="")
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    message = models.TextField(blank=True, default="")
    blob = models.CharField(max_length=64, blank=True, default="")
    size = models.BigIntegerField(default=0)
    manifest_digest = models.CharField(max_length=71, blank=True, default="")
    counts = models.JSONField(default=dict)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            one_of("scope", PackScope, "evidence_pack_scope_is_known"),
            one_of("state", PackState, "evidence_pack_state_is_known"),
            models.CheckConstraint(
                condition=Q(scope=PackScope.RELEASE.value, release__isnull=False)
                | Q(
                    scope=PackScope.PERIOD.value,
                    release__isnull=True,
                    since__isnull=False,
                    until__gt=models.F("since"),
                ),
                name="evidence_pack_has_a_subject",
            ),
            models.CheckConstraint(
                condition=~Q(state=PackState.READY.value) | ~Q(blob=""),
                name="evidence_pack_ready_has_a_file",
            ),
        ]

    def __str__(self) -> str:
        return f"evidence pack {self.public_id}"

    def get_absolute_url(self) -> str:
        return reverse("releases:evidence_pack", kwargs={"pk": self.pk})

    @property
    def audit_label(self) -> str:
        """How a sentence of history names the pack."""
        return str(self)

    @property
    def subject(self) -> str:
        """What the pack is about, in words."""
        if self.release is not None:
            return f"{self.release}"
        where = self.environment.name if self.environment else "every protected environment"
        return f"{where}, {' to '.join(f'{day:%-d %b %Y}' for day in self.days)}"

    @property
    def days(self) -> list[date]:
        """First and last day of the period on the clock of whoever asked."""
        if self.since is None or self.until is None:
            return []
        zone = ZoneInfo(self.zone)
        last = self.until - timedelta(microseconds=1)
        return [self.since.astimezone(zone).date(), last.astimezone(zone).date()]


class OrgObservation(models.Model):
    """One look at the deployments that an org itself lists; kept also when it failed."""

    environment = models.ForeignKey(
        "environments.Environment", models.PROTECT, related_name="observations"
    )
    state = models.CharField(max_length=8)
    organization_id = models.CharField(max_length=18, blank=True, default="")
    since = models.DateTimeField()
    taken_at = models.DateTimeField()
    listed = models.PositiveIntegerField(default=0)
    message = models.TextField(blank=True, default="")

    class Meta:
        ordering = ["-id"]
        constraints = [one_of("state", ObservationState, "org_observation_state_is_known")]
        indexes = [models.Index(fields=["environment", "-id"], name="observation_newest")]

    def __str__(self) -> str:
        return f"{self.environment_id} at {self.taken_at}"


class OrgDeployment(models.Model):
    """A deployment as the org reports it, ours or not."""

    environment = models.ForeignKey(
        "environments.Environment", models.PROTECT, related_name="reported_deployments"
    )
    organization_id = models.CharField(max_length=18)
    remote_id = models.CharField(max_length=18)
    status = models.CharField(max_length=40)
    check_only = models.BooleanField()
    components_total = models.PositiveIntegerField(default=0)
    created_by_id = models.CharField(max_length=18)
    created_by_name = models.CharField(max_length=255, blank=True, default="")
    created_at = models.DateTimeField()
    completed_at = models.DateTimeField(null=True)
    first_seen_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    standing = models.CharField(max_length=12)
    step = models.ForeignKey("releases.Step", models.PROTECT, null=True, related_name="+")

    # Written by people, through web.
    explanation = models.TextField(blank=True, default="")
    explained_at = models.DateTimeField(null=True)
    explained_by = models.ForeignKey("governance.User", models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            one_of("standing", Standing, "org_deployment_standing_is_known"),
            models.UniqueConstraint(
                fields=["environment", "remote_id"], name="org_deployment_is_unique"
            ),
            models.CheckConstraint(
                condition=Q(explained_at__isnull=True, explained_by__isnull=True, explanation="")
                | (Q(explained_at__isnull=False, explained_by__isnull=False) & ~Q(explanation="")),
                name="org_deployment_explanation_is_whole",
            ),
        ]
        indexes = [
            models.Index(fields=["environment", "-created_at"], name="org_deployment_newest"),
            models.Index(
                fields=["environment"],
                condition=Q(standing=Standing.UNEXPLAINED.value, explained_at__isnull=True),
                name="org_deployment_unexplained",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.remote_id} in {self.environment_id}"

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to say where this change came from."""
        return self.standing == Standing.UNEXPLAINED and self.explained_at is None


class AuditSample(Entity):
    """A random sample of executions, drawn by a seed so that anybody can draw it again."""

    environment = models.ForeignKey(
        "environments.Environment", models.PROTECT, null=True, related_name="+"
    )
    since = models.DateTimeField()
    until = models.DateTimeField()
    writes_only = models.BooleanField(default=True)
    size = models.PositiveIntegerField()
    seed = models.CharField(max_length=64)
    population = models.PositiveIntegerField()
    population_digest = models.CharField(max_length=71)
    picked = models.JSONField()
    drawn_by = models.ForeignKey("governance.User", models.PROTECT, related_name="+")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(size__gte=1), name="audit_sample_has_a_size"),
            models.CheckConstraint(
                condition=Q(until__gt=models.F("since")), name="audit_sample_has_a_period"
            ),
        ]

    def __str__(self) -> str:
        return f"sample {self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("releases:sample", kwargs={"pk": self.pk})

    @property
    def audit_ref(self) -> str:
        """The name of this sample in history."""
        return f"sample:{self.pk}"

    @property
    def audit_label(self) -> str:
        """How a sentence of history names the sample."""
        return f"sample {self.pk}"
