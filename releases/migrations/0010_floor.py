"""What was shown, done and reviewed stays so."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations

from core.migrations import RunSQLFile


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("releases", "0009_holes"),
        ("governance", "0008_floor"),
    ]

    operations: ClassVar = [RunSQLFile("releases/0010_floor.sql")]
