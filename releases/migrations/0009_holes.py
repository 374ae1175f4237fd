"""Changes of releases past the application that nobody told."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations

from core.migrations import RunSQLFile


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("releases", "0008_radar"),
        ("environments", "0007_holes"),
    ]

    operations: ClassVar = [RunSQLFile("releases/0009_holes.sql")]
