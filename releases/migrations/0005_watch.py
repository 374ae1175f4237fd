"""Changes of releases and deployments past the application are recorded by the database."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations

from core.migrations import RunSQLFile


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("releases", "0004_evidence"),
        ("governance", "0003_history"),
    ]

    operations: ClassVar = [RunSQLFile("releases/0005_watch.sql")]
