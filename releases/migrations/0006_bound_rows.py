"""Guards of the rows that the gate and the evidence brought."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations

from core.migrations import RunSQLFile


class Migration(migrations.Migration):
    dependencies: ClassVar = [("releases", "0005_watch")]

    operations: ClassVar = [RunSQLFile("releases/0006_bound_rows.sql")]
