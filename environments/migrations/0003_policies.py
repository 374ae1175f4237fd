"""Policies that environments inherit from their stage."""

from __future__ import annotations

import uuid
from typing import ClassVar

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import core.clock

STAGES = ["CANARY", "CI", "DEV", "PRD", "PRE-PRD", "TEST"]
PROTECT = django.db.models.deletion.PROTECT


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("environments", "0002_calendar"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations: ClassVar = [
        migrations.AddField("environment", "follows_stage", models.BooleanField(default=True)),
        migrations.CreateModel(
            name="StagePolicy",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
                ("track_kind", models.CharField(max_length=12)),
                ("stage", models.CharField(max_length=8)),
                (
                    "policy",
                    models.ForeignKey(on_delete=PROTECT, related_name="+", to="governance.policy"),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(track_kind__in=["developer", "production"]),
                        name="stage_policy_track_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(stage__in=STAGES), name="stage_policy_stage_is_known"
                    ),
                    models.UniqueConstraint(
                        fields=["track_kind", "stage"], name="stage_policy_one_per_stage"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PolicyAssignment",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
                ("track_kind", models.CharField(max_length=12)),
                ("stage", models.CharField(max_length=8)),
                ("follows_stage", models.BooleanField(default=False)),
                ("reason", models.TextField(blank=True)),
                ("state", models.CharField(default="asked", max_length=12)),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "asked_by",
                    models.ForeignKey(
                        on_delete=PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "environment",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=PROTECT,
                        related_name="assignments",
                        to="environments.environment",
                    ),
                ),
                (
                    "new_version",
                    models.ForeignKey(
                        on_delete=PROTECT, related_name="+", to="governance.policyversion"
                    ),
                ),
                (
                    "old_version",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=PROTECT,
                        related_name="+",
                        to="governance.policyversion",
                    ),
                ),
                (
                    "policy",
                    models.ForeignKey(on_delete=PROTECT, related_name="+", to="governance.policy"),
                ),
            ],
            options={
                "ordering": ["-id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            state__in=["applied", "asked", "lapsed", "rejected", "withdrawn"]
                        ),
                        name="policy_assignment_state_is_known",
                    )
                ],
            },
        ),
    ]
