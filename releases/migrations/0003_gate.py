"""Required checks, results from outside, break-glass, runbooks, rollbacks."""

from __future__ import annotations

import uuid
from typing import ClassVar

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import core.clock


class Migration(migrations.Migration):
    dependencies: ClassVar = [("releases", "0002_floor")]

    operations: ClassVar = [
        migrations.CreateModel(
            name="BreakGlass",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
                ("reason", models.TextField()),
                ("incident", models.CharField(max_length=80)),
                ("used_at", models.DateTimeField(null=True)),
                ("review_due_at", models.DateTimeField(null=True)),
                ("reviewed_at", models.DateTimeField(null=True)),
                ("review", models.TextField(blank=True, default="")),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="CheckResult",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
                ("sha", models.CharField(max_length=64)),
                ("name", models.CharField(max_length=80)),
                ("run", models.CharField(max_length=80)),
                (
                    "result",
                    models.CharField(
                        choices=[
                            ("running", "running"),
                            ("passed", "passed"),
                            ("failed", "failed"),
                        ],
                        max_length=8,
                    ),
                ),
                ("url", models.CharField(blank=True, default="", max_length=500)),
                ("received_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="RunbookItem",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
                (
                    "phase",
                    models.CharField(
                        choices=[
                            ("before", "before the deployment"),
                            ("after", "after the deployment"),
                        ],
                        default="before",
                        max_length=6,
                    ),
                ),
                ("text", models.CharField(max_length=300)),
                ("critical", models.BooleanField(default=False)),
                ("removed_at", models.DateTimeField(null=True)),
                ("rehearsed_at", models.DateTimeField(null=True)),
                ("done_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ["-phase", "id"],
            },
        ),
        migrations.AddField(
            model_name="release",
            name="restores",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="restored_by",
                to="releases.release",
            ),
        ),
        migrations.AlterField(
            model_name="release",
            name="change_class",
            field=models.CharField(
                choices=[
                    ("standard", "standard"),
                    ("normal", "normal"),
                    ("emergency", "emergency"),
                    ("rollback", "rollback"),
                ],
                default="normal",
                max_length=10,
            ),
        ),
        migrations.AddConstraint(
            model_name="deployment",
            constraint=models.UniqueConstraint(
                fields=("approval",), name="deployment_one_per_request"
            ),
        ),
        migrations.AddField(
            model_name="breakglass",
            name="asked_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="breakglass",
            name="release",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="break_glass",
                to="releases.release",
            ),
        ),
        migrations.AddField(
            model_name="breakglass",
            name="request",
            field=models.OneToOneField(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="governance.approvalrequest",
            ),
        ),
        migrations.AddField(
            model_name="breakglass",
            name="reviewed_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="checkresult",
            name="reported_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="checkresult",
            name="repository",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, to="releases.repository"
            ),
        ),
        migrations.AddField(
            model_name="runbookitem",
            name="added_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="runbookitem",
            name="done_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="runbookitem",
            name="owner",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="runbookitem",
            name="rehearsed_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="runbookitem",
            name="release",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="runbook",
                to="releases.release",
            ),
        ),
        migrations.AddConstraint(
            model_name="breakglass",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("reason", ""), _negated=True),
                    models.Q(("incident", ""), _negated=True),
                ),
                name="break_glass_says_why",
            ),
        ),
        migrations.AddConstraint(
            model_name="breakglass",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("used_at__isnull", True), ("review_due_at__isnull", False), _connector="OR"
                ),
                name="break_glass_used_is_reviewed",
            ),
        ),
        migrations.AddConstraint(
            model_name="breakglass",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("reviewed_at__isnull", True),
                    models.Q(
                        ("used_at__isnull", False),
                        ("reviewed_by__isnull", False),
                        models.Q(("review", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="break_glass_review_has_words",
            ),
        ),
        migrations.AddIndex(
            model_name="checkresult",
            index=models.Index(fields=["sha", "name"], name="check_result_of_commit"),
        ),
        migrations.AddConstraint(
            model_name="checkresult",
            constraint=models.UniqueConstraint(
                fields=("sha", "name", "run", "result"), name="check_result_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="checkresult",
            constraint=models.CheckConstraint(
                condition=models.Q(("result__in", ["running", "passed", "failed"])),
                name="check_result_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="runbookitem",
            constraint=models.CheckConstraint(
                condition=models.Q(("phase__in", ["before", "after"])),
                name="runbook_phase_is_known",
            ),
        ),
    ]
