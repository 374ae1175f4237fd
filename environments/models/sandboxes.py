"""Sandboxes as the production org lists them, and what people ask to be done with them.

Deploy workers write what the platform says; people write who owns a sandbox, what the contract
allows and their requests. Triggers in ``environments/sql/0006_sandboxes.sql`` hold the states of a
request, demand the sign-offs before it starts, and take a refreshed environment's credential away.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.urls import reverse

from core import clock
from core.fields import DigestField, one_of
from core.models import Entity
from environments.models.orgs import SANDBOX_LICENCES, Environment
from environments.states import (
    SANDBOX_LIVE,
    Licence,
    SandboxAction,
    SandboxStart,
    SandboxState,
)
from governance.models import Team, User

LIVE = sorted(str(state) for state in SANDBOX_LIVE)


class SandboxReading(models.Model):
    """When the sandboxes of a production org were read, and what went wrong."""

    production = models.OneToOneField(
        Environment, on_delete=models.PROTECT, primary_key=True, related_name="sandbox_reading"
    )
    requested_at = models.DateTimeField(null=True, blank=True)
    tried_at = models.DateTimeField(null=True, blank=True)
    read_at = models.DateTimeField(null=True, blank=True)
    code = models.CharField(max_length=60, blank=True, default="")
    message = models.TextField(blank=True, default="")

    def __str__(self) -> str:
        return f"sandboxes of {self.production_id}"


class SandboxLicence(Entity):
    """How many sandboxes of a type the contract allows, as somebody entered it."""

    production = models.ForeignKey(Environment, on_delete=models.PROTECT, related_name="+")
    licence_type = models.CharField(max_length=16)
    total = models.PositiveIntegerField()
    entered_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    entered_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["production", "licence_type"], name="sandbox_licence_once_per_type"
            ),
            models.CheckConstraint(
                condition=Q(licence_type__in=SANDBOX_LICENCES), name="sandbox_licence_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.total} {self.licence_type}"


class Sandbox(Entity):
    """A sandbox as the production org listed it when it was last read."""

    production = models.ForeignKey(Environment, on_delete=models.PROTECT, related_name="sandboxes")
    info_id = models.CharField(max_length=18)
    name = models.CharField(max_length=10)
    licence_type = models.CharField(max_length=16)
    description = models.TextField(blank=True, default="")
    source_info_id = models.CharField(max_length=18, blank=True, default="")
    template_id = models.CharField(max_length=18, blank=True, default="")
    apex_class_id = models.CharField(max_length=18, blank=True, default="")
    organization_id = models.CharField(max_length=18, blank=True, default="")
    copy_id = models.CharField(max_length=18, blank=True, default="")
    phase = models.CharField(max_length=12, blank=True, default="")
    status = models.CharField(max_length=80, blank=True, default="")
    progress = models.PositiveSmallIntegerField(default=0)
    # When the platform last took an order to copy it: what its intervals count from.
    copy_asked_at = models.DateTimeField(null=True, blank=True)
    copied_at = models.DateTimeField(null=True, blank=True)
    copy_seconds = models.PositiveIntegerField(null=True, blank=True)
    seen_at = models.DateTimeField(default=clock.now)
    gone_at = models.DateTimeField(null=True, blank=True)
    environment = models.ForeignKey(
        Environment, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )

    class Meta:
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["production", "info_id"], name="sandbox_is_unique"),
            models.UniqueConstraint(
                fields=["environment"],
                condition=Q(gone_at=None),
                name="sandbox_one_per_environment",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def licence(self) -> str:
        """The licence type as people read it."""
        return Licence(self.licence_type).title if self.is_known_type else self.licence_type

    @property
    def is_known_type(self) -> bool:
        """Whether Gatehouse knows this licence type."""
        return self.licence_type in SANDBOX_LICENCES


class SandboxRequest(Entity):
    """Somebody asks for a refresh, a new sandbox or the end of one; decided, then carried out."""

    PREFIX = "Q"

    production = models.ForeignKey(Environment, on_delete=models.PROTECT, related_name="+")
    action = models.CharField(max_length=8)
    name = models.CharField(max_length=10)
    licence_type = models.CharField(max_length=16)
    sandbox = models.ForeignKey(
        Sandbox, on_delete=models.PROTECT, related_name="requests", null=True, blank=True
    )
    environment = models.ForeignKey(
        Environment,
        on_delete=models.PROTECT,
        related_name="sandbox_requests",
        null=True,
        blank=True,
    )
    team = models.ForeignKey(
        Team, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    source = models.ForeignKey(
        Sandbox, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    template_id = models.CharField(max_length=18, blank=True, default="")
    apex_class_id = models.CharField(max_length=18, blank=True, default="")
    auto_activate = models.BooleanField(default=True)
    start = models.CharField(max_length=4)
    not_before = models.DateTimeField(null=True, blank=True)
    reason = models.TextField()
    # What the form showed, and what is decided on.
    shown = models.JSONField(default=dict)
    digest = DigestField()
    needs_nobody = models.BooleanField(default=False)
    requested_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=12, default=SandboxState.ASKED.value)
    settle_wish = models.CharField(max_length=8, blank=True, default="")
    closed_at = models.DateTimeField(null=True, blank=True)
    message = models.TextField(blank=True, default="")
    code = models.CharField(max_length=60, blank=True, default="")

    # Written by deploy workers.
    info_id = models.CharField(max_length=18, blank=True, default="")
    known_copy_id = models.CharField(max_length=18, blank=True, default="")
    copy_id = models.CharField(max_length=18, blank=True, default="")
    intended_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    settle_intended_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    missing_since = models.DateTimeField(null=True, blank=True)
    progress = models.PositiveSmallIntegerField(default=0)
    status = models.CharField(max_length=80, blank=True, default="")
    expected_seconds = models.PositiveIntegerField(null=True, blank=True)
    new_organization_id = models.CharField(max_length=18, blank=True, default="")
    worker = models.CharField(max_length=80, blank=True, default="")

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            one_of("action", SandboxAction, "sandbox_request_action_is_known"),
            one_of("start", SandboxStart, "sandbox_request_start_is_known"),
            one_of("state", SandboxState, "sandbox_request_state_is_known"),
            models.CheckConstraint(
                condition=Q(name__regex=r"^[A-Za-z0-9]{1,10}$"), name="sandbox_request_name_fits"
            ),
            models.CheckConstraint(
                condition=Q(settle_wish__in=["", "activate", "discard"]),
                name="sandbox_request_wish_is_known",
            ),
            models.CheckConstraint(
                condition=Q(action=SandboxAction.CREATE.value, sandbox=None)
                | (~Q(action=SandboxAction.CREATE.value) & Q(sandbox__isnull=False)),
                name="sandbox_request_has_its_sandbox",
            ),
            models.UniqueConstraint(
                "production",
                Lower("name"),
                condition=Q(state__in=LIVE),
                name="sandbox_request_one_is_live",
            ),
            models.UniqueConstraint(
                fields=["environment"],
                condition=Q(state__in=LIVE),
                name="sandbox_request_one_per_environment",
            ),
        ]

    def __str__(self) -> str:
        return self.words

    def get_absolute_url(self) -> str:
        """Return the request's page."""
        return reverse("environments:sandbox_request", kwargs={"pk": self.pk})

    @property
    def words(self) -> str:
        """What is asked, completing "approved …" in a sentence."""
        what = str(self.environment) if self.environment is not None else f"sandbox {self.name}"
        return {
            SandboxAction.REFRESH.value: f"the refresh of {what}",
            SandboxAction.CREATE.value: f"the new sandbox {self.name}",
            SandboxAction.DELETE.value: f"the deletion of {what}",
        }[self.action]

    @property
    def is_live(self) -> bool:
        """Whether it still waits or is under way."""
        return self.state in SANDBOX_LIVE

    @property
    def audit_label(self) -> str:
        """Name the request in a sentence of history."""
        return f"{self.public_id} ({self.words})"
