"""Tracks, environments, their credentials, leases and snapshots.

Two hands write an environment. People, through web: what they typed (name, address, expected
organisation). Workers: what they saw in the org (organisation, sandbox or production, what it
holds). Column grants keep the hands apart, and triggers in ``environments/sql`` clear everything
seen, and discard the credential, when the typed address changes.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Left, Lower
from django.urls import reverse

from core import clock
from core.fields import DigestField, one_of
from core.models import Entity
from environments.states import (
    STAGES,
    Connection,
    Flow,
    HoldState,
    Kind,
    Licence,
    SnapshotState,
    Stage,
    TrackKind,
)
from governance.models import Policy, Team, User

DEFAULT_API_VERSION = "64.0"
SANDBOX_LICENCES = [str(licence) for licence in Licence if licence is not Licence.PRODUCTION]


class Track(Entity):
    """The ordered stages of a team, or of production."""

    team = models.OneToOneField(
        Team, on_delete=models.PROTECT, related_name="track", null=True, blank=True
    )
    kind = models.CharField(max_length=12)

    class Meta:
        constraints: ClassVar = [
            one_of("kind", TrackKind, "track_kind_is_known"),
            models.UniqueConstraint(
                fields=["kind"],
                condition=Q(kind=TrackKind.PRODUCTION.value),
                name="track_one_leads_to_production",
            ),
            models.CheckConstraint(
                condition=Q(kind=TrackKind.PRODUCTION.value, team=None)
                | Q(kind=TrackKind.DEVELOPER.value, team__isnull=False),
                name="track_of_a_team_or_of_production",
            ),
        ]

    def __str__(self) -> str:
        return "Production" if self.is_production else str(self.team)

    @property
    def is_production(self) -> bool:
        """Tell whether this track ends in the production org."""
        return self.kind == TrackKind.PRODUCTION

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stages in order of promotion."""
        return STAGES[TrackKind(self.kind)]


class EnvironmentQuerySet(models.QuerySet["Environment"]):
    """Environments as lists."""

    def live(self) -> EnvironmentQuerySet:
        """Leave out the retired ones, and the canary, which is no org."""
        return self.filter(retired_at=None).exclude(stage=Stage.CANARY)


class Environment(Entity):
    """A Salesforce org that fills a stage."""

    PREFIX = "E"

    track = models.ForeignKey(Track, on_delete=models.PROTECT, related_name="environments")
    stage = models.CharField(max_length=8)
    kind = models.CharField(max_length=12)

    # Written by people.
    name = models.CharField(max_length=60)
    licence_type = models.CharField(max_length=16)
    login_host = models.CharField(max_length=255)
    expected_organization_id = models.CharField(max_length=18)
    policy = models.ForeignKey(
        Policy, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    # True: the policy is that of the stage and changes with it.
    follows_stage = models.BooleanField(default=True)
    api_version = models.CharField(max_length=5, default=DEFAULT_API_VERSION)
    check_requested_at = models.DateTimeField(null=True, blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)

    # Written by deploy workers only.
    organization_id = models.CharField(max_length=18, null=True, blank=True)
    is_sandbox = models.BooleanField(null=True, blank=True)
    organization_name = models.CharField(max_length=80, blank=True, default="")
    organization_type = models.CharField(max_length=80, blank=True, default="")
    instance_url = models.CharField(max_length=255, blank=True, default="")
    instance_name = models.CharField(max_length=80, blank=True, default="")
    newest_api_version = models.CharField(max_length=5, blank=True, default="")
    limits = models.JSONField(default=dict, blank=True)
    checked_at = models.DateTimeField(null=True, blank=True)
    connection = models.CharField(max_length=12, default=Connection.UNCHECKED.value)
    connection_code = models.CharField(max_length=60, blank=True, default="")
    connection_message = models.TextField(blank=True, default="")
    holds_digest = models.TextField(blank=True, default="")
    holds_label = models.CharField(max_length=80, blank=True, default="")
    holds_ref = models.CharField(max_length=40, blank=True, default="")
    holds_since = models.DateTimeField(null=True, blank=True)
    hold_state = models.CharField(max_length=12, default=HoldState.EMPTY.value)
    hold_note = models.CharField(max_length=120, blank=True, default="")

    objects = EnvironmentQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            one_of("stage", Stage, "environment_stage_is_known"),
            one_of("kind", Kind, "environment_kind_is_known"),
            one_of("connection", Connection, "environment_connection_is_known"),
            one_of("hold_state", HoldState, "environment_hold_state_is_known"),
            models.UniqueConstraint(Lower("name"), name="environment_name_is_unique"),
            models.UniqueConstraint(
                fields=["track", "stage"],
                condition=Q(retired_at=None),
                name="environment_one_per_stage",
            ),
            models.UniqueConstraint(
                fields=["organization_id"],
                condition=Q(retired_at=None),
                name="environment_organization_is_unique",
            ),
            # The first 15 characters are the id, the last three say how its letters are written.
            # An environment that nobody connected yet takes its place too; the canary is no org.
            models.UniqueConstraint(
                Left("expected_organization_id", 15),
                condition=Q(retired_at=None) & ~Q(stage=Stage.CANARY.value),
                name="environment_expected_organization_is_unique",
            ),
            models.CheckConstraint(
                condition=Q(is_sandbox=None)
                | Q(is_sandbox=False, kind=Kind.PRODUCTION.value)
                | Q(is_sandbox=True, kind=Kind.SANDBOX.value),
                name="environment_is_what_its_stage_says",
            ),
            models.UniqueConstraint(
                fields=["kind"],
                condition=Q(retired_at=None, kind=Kind.PRODUCTION.value),
                name="environment_one_production_org",
            ),
            models.CheckConstraint(
                condition=Q(kind=Kind.PRODUCTION.value, stage=Stage.PRD.value)
                | (Q(kind=Kind.SANDBOX.value) & ~Q(stage=Stage.PRD.value)),
                name="environment_prd_is_production",
            ),
            models.CheckConstraint(
                condition=Q(kind=Kind.PRODUCTION.value, licence_type=Licence.PRODUCTION.value)
                | Q(kind=Kind.SANDBOX.value, licence_type__in=SANDBOX_LICENCES),
                name="environment_licence_fits_kind",
            ),
            models.CheckConstraint(
                condition=Q(expected_organization_id__regex=r"^00D[A-Za-z0-9]{15}$"),
                name="environment_expected_organization_is_an_id",
            ),
            models.CheckConstraint(
                condition=Q(organization_id=None)
                | Q(organization_id=models.F("expected_organization_id")),
                name="environment_organization_is_the_expected",
            ),
            models.CheckConstraint(
                condition=Q(api_version__regex=r"^[0-9]{2,3}\.0$"),
                name="environment_api_version_is_a_number",
            ),
            models.CheckConstraint(
                condition=Q(holds_digest="") | Q(holds_digest__regex=r"^sha256:[0-9a-f]{64}$"),
                name="environment_holds_a_digest",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Return the environment's page."""
        return reverse("environments:detail", kwargs={"pk": self.pk})

    @property
    def audit_label(self) -> str:
        """Name the environment in a sentence of history."""
        return self.name

    @property
    def protected(self) -> bool:
        """Whether writes need an approval. Derived, never typed (design 5).

        True on the production track, and wherever the org itself says that it is no sandbox.
        """
        return self.track.is_production or self.is_sandbox is False

    @property
    def team(self) -> Team | None:
        """The team of the track; None on the production track."""
        return self.track.team

    @property
    def licence(self) -> str:
        """The licence type as people read it."""
        return Licence(self.licence_type).title


class Credential(models.Model):
    """How to sign in to an environment's org, sealed to the deploy workers.

    A credential lives as long as the address it was entered for: a trigger deletes it when the
    login host or the expected organisation of its environment changes.
    """

    environment = models.OneToOneField(
        Environment, on_delete=models.PROTECT, primary_key=True, related_name="credential"
    )
    flow = models.CharField(max_length=20)
    purpose = models.CharField(max_length=20)
    key_id = models.CharField(max_length=64)
    ciphertext = models.BinaryField()
    client_id = models.CharField(max_length=256)
    username = models.CharField(max_length=120, blank=True, default="")
    set_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    set_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints: ClassVar = [one_of("flow", Flow, "credential_flow_is_known")]

    def __str__(self) -> str:
        return f"credential of {self.environment_id}"

    @property
    def flow_title(self) -> str:
        """The flow as people read it."""
        return Flow(self.flow).title


class Lease(models.Model):
    """An environment in use by one operation. The row is the lock: one per environment."""

    environment = models.OneToOneField(
        Environment, on_delete=models.PROTECT, primary_key=True, related_name="lease"
    )
    holder_kind = models.CharField(max_length=40)
    holder_id = models.BigIntegerField()
    label = models.CharField(max_length=80, blank=True, default="")
    taken_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return f"{self.environment_id} in use by {self.holder_kind} {self.holder_id}"


class Snapshot(Entity):
    """An org's metadata as retrieved at a moment."""

    PREFIX = "S"

    environment = models.ForeignKey(Environment, on_delete=models.PROTECT, related_name="snapshots")
    purpose = models.CharField(max_length=80)
    manifest = models.JSONField()
    api_version = models.CharField(max_length=5, blank=True, default="")
    """The version it is read at; empty: as the environment is asked."""
    requested_by = models.CharField(max_length=150)
    wake_kind = models.CharField(max_length=80, blank=True, default="")
    wake_subject_id = models.BigIntegerField(null=True, blank=True)

    # Written by deploy workers.
    state = models.CharField(max_length=12, default=SnapshotState.REQUESTED.value)
    remote_id = models.CharField(max_length=18, blank=True, default="")
    started_at = models.DateTimeField(null=True, blank=True)
    taken_at = models.DateTimeField(null=True, blank=True)
    organization_id = models.CharField(max_length=18, blank=True, default="")
    blob = models.CharField(max_length=64, blank=True, default="")
    component_count = models.PositiveIntegerField(null=True, blank=True)
    # None until the zip has arrived; the field's type knows only digests that are there.
    content_digest = DigestField(null=True, blank=True)  # type: ignore[misc]
    messages = models.JSONField(default=list, blank=True)
    message = models.TextField(blank=True, default="")

    # Written by build workers.
    history_commit = models.CharField(max_length=40, blank=True, default="")

    class Meta:
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [
            models.Index(fields=["environment", "-id"], name="snapshot_by_environment")
        ]
        constraints: ClassVar = [
            one_of("state", SnapshotState, "snapshot_state_is_known"),
            models.CheckConstraint(
                condition=~Q(state=SnapshotState.DONE.value)
                | (Q(content_digest__isnull=False) & ~Q(blob="") & Q(taken_at__isnull=False)),
                name="snapshot_done_has_content",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.public_id} of {self.environment_id}"

    def get_absolute_url(self) -> str:
        """Return the snapshot's page."""
        return reverse("environments:snapshot", kwargs={"pk": self.pk})

    @property
    def settled(self) -> bool:
        """Whether the retrieve has ended, well or not."""
        return self.state in (SnapshotState.DONE, SnapshotState.FAILED)

    @property
    def zip_sha(self) -> str:
        """The digest of the zip as the org sent it; empty before it arrived."""
        return f"sha256:{self.blob}" if self.blob else ""
