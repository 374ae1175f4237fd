"""Who had a hand in a release is derived by the database."""

from __future__ import annotations

from typing import ClassVar

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from core.migrations import RunSQLFile


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("releases", "0013_tests"),
        ("governance", "0009_attacks"),
    ]

    operations: ClassVar = [
        migrations.AddField(
            model_name="release",
            name="edited_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        RunSQLFile("releases/0014_attacks.sql"),
    ]
