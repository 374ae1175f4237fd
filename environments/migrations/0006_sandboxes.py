"""Sandboxes, their licences, and requests about them."""

from __future__ import annotations

import uuid
from typing import ClassVar

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models.functions import Lower

import core.clock
import core.fields
from core.migrations import RunSQLFile

PROTECT = django.db.models.deletion.PROTECT
LIVE = ["activating", "approved", "asked", "copying", "starting", "to_activate", "unknown"]


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("environments", "0005_canary"),
        ("governance", "0005_people"),
        ("releases", "0002_floor"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations: ClassVar = [
        migrations.CreateModel(
            name="SandboxReading",
            fields=[
                (
                    "production",
                    models.OneToOneField(
                        on_delete=PROTECT,
                        primary_key=True,
                        related_name="sandbox_reading",
                        serialize=False,
                        to="environments.environment",
                    ),
                ),
                ("requested_at", models.DateTimeField(blank=True, null=True)),
                ("tried_at", models.DateTimeField(blank=True, null=True)),
                ("read_at", models.DateTimeField(blank=True, null=True)),
                ("code", models.CharField(blank=True, default="", max_length=60)),
                ("message", models.TextField(blank=True, default="")),
            ],
        ),
        migrations.CreateModel(
            name="Sandbox",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
                ("info_id", models.CharField(max_length=18)),
                ("name", models.CharField(max_length=10)),
                ("licence_type", models.CharField(max_length=16)),
                ("description", models.TextField(blank=True, default="")),
                ("source_info_id", models.CharField(blank=True, default="", max_length=18)),
                ("template_id", models.CharField(blank=True, default="", max_length=18)),
                ("apex_class_id", models.CharField(blank=True, default="", max_length=18)),
                ("organization_id", models.CharField(blank=True, default="", max_length=18)),
                ("copy_id", models.CharField(blank=True, default="", max_length=18)),
                ("phase", models.CharField(blank=True, default="", max_length=12)),
                ("status", models.CharField(blank=True, default="", max_length=80)),
                ("progress", models.PositiveSmallIntegerField(default=0)),
                ("copy_asked_at", models.DateTimeField(blank=True, null=True)),
                ("copied_at", models.DateTimeField(blank=True, null=True)),
                ("copy_seconds", models.PositiveIntegerField(blank=True, null=True)),
                ("seen_at", models.DateTimeField(default=core.clock.now)),
                ("gone_at", models.DateTimeField(blank=True, null=True)),
                (
                    "environment",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=PROTECT,
                        related_name="+",
                        to="environments.environment",
                    ),
                ),
                (
                    "production",
                    models.ForeignKey(
                        on_delete=PROTECT, related_name="sandboxes", to="environments.environment"
                    ),
                ),
            ],
            options={
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="SandboxLicence",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
                ("licence_type", models.CharField(max_length=16)),
                ("total", models.PositiveIntegerField()),
                ("entered_at", models.DateTimeField(default=core.clock.now)),
                (
                    "entered_by",
                    models.ForeignKey(
                        on_delete=PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "production",
                    models.ForeignKey(
                        on_delete=PROTECT, related_name="+", to="environments.environment"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="SandboxRequest",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
                ("action", models.CharField(max_length=8)),
                ("name", models.CharField(max_length=10)),
                ("licence_type", models.CharField(max_length=16)),
                ("template_id", models.CharField(blank=True, default="", max_length=18)),
                ("apex_class_id", models.CharField(blank=True, default="", max_length=18)),
                ("auto_activate", models.BooleanField(default=True)),
                ("start", models.CharField(max_length=4)),
                ("not_before", models.DateTimeField(blank=True, null=True)),
                ("reason", models.TextField()),
                ("shown", models.JSONField(default=dict)),
                ("digest", core.fields.DigestField()),
                ("needs_nobody", models.BooleanField(default=False)),
                ("state", models.CharField(default="asked", max_length=12)),
                ("settle_wish", models.CharField(blank=True, default="", max_length=8)),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                ("message", models.TextField(blank=True, default="")),
                ("code", models.CharField(blank=True, default="", max_length=60)),
                ("info_id", models.CharField(blank=True, default="", max_length=18)),
                ("known_copy_id", models.CharField(blank=True, default="", max_length=18)),
                ("copy_id", models.CharField(blank=True, default="", max_length=18)),
                ("intended_at", models.DateTimeField(blank=True, null=True)),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("settle_intended_at", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                ("missing_since", models.DateTimeField(blank=True, null=True)),
                ("progress", models.PositiveSmallIntegerField(default=0)),
                ("status", models.CharField(blank=True, default="", max_length=80)),
                ("expected_seconds", models.PositiveIntegerField(blank=True, null=True)),
                ("new_organization_id", models.CharField(blank=True, default="", max_length=18)),
                ("worker", models.CharField(blank=True, default="", max_length=80)),
                (
                    "environment",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=PROTECT,
                        related_name="sandbox_requests",
                        to="environments.environment",
                    ),
                ),
                (
                    "production",
                    models.ForeignKey(
                        on_delete=PROTECT, related_name="+", to="environments.environment"
                    ),
                ),
                (
                    "requested_by",
                    models.ForeignKey(
                        on_delete=PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "sandbox",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=PROTECT,
                        related_name="requests",
                        to="environments.sandbox",
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=PROTECT,
                        related_name="+",
                        to="environments.sandbox",
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=PROTECT,
                        related_name="+",
                        to="governance.team",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.AddConstraint(
            "sandbox",
            models.UniqueConstraint(fields=("production", "info_id"), name="sandbox_is_unique"),
        ),
        migrations.AddConstraint(
            "sandbox",
            models.UniqueConstraint(
                condition=models.Q(gone_at=None),
                fields=("environment",),
                name="sandbox_one_per_environment",
            ),
        ),
        migrations.AddConstraint(
            "sandboxlicence",
            models.UniqueConstraint(
                fields=("production", "licence_type"), name="sandbox_licence_once_per_type"
            ),
        ),
        migrations.AddConstraint(
            "sandboxlicence",
            models.CheckConstraint(
                condition=models.Q(
                    licence_type__in=["developer", "developer_pro", "partial_copy", "full"]
                ),
                name="sandbox_licence_is_known",
            ),
        ),
        migrations.AddConstraint(
            "sandboxrequest",
            models.CheckConstraint(
                condition=models.Q(action__in=["create", "delete", "refresh"]),
                name="sandbox_request_action_is_known",
            ),
        ),
        migrations.AddConstraint(
            "sandboxrequest",
            models.CheckConstraint(
                condition=models.Q(start__in=["at", "now", "soon"]),
                name="sandbox_request_start_is_known",
            ),
        ),
        migrations.AddConstraint(
            "sandboxrequest",
            models.CheckConstraint(
                condition=models.Q(
                    state__in=[
                        "activating",
                        "approved",
                        "asked",
                        "copying",
                        "done",
                        "failed",
                        "lapsed",
                        "reconnect",
                        "rejected",
                        "starting",
                        "to_activate",
                        "unknown",
                        "withdrawn",
                    ]
                ),
                name="sandbox_request_state_is_known",
            ),
        ),
        migrations.AddConstraint(
            "sandboxrequest",
            models.CheckConstraint(
                condition=models.Q(name__regex=r"^[A-Za-z0-9]{1,10}$"),
                name="sandbox_request_name_fits",
            ),
        ),
        migrations.AddConstraint(
            "sandboxrequest",
            models.CheckConstraint(
                condition=models.Q(settle_wish__in=["", "activate", "discard"]),
                name="sandbox_request_wish_is_known",
            ),
        ),
        migrations.AddConstraint(
            "sandboxrequest",
            models.CheckConstraint(
                condition=models.Q(action="create", sandbox=None)
                | (~models.Q(action="create") & models.Q(sandbox__isnull=False)),
                name="sandbox_request_has_its_sandbox",
            ),
        ),
        migrations.AddConstraint(
            "sandboxrequest",
            models.UniqueConstraint(
                "production",
                Lower("name"),
                condition=models.Q(state__in=LIVE),
                name="sandbox_request_one_is_live",
            ),
        ),
        migrations.AddConstraint(
            "sandboxrequest",
            models.UniqueConstraint(
                condition=models.Q(state__in=LIVE),
                fields=("environment",),
                name="sandbox_request_one_per_environment",
            ),
        ),
        RunSQLFile("environments/0006_sandboxes.sql"),
    ]
