"""A place for the canary: an environment without an org behind it."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models

STAGES = ["DEV", "CI", "TEST", "PRE-PRD", "PRD", "CANARY"]


class Migration(migrations.Migration):
    dependencies: ClassVar = [("environments", "0004_watch")]

    operations: ClassVar = [
        migrations.RemoveConstraint("environment", "environment_stage_is_known"),
        migrations.AddConstraint(
            "environment",
            models.CheckConstraint(
                condition=models.Q(stage__in=sorted(STAGES)), name="environment_stage_is_known"
            ),
        ),
    ]
