"""An event's columns are read by one trigger; the history of a team has its index."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models

from core.migrations import RunSQLFile


def _column(name: str, field: models.Field) -> migrations.AlterField:
    return migrations.AlterField(model_name="auditevent", name=name, field=field)


TEXTS = (
    "event",
    "sentence",
    "subject_kind",
    "subject_ref",
    "actor_kind",
    "actor_name",
    "team",
)


class Migration(migrations.Migration):
    dependencies: ClassVar = [("governance", "0005_people")]

    operations: ClassVar = [
        migrations.SeparateDatabaseAndState(
            database_operations=[RunSQLFile("governance/0007_speed.sql")],
            state_operations=[
                *(_column(name, models.TextField(editable=False, null=True)) for name in TEXTS),
                _column("actor_id", models.BigIntegerField(editable=False, null=True)),
                _column("at", models.DateTimeField(editable=False, null=True)),
                _column("related", ArrayField(models.TextField(), editable=False, size=None)),
            ],
        ),
        migrations.AddIndex(
            model_name="auditevent",
            index=models.Index(fields=["team", "-at", "-id"], name="audit_by_team"),
        ),
    ]
