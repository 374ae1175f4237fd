"""Freezes, what is asked about them, and other people's calendars.

A freeze is written once: afterwards it may only last longer, or be lifted. Lifting or shortening
one that covers a protected environment needs a satisfied approval request, which a trigger in
``environments/sql`` demands as well. Maintenance is what an imported calendar says; it holds
nothing until a person makes a freeze of it, so an import can neither stop nor release anything.
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from core.fields import DigestField, one_of
from core.models import Entity
from environments.models.orgs import Environment, Track
from environments.rules_calendar import Every, Plan, recurrence_words
from environments.states import FreezeKind, FreezeScope, FreezeSource, ImportState
from governance.models import Team, User


class CalendarSource(Entity):
    """A calendar in iCalendar form that somebody uploaded, or that a worker fetches by address."""

    name = models.CharField(max_length=80)
    url = models.CharField(max_length=500, blank=True, default="")
    content = models.TextField(blank=True, default="")
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    requested_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True, blank=True)

    # Written by build workers.
    state = models.CharField(max_length=12, default=ImportState.REQUESTED.value)
    message = models.TextField(blank=True, default="")
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["name", "pk"]
        constraints: ClassVar = [
            one_of("state", ImportState, "calendar_source_state_is_known"),
            models.CheckConstraint(
                condition=Q(url="") | Q(url__startswith="https://"),
                name="calendar_source_is_fetched_safely",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def audit_label(self) -> str:
        """Name the calendar in a sentence of history."""
        return self.name


class Maintenance(Entity):
    """One entry of an imported calendar, known by its UID. Written by build workers only."""

    PREFIX = "M"

    source = models.ForeignKey(CalendarSource, on_delete=models.PROTECT, related_name="entries")
    uid = models.CharField(max_length=255)
    name = models.CharField(max_length=120)
    description = models.TextField(blank=True, default="")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    zone = models.CharField(max_length=64)
    gone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["starts_at", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["source", "uid"], name="maintenance_uid_is_unique"),
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")), name="maintenance_has_a_length"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["starts_at"], name="maintenance_by_start")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Return the page of this entry."""
        return reverse("environments:maintenance", kwargs={"pk": self.pk})

    @property
    def audit_label(self) -> str:
        """Name the entry in a sentence of history."""
        return self.name


class Freeze(Entity):
    """No deployments from–to: everywhere, or on a track, an environment or for a team."""

    PREFIX = "F"

    kind = models.CharField(max_length=8, default=FreezeKind.FREEZE.value)
    scope = models.CharField(max_length=12)
    track = models.ForeignKey(
        Track, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    environment = models.ForeignKey(
        Environment, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    team = models.ForeignKey(
        Team, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    name = models.CharField(max_length=80)
    reason = models.TextField()
    zone = models.CharField(max_length=64)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)
    every = models.CharField(max_length=5, blank=True, default="")
    step = models.PositiveSmallIntegerField(default=1)
    last_day = models.DateField(null=True, blank=True)
    source = models.CharField(max_length=8, default=FreezeSource.PERSON.value)
    source_key = models.CharField(max_length=80, blank=True, default="")
    maintenance = models.ForeignKey(
        Maintenance, on_delete=models.PROTECT, related_name="freezes", null=True, blank=True
    )
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_by = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    lift_reason = models.TextField(blank=True, default="")

    class Meta:
        ordering: ClassVar = ["starts_at", "pk"]
        constraints: ClassVar = [
            one_of("kind", FreezeKind, "freeze_kind_is_known"),
            one_of("scope", FreezeScope, "freeze_scope_is_known"),
            one_of("source", FreezeSource, "freeze_source_is_known"),
            one_of("every", Every, "freeze_recurrence_is_known"),
            models.CheckConstraint(
                condition=(
                    Q(scope__in=["everything", "protected"])
                    & Q(track=None, environment=None, team=None)
                )
                | Q(scope="track", track__isnull=False, environment=None, team=None)
                | Q(scope="environment", environment__isnull=False, track=None, team=None)
                | Q(scope="team", team__isnull=False, track=None, environment=None),
                name="freeze_scope_names_its_target",
            ),
            models.CheckConstraint(
                condition=Q(ends_at=None) | Q(ends_at__gt=F("starts_at")),
                name="freeze_has_a_length",
            ),
            models.CheckConstraint(
                condition=Q(kind="stop") | Q(ends_at__isnull=False), name="freeze_has_an_end"
            ),
            models.CheckConstraint(
                condition=Q(every="", last_day=None) | (~Q(every="") & Q(ends_at__isnull=False)),
                name="freeze_recurs_with_an_end",
            ),
            models.CheckConstraint(
                condition=Q(step__gte=1, step__lte=52), name="freeze_step_is_small"
            ),
            models.CheckConstraint(
                condition=Q(lifted_at=None, lifted_by=None)
                | Q(lifted_at__isnull=False, lifted_by__isnull=False),
                name="freeze_lifted_by_somebody",
            ),
            models.UniqueConstraint(
                fields=["kind"],
                condition=Q(kind="stop", lifted_at=None),
                name="freeze_one_stop_stands",
            ),
            models.UniqueConstraint(
                fields=["source_key"],
                condition=~Q(source_key="") & Q(lifted_at=None),
                name="freeze_source_key_is_unique",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["starts_at"], condition=Q(lifted_at=None), name="freeze_not_lifted"
            )
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Return the page of this freeze."""
        return reverse("environments:freeze", kwargs={"pk": self.pk})

    @property
    def audit_label(self) -> str:
        """Name the freeze in a sentence of history."""
        return self.name

    @property
    def plan(self) -> Plan:
        """When it holds, for the rules."""
        return Plan(
            self.starts_at, self.ends_at, self.zone, Every(self.every), self.step, self.last_day
        )

    @property
    def recurrence(self) -> str:
        """How it comes back, in words; empty when it does not."""
        return recurrence_words(Every(self.every), self.step, self.last_day)

    @property
    def is_stop(self) -> bool:
        """Whether this is an emergency stop."""
        return self.kind == FreezeKind.STOP

    @property
    def target(self) -> str:
        """What it covers, in words."""
        if self.scope == FreezeScope.TRACK and self.track is not None:
            return (
                "production’s track" if self.track.is_production else f"the track of {self.track}"
            )
        if self.scope == FreezeScope.ENVIRONMENT and self.environment is not None:
            return str(self.environment)
        if self.scope == FreezeScope.TEAM and self.team is not None:
            return f"everything of {self.team}"
        return "everything" if self.scope == FreezeScope.EVERYTHING else "protected environments"

    def over(self, now: datetime) -> bool:
        """Say whether it is lifted or will never hold again."""
        return self.lifted_at is not None or self.plan.over(now)


class FreezeLift(Entity):
    """What somebody asks about a freeze: to lift it, or to let it end earlier. Append-only."""

    freeze = models.ForeignKey(Freeze, on_delete=models.PROTECT, related_name="lifts")
    wanted_end = models.DateTimeField(null=True, blank=True)
    reason = models.TextField()
    digest = DigestField()
    requested_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering: ClassVar = ["-pk"]

    def __str__(self) -> str:
        return f"lift of {self.freeze_id}"
