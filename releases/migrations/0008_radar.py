"""What teams change at the same time, and what a change may do by its content."""

from __future__ import annotations

from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("releases", "0007_composition"), ("governance", "0005_people")]

    operations: ClassVar = [
        migrations.AddField("releasechange", "marks", models.JSONField(default=list)),
        migrations.AddField("build", "warnings", models.JSONField(default=list)),
        migrations.CreateModel(
            name="Collision",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "closeness",
                    models.PositiveSmallIntegerField(
                        choices=[(1, "element"), (2, "component"), (3, "reference")]
                    ),
                ),
                ("type", models.CharField(max_length=80)),
                ("name", models.CharField(max_length=255)),
                ("named_by_type", models.CharField(blank=True, default="", max_length=80)),
                ("named_by_name", models.CharField(blank=True, default="", max_length=255)),
                ("teams", models.JSONField()),
                ("elements", models.JSONField(default=list)),
                ("first_seen_at", models.DateTimeField()),
                ("gone_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("gone_at__isnull", True)),
                        fields=["closeness", "type", "name"],
                        name="collision_now",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=(
                            "closeness",
                            "type",
                            "name",
                            "named_by_type",
                            "named_by_name",
                            "teams",
                        ),
                        name="collision_once",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="TeamWork",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("sha", models.CharField(max_length=64)),
                ("base_sha", models.CharField(blank=True, default="", max_length=64)),
                ("touched_count", models.PositiveIntegerField(default=0)),
                ("problem", models.TextField(blank=True, default="")),
                ("looked_at", models.DateTimeField()),
                (
                    "candidate",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="releases.candidate",
                    ),
                ),
                (
                    "repository",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="works",
                        to="releases.repository",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="CollisionSide",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("sha", models.CharField(max_length=64)),
                ("commits", models.JSONField(default=list)),
                (
                    "candidate",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="releases.candidate",
                    ),
                ),
                (
                    "collision",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sides",
                        to="releases.collision",
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="governance.team",
                    ),
                ),
                (
                    "work",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="releases.teamwork",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="TouchedComponent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("type", models.CharField(max_length=80)),
                ("name", models.CharField(max_length=255)),
                ("digest", models.CharField(blank=True, max_length=64)),
                ("elements", models.JSONField(default=list)),
                ("names", models.JSONField(default=list)),
                ("commits", models.JSONField(default=list)),
                (
                    "work",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="touched",
                        to="releases.teamwork",
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="teamwork",
            constraint=models.UniqueConstraint(
                fields=("repository", "candidate"), name="work_once", nulls_distinct=False
            ),
        ),
        migrations.AddConstraint(
            model_name="collisionside",
            constraint=models.UniqueConstraint(
                fields=("collision", "team"), name="collision_side_once"
            ),
        ),
        migrations.AddIndex(
            model_name="touchedcomponent",
            index=models.Index(fields=["type", "name"], name="touched_by_name"),
        ),
        migrations.AddConstraint(
            model_name="touchedcomponent",
            constraint=models.UniqueConstraint(
                fields=("work", "type", "name"), name="touched_once"
            ),
        ),
    ]
