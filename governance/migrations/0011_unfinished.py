"""A verification that could not be finished says so, and nothing about the history."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("governance", "0010_speed")]

    operations: ClassVar = [
        migrations.AddField(
            model_name="verification",
            name="unfinished",
            field=models.BooleanField(db_default=False, default=False),
        ),
    ]
