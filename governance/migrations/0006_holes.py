"""What the guards of people and policies still let by."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models

from core.migrations import RunSQLFile


class Migration(migrations.Migration):
    dependencies: ClassVar = [("governance", "0007_speed")]

    operations: ClassVar = [
        migrations.AddField(
            "policy", "founding", models.BooleanField(default=False, editable=False)
        ),
        RunSQLFile("governance/0006_holes.sql"),
    ]
