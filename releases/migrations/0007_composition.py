"""Deleted components, what candidates of a release fight over, and what people decided."""

from __future__ import annotations

from typing import ClassVar

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from core.migrations import RunSQLFile

ID = models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")


def of(model: str, related_name: str) -> models.ForeignKey:
    """A column that names a row which is never removed."""
    return models.ForeignKey(
        on_delete=django.db.models.deletion.PROTECT, related_name=related_name, to=model
    )


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("releases", "0006_bound_rows"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations: ClassVar = [
        migrations.AddField("artefact", "removes", models.JSONField(default=list)),
        migrations.AddField("componentconflict", "elements", models.JSONField(default=list)),
        migrations.AlterField(
            "releasechange",
            "kind",
            models.CharField(
                choices=[
                    ("added", "new"),
                    ("changed", "changed"),
                    ("removed", "deleted"),
                    ("same", "as in production"),
                ],
                max_length=10,
            ),
        ),
        migrations.CreateModel(
            name="Resolution",
            fields=[
                ("id", ID),
                ("type", models.CharField(max_length=80)),
                ("name", models.CharField(max_length=255)),
                ("path", models.TextField()),
                ("conflict_digest", models.CharField(max_length=71)),
                ("pick", models.CharField(max_length=71)),
                ("told", models.TextField()),
                ("taken", models.CharField(max_length=250)),
                ("reason", models.TextField()),
                ("made_at", models.DateTimeField()),
                ("made_by", of(settings.AUTH_USER_MODEL, "+")),
                ("release", of("releases.release", "resolutions")),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["type", "name", "conflict_digest"], name="resolution_remembered"
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(conflict_digest__regex=r"^sha256:[0-9a-f]{64}$")
                        & models.Q(pick__regex=r"^(all|sha256:[0-9a-f]{64})$"),
                        name="resolution_digest_form",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Dependency",
            fields=[
                ("id", ID),
                ("team", models.CharField(max_length=120)),
                ("type", models.CharField(max_length=80)),
                ("name", models.CharField(max_length=255)),
                ("needs_team", models.CharField(max_length=120)),
                ("needs_type", models.CharField(max_length=80)),
                ("needs_name", models.CharField(max_length=255)),
                ("artefact", of("releases.artefact", "+")),
                ("release", of("releases.release", "dependencies")),
            ],
            options={
                "verbose_name_plural": "dependencies",
                "constraints": [
                    models.UniqueConstraint(
                        fields=(
                            "release", "artefact", "team", "type", "name",
                            "needs_team", "needs_type", "needs_name",
                        ),
                        name="dependency_once",
                    )
                ],
            },
        ),
        RunSQLFile("releases/0007_composition.sql"),
    ]  # fmt: skip
