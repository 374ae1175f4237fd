"""A sandbox request starts on approvals that are counted when it starts."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations

from core.migrations import RunSQLFile


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("environments", "0007_holes"),
        ("governance", "0006_holes"),
    ]

    operations: ClassVar = [RunSQLFile("environments/0008_refresh.sql")]
