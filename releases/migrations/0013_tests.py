"""Tests that a release names: what is proposed, what people chose; what builds carry."""

from __future__ import annotations

from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models

from core.migrations import RunSQLFile


class Migration(migrations.Migration):
    dependencies: ClassVar = [("releases", "0012_scope")]

    operations: ClassVar = [
        migrations.AddField(
            model_name="release",
            name="test_level",
            field=models.CharField(blank=True, default="", max_length=20),
        ),
        migrations.AddField(
            model_name="release",
            name="tests_added",
            field=models.JSONField(default=list),
        ),
        migrations.AddField(
            model_name="release",
            name="tests_removed",
            field=models.JSONField(default=list),
        ),
        migrations.AddField(
            model_name="repository",
            name="build_scope",
            field=models.CharField(
                choices=[
                    ("whole", "Whole package"),
                    ("delta", "Only what the CI org does not hold yet"),
                ],
                default="whole",
                max_length=5,
            ),
        ),
        migrations.CreateModel(
            name="KnownTest",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("proposed", "proposed"),
                            ("known", "in the package, not proposed"),
                            ("untested", "Apex that no test is known for"),
                        ],
                        max_length=8,
                    ),
                ),
                ("name", models.CharField(max_length=255)),
                ("reasons", models.JSONField(default=list)),
                (
                    "artefact",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="releases.artefact",
                    ),
                ),
                (
                    "release",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="known_tests",
                        to="releases.release",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("release", "artefact", "kind", "name"), name="known_test_once"
                    )
                ],
            },
        ),
        RunSQLFile("releases/0013_tests.sql"),
    ]
