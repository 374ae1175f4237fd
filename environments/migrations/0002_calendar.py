"""Freezes, what is asked about them, and imported calendars."""

from __future__ import annotations

import uuid
from typing import ClassVar

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import core.clock
import core.fields
from core.migrations import RunSQLFile


class Migration(migrations.Migration):
    dependencies: ClassVar = [("environments", "0001_tables"), ("governance", "0005_people")]

    operations: ClassVar = [
        migrations.CreateModel(
            name="CalendarSource",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
                ("name", models.CharField(max_length=80)),
                ("url", models.CharField(blank=True, default="", max_length=500)),
                ("content", models.TextField(blank=True, default="")),
                ("requested_at", models.DateTimeField()),
                ("retired_at", models.DateTimeField(blank=True, null=True)),
                ("state", models.CharField(default="requested", max_length=12)),
                ("message", models.TextField(blank=True, default="")),
                ("read_at", models.DateTimeField(blank=True, null=True)),
                (
                    "created_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["name", "pk"],
            },
        ),
        migrations.CreateModel(
            name="Freeze",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
                ("kind", models.CharField(default="freeze", max_length=8)),
                ("scope", models.CharField(max_length=12)),
                ("name", models.CharField(max_length=80)),
                ("reason", models.TextField()),
                ("zone", models.CharField(max_length=64)),
                ("starts_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField(blank=True, null=True)),
                ("every", models.CharField(blank=True, default="", max_length=5)),
                ("step", models.PositiveSmallIntegerField(default=1)),
                ("last_day", models.DateField(blank=True, null=True)),
                ("source", models.CharField(default="person", max_length=8)),
                ("source_key", models.CharField(blank=True, default="", max_length=80)),
                ("lifted_at", models.DateTimeField(blank=True, null=True)),
                ("lift_reason", models.TextField(blank=True, default="")),
                (
                    "created_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "environment",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="environments.environment",
                    ),
                ),
                (
                    "lifted_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="governance.team",
                    ),
                ),
                (
                    "track",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="environments.track",
                    ),
                ),
            ],
            options={
                "ordering": ["starts_at", "pk"],
            },
        ),
        migrations.CreateModel(
            name="FreezeLift",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
                ("wanted_end", models.DateTimeField(blank=True, null=True)),
                ("reason", models.TextField()),
                ("digest", core.fields.DigestField()),
                (
                    "freeze",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lifts",
                        to="environments.freeze",
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
                "ordering": ["-pk"],
            },
        ),
        migrations.CreateModel(
            name="Maintenance",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("created_at", models.DateTimeField(default=core.clock.now, editable=False)),
                ("uid", models.CharField(max_length=255)),
                ("name", models.CharField(max_length=120)),
                ("description", models.TextField(blank=True, default="")),
                ("starts_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                ("zone", models.CharField(max_length=64)),
                ("gone_at", models.DateTimeField(blank=True, null=True)),
                (
                    "source",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="entries",
                        to="environments.calendarsource",
                    ),
                ),
            ],
            options={
                "ordering": ["starts_at", "pk"],
            },
        ),
        migrations.AddField(
            model_name="freeze",
            name="maintenance",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="freezes",
                to="environments.maintenance",
            ),
        ),
        migrations.AddConstraint(
            model_name="calendarsource",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["done", "failed", "requested"])),
                name="calendar_source_state_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="calendarsource",
            constraint=models.CheckConstraint(
                condition=models.Q(("url", ""), ("url__startswith", "https://"), _connector="OR"),
                name="calendar_source_is_fetched_safely",
            ),
        ),
        migrations.AddIndex(
            model_name="maintenance",
            index=models.Index(fields=["starts_at"], name="maintenance_by_start"),
        ),
        migrations.AddConstraint(
            model_name="maintenance",
            constraint=models.UniqueConstraint(
                fields=("source", "uid"), name="maintenance_uid_is_unique"
            ),
        ),
        migrations.AddConstraint(
            model_name="maintenance",
            constraint=models.CheckConstraint(
                condition=models.Q(("ends_at__gt", models.F("starts_at"))),
                name="maintenance_has_a_length",
            ),
        ),
        migrations.AddIndex(
            model_name="freeze",
            index=models.Index(
                condition=models.Q(("lifted_at", None)),
                fields=["starts_at"],
                name="freeze_not_lifted",
            ),
        ),
        migrations.AddConstraint(
            model_name="freeze",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["freeze", "stop"])), name="freeze_kind_is_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="freeze",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("scope__in", ["environment", "everything", "protected", "team", "track"])
                ),
                name="freeze_scope_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="freeze",
            constraint=models.CheckConstraint(
                condition=models.Q(("source__in", ["holidays", "ical", "person"])),
                name="freeze_source_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="freeze",
            constraint=models.CheckConstraint(
                condition=models.Q(("every__in", ["", "month", "week", "year"])),
                name="freeze_recurrence_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="freeze",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("scope__in", ["everything", "protected"]),
                        ("environment", None),
                        ("team", None),
                        ("track", None),
                    ),
                    models.Q(
                        ("environment", None),
                        ("scope", "track"),
                        ("team", None),
                        ("track__isnull", False),
                    ),
                    models.Q(
                        ("environment__isnull", False),
                        ("scope", "environment"),
                        ("team", None),
                        ("track", None),
                    ),
                    models.Q(
                        ("environment", None),
                        ("scope", "team"),
                        ("team__isnull", False),
                        ("track", None),
                    ),
                    _connector="OR",
                ),
                name="freeze_scope_names_its_target",
            ),
        ),
        migrations.AddConstraint(
            model_name="freeze",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("ends_at", None), ("ends_at__gt", models.F("starts_at")), _connector="OR"
                ),
                name="freeze_has_a_length",
            ),
        ),
        migrations.AddConstraint(
            model_name="freeze",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind", "stop"), ("ends_at__isnull", False), _connector="OR"),
                name="freeze_has_an_end",
            ),
        ),
        migrations.AddConstraint(
            model_name="freeze",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("every", ""), ("last_day", None)),
                    models.Q(models.Q(("every", ""), _negated=True), ("ends_at__isnull", False)),
                    _connector="OR",
                ),
                name="freeze_recurs_with_an_end",
            ),
        ),
        migrations.AddConstraint(
            model_name="freeze",
            constraint=models.CheckConstraint(
                condition=models.Q(("step__gte", 1), ("step__lte", 52)), name="freeze_step_is_small"
            ),
        ),
        migrations.AddConstraint(
            model_name="freeze",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("lifted_at", None), ("lifted_by", None)),
                    models.Q(("lifted_at__isnull", False), ("lifted_by__isnull", False)),
                    _connector="OR",
                ),
                name="freeze_lifted_by_somebody",
            ),
        ),
        migrations.AddConstraint(
            model_name="freeze",
            constraint=models.UniqueConstraint(
                condition=models.Q(("kind", "stop"), ("lifted_at", None)),
                fields=("kind",),
                name="freeze_one_stop_stands",
            ),
        ),
        migrations.AddConstraint(
            model_name="freeze",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    models.Q(("source_key", ""), _negated=True), ("lifted_at", None)
                ),
                fields=("source_key",),
                name="freeze_source_key_is_unique",
            ),
        ),
        RunSQLFile("environments/0002_calendar.sql"),
    ]
