"""A snapshot is read at the version that it is compared at."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("environments", "0009_attacks")]

    operations: ClassVar = [
        migrations.AddField(
            model_name="snapshot",
            name="api_version",
            field=models.CharField(blank=True, default="", max_length=5),
        ),
    ]
