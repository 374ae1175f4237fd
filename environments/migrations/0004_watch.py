"""Changes of environments past the application are recorded by the database."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations

from core.migrations import RunSQLFile


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("environments", "0003_policies"),
        ("governance", "0003_history"),
    ]

    operations: ClassVar = [RunSQLFile("environments/0004_watch.sql")]
