"""Evidence packs, what orgs report themselves, and samples."""

from __future__ import annotations

import uuid
from typing import ClassVar

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import core.clock


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("releases", "0003_gate"),
        ("environments", "0003_policies"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations: ClassVar = [
        migrations.CreateModel(
            name="AuditSample",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
                ("since", models.DateTimeField()),
                ("until", models.DateTimeField()),
                ("writes_only", models.BooleanField(default=True)),
                ("size", models.PositiveIntegerField()),
                ("seed", models.CharField(max_length=64)),
                ("population", models.PositiveIntegerField()),
                ("population_digest", models.CharField(max_length=71)),
                ("picked", models.JSONField()),
                (
                    "drawn_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "environment",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="environments.environment",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("size__gte", 1)), name="audit_sample_has_a_size"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("until__gt", models.F("since"))),
                        name="audit_sample_has_a_period",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="EvidencePack",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
                ("scope", models.CharField(max_length=8)),
                ("since", models.DateTimeField(null=True)),
                ("until", models.DateTimeField(null=True)),
                ("zone", models.CharField(max_length=64)),
                ("state", models.CharField(default="queued", max_length=8)),
                ("stage", models.CharField(blank=True, default="", max_length=80)),
                ("done", models.PositiveIntegerField(default=0)),
                ("total", models.PositiveIntegerField(default=0)),
                ("message", models.TextField(blank=True, default="")),
                ("blob", models.CharField(blank=True, default="", max_length=64)),
                ("size", models.BigIntegerField(default=0)),
                ("manifest_digest", models.CharField(blank=True, default="", max_length=71)),
                ("counts", models.JSONField(default=dict)),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "environment",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="environments.environment",
                    ),
                ),
                (
                    "release",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="evidence_packs",
                        to="releases.release",
                    ),
                ),
                (
                    "requested_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("scope__in", ["period", "release"])),
                        name="evidence_pack_scope_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["failed", "making", "queued", "ready"])),
                        name="evidence_pack_state_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("release__isnull", False), ("scope", "release")),
                            models.Q(
                                ("release__isnull", True),
                                ("scope", "period"),
                                ("since__isnull", False),
                                ("until__gt", models.F("since")),
                            ),
                            _connector="OR",
                        ),
                        name="evidence_pack_has_a_subject",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "ready"), _negated=True),
                            models.Q(("blob", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="evidence_pack_ready_has_a_file",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="OrgDeployment",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("organization_id", models.CharField(max_length=18)),
                ("remote_id", models.CharField(max_length=18)),
                ("status", models.CharField(max_length=40)),
                ("check_only", models.BooleanField()),
                ("components_total", models.PositiveIntegerField(default=0)),
                ("created_by_id", models.CharField(max_length=18)),
                ("created_by_name", models.CharField(blank=True, default="", max_length=255)),
                ("created_at", models.DateTimeField()),
                ("completed_at", models.DateTimeField(null=True)),
                ("first_seen_at", models.DateTimeField()),
                ("seen_at", models.DateTimeField()),
                ("standing", models.CharField(max_length=12)),
                ("explanation", models.TextField(blank=True, default="")),
                ("explained_at", models.DateTimeField(null=True)),
                (
                    "environment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reported_deployments",
                        to="environments.environment",
                    ),
                ),
                (
                    "explained_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "step",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="releases.step",
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at", "-id"],
                "indexes": [
                    models.Index(
                        fields=["environment", "-created_at"], name="org_deployment_newest"
                    ),
                    models.Index(
                        condition=models.Q(
                            ("explained_at__isnull", True), ("standing", "unexplained")
                        ),
                        fields=["environment"],
                        name="org_deployment_unexplained",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("standing__in", ["matched", "no_effect", "pending", "unexplained"])
                        ),
                        name="org_deployment_standing_is_known",
                    ),
                    models.UniqueConstraint(
                        fields=("environment", "remote_id"), name="org_deployment_is_unique"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("explained_at__isnull", True),
                                ("explained_by__isnull", True),
                                ("explanation", ""),
                            ),
                            models.Q(
                                ("explained_at__isnull", False),
                                ("explained_by__isnull", False),
                                models.Q(("explanation", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="org_deployment_explanation_is_whole",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="OrgObservation",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("state", models.CharField(max_length=8)),
                ("organization_id", models.CharField(blank=True, default="", max_length=18)),
                ("since", models.DateTimeField()),
                ("taken_at", models.DateTimeField()),
                ("listed", models.PositiveIntegerField(default=0)),
                ("message", models.TextField(blank=True, default="")),
                (
                    "environment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="observations",
                        to="environments.environment",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [models.Index(fields=["environment", "-id"], name="observation_newest")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["done", "failed"])),
                        name="org_observation_state_is_known",
                    )
                ],
            },
        ),
    ]
