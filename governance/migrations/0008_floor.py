"""Times, lives and marks that web may not choose."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations

from core.migrations import RunSQLFile


class Migration(migrations.Migration):
    dependencies: ClassVar = [("governance", "0006_holes")]

    operations: ClassVar = [RunSQLFile("governance/0008_floor.sql")]
