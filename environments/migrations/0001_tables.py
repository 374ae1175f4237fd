"""The tables of environments and their guards."""

import uuid

import django.db.models.deletion
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models

import core.clock
import core.fields
from core.migrations import RunSQLFile


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("governance", "0001_tables"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Environment",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
                ("stage", models.CharField(max_length=8)),
                ("kind", models.CharField(max_length=12)),
                ("name", models.CharField(max_length=60)),
                ("licence_type", models.CharField(max_length=16)),
                ("login_host", models.CharField(max_length=255)),
                ("expected_organization_id", models.CharField(max_length=18)),
                ("api_version", models.CharField(default="64.0", max_length=5)),
                ("check_requested_at", models.DateTimeField(blank=True, null=True)),
                ("retired_at", models.DateTimeField(blank=True, null=True)),
                ("organization_id", models.CharField(blank=True, max_length=18, null=True)),
                ("is_sandbox", models.BooleanField(blank=True, null=True)),
                ("organization_name", models.CharField(blank=True, default="", max_length=80)),
                ("organization_type", models.CharField(blank=True, default="", max_length=80)),
                ("instance_url", models.CharField(blank=True, default="", max_length=255)),
                ("instance_name", models.CharField(blank=True, default="", max_length=80)),
                ("newest_api_version", models.CharField(blank=True, default="", max_length=5)),
                ("limits", models.JSONField(blank=True, default=dict)),
                ("checked_at", models.DateTimeField(blank=True, null=True)),
                ("connection", models.CharField(default="unchecked", max_length=12)),
                ("connection_code", models.CharField(blank=True, default="", max_length=60)),
                ("connection_message", models.TextField(blank=True, default="")),
                ("holds_digest", models.TextField(blank=True, default="")),
                ("holds_label", models.CharField(blank=True, default="", max_length=80)),
                ("holds_ref", models.CharField(blank=True, default="", max_length=40)),
                ("holds_since", models.DateTimeField(blank=True, null=True)),
                ("hold_state", models.CharField(default="empty", max_length=12)),
                ("hold_note", models.CharField(blank=True, default="", max_length=120)),
                (
                    "policy",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="governance.policy",
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="Lease",
            fields=[
                (
                    "environment",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="lease",
                        serialize=False,
                        to="environments.environment",
                    ),
                ),
                ("holder_kind", models.CharField(max_length=40)),
                ("holder_id", models.BigIntegerField()),
                ("label", models.CharField(blank=True, default="", max_length=80)),
                ("taken_at", models.DateTimeField(default=core.clock.now)),
            ],
        ),
        migrations.CreateModel(
            name="Track",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
                ("kind", models.CharField(max_length=12)),
                (
                    "team",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="track",
                        to="governance.team",
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="environment",
            name="track",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="environments",
                to="environments.track",
            ),
        ),
        migrations.CreateModel(
            name="Credential",
            fields=[
                (
                    "environment",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="credential",
                        serialize=False,
                        to="environments.environment",
                    ),
                ),
                ("flow", models.CharField(max_length=20)),
                ("purpose", models.CharField(max_length=20)),
                ("key_id", models.CharField(max_length=64)),
                ("ciphertext", models.BinaryField()),
                ("client_id", models.CharField(max_length=256)),
                ("username", models.CharField(blank=True, default="", max_length=120)),
                ("set_at", models.DateTimeField(default=core.clock.now)),
                (
                    "set_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Snapshot",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
                ("purpose", models.CharField(max_length=80)),
                ("manifest", models.JSONField()),
                ("requested_by", models.CharField(max_length=150)),
                ("wake_kind", models.CharField(blank=True, default="", max_length=80)),
                ("wake_subject_id", models.BigIntegerField(blank=True, null=True)),
                ("state", models.CharField(default="requested", max_length=12)),
                ("remote_id", models.CharField(blank=True, default="", max_length=18)),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("taken_at", models.DateTimeField(blank=True, null=True)),
                ("organization_id", models.CharField(blank=True, default="", max_length=18)),
                ("blob", models.CharField(blank=True, default="", max_length=64)),
                ("component_count", models.PositiveIntegerField(blank=True, null=True)),
                ("content_digest", core.fields.DigestField(blank=True, null=True)),
                ("messages", models.JSONField(blank=True, default=list)),
                ("message", models.TextField(blank=True, default="")),
                ("history_commit", models.CharField(blank=True, default="", max_length=40)),
                (
                    "environment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="snapshots",
                        to="environments.environment",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [
                    models.Index(fields=["environment", "-id"], name="snapshot_by_environment")
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["done", "failed", "requested", "retrieving"])
                        ),
                        name="snapshot_state_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "done"), _negated=True),
                            models.Q(
                                ("content_digest__isnull", False),
                                models.Q(("blob", ""), _negated=True),
                                ("taken_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="snapshot_done_has_content",
                    ),
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="track",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["developer", "production"])),
                name="track_kind_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="track",
            constraint=models.UniqueConstraint(
                condition=models.Q(("kind", "production")),
                fields=("kind",),
                name="track_one_leads_to_production",
            ),
        ),
        migrations.AddConstraint(
            model_name="track",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "production"), ("team", None)),
                    models.Q(("kind", "developer"), ("team__isnull", False)),
                    _connector="OR",
                ),
                name="track_of_a_team_or_of_production",
            ),
        ),
        migrations.AddConstraint(
            model_name="environment",
            constraint=models.CheckConstraint(
                condition=models.Q(("stage__in", ["CI", "DEV", "PRD", "PRE-PRD", "TEST"])),
                name="environment_stage_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="environment",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["production", "sandbox"])),
                name="environment_kind_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="environment",
            constraint=models.CheckConstraint(
                condition=models.Q(("connection__in", ["failed", "ok", "reconnect", "unchecked"])),
                name="environment_connection_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="environment",
            constraint=models.CheckConstraint(
                condition=models.Q(("hold_state__in", ["deployed", "empty", "failed", "unknown"])),
                name="environment_hold_state_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="environment",
            constraint=models.UniqueConstraint(
                django.db.models.functions.text.Lower("name"), name="environment_name_is_unique"
            ),
        ),
        migrations.AddConstraint(
            model_name="environment",
            constraint=models.UniqueConstraint(
                condition=models.Q(("retired_at", None)),
                fields=("track", "stage"),
                name="environment_one_per_stage",
            ),
        ),
        migrations.AddConstraint(
            model_name="environment",
            constraint=models.UniqueConstraint(
                condition=models.Q(("retired_at", None)),
                fields=("organization_id",),
                name="environment_organization_is_unique",
            ),
        ),
        migrations.AddConstraint(
            model_name="environment",
            constraint=models.UniqueConstraint(
                condition=models.Q(("kind", "production"), ("retired_at", None)),
                fields=("kind",),
                name="environment_one_production_org",
            ),
        ),
        migrations.AddConstraint(
            model_name="environment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "production"), ("stage", "PRD")),
                    models.Q(("kind", "sandbox"), models.Q(("stage", "PRD"), _negated=True)),
                    _connector="OR",
                ),
                name="environment_prd_is_production",
            ),
        ),
        migrations.AddConstraint(
            model_name="environment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "production"), ("licence_type", "production")),
                    models.Q(
                        ("kind", "sandbox"),
                        (
                            "licence_type__in",
                            ["developer", "developer_pro", "partial_copy", "full"],
                        ),
                    ),
                    _connector="OR",
                ),
                name="environment_licence_fits_kind",
            ),
        ),
        migrations.AddConstraint(
            model_name="environment",
            constraint=models.CheckConstraint(
                condition=models.Q(("expected_organization_id__regex", "^00D[A-Za-z0-9]{15}$")),
                name="environment_expected_organization_is_an_id",
            ),
        ),
        migrations.AddConstraint(
            model_name="environment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("organization_id", None),
                    ("organization_id", models.F("expected_organization_id")),
                    _connector="OR",
                ),
                name="environment_organization_is_the_expected",
            ),
        ),
        migrations.AddConstraint(
            model_name="environment",
            constraint=models.CheckConstraint(
                condition=models.Q(("api_version__regex", "^[0-9]{2,3}\\.0$")),
                name="environment_api_version_is_a_number",
            ),
        ),
        migrations.AddConstraint(
            model_name="environment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("holds_digest", ""),
                    ("holds_digest__regex", "^sha256:[0-9a-f]{64}$"),
                    _connector="OR",
                ),
                name="environment_holds_a_digest",
            ),
        ),
        migrations.AddConstraint(
            model_name="credential",
            constraint=models.CheckConstraint(
                condition=models.Q(("flow__in", ["client_credentials", "jwt"])),
                name="credential_flow_is_known",
            ),
        ),
        RunSQLFile("environments/0001_guards.sql"),
    ]
