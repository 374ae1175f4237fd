"""The database's floor under the gate."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models

from core.migrations import RunSQLFile


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("releases", "0001_tables"),
        ("governance", "0005_people"),
        ("environments", "0003_policies"),
    ]

    operations: ClassVar = [
        migrations.AddField(
            "deployment",
            "uncovered",
            models.TextField(blank=True, default=""),
        ),
        RunSQLFile("releases/0002_states.sql"),
        RunSQLFile("releases/0002_bound.sql"),
        RunSQLFile("releases/0002_floor.sql"),
    ]
