"""Releases that carry only what differs from production."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("releases", "0010_floor")]

    operations: ClassVar = [
        migrations.AddField(
            model_name="release",
            name="scope",
            field=models.CharField(
                choices=[
                    ("whole", "Whole packages of the candidates"),
                    ("delta", "Only what differs from production"),
                ],
                default="whole",
                max_length=5,
            ),
        ),
    ]
