"""When an order that an approval let begin is under way."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations

from core.migrations import RunSQLFile


class Migration(migrations.Migration):
    dependencies: ClassVar = [("environments", "0011_used")]

    operations: ClassVar = [RunSQLFile("environments/0012_under_way.sql")]
