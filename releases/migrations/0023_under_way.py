"""When a deployment that an approval let begin is under way."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations

from core.migrations import RunSQLFile


class Migration(migrations.Migration):
    dependencies: ClassVar = [("releases", "0022_used")]

    operations: ClassVar = [RunSQLFile("releases/0023_under_way.sql")]
