"""Quick deploys rest on validations of ours."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations

from core.migrations import RunSQLFile


class Migration(migrations.Migration):
    dependencies: ClassVar = [("releases", "0019_results")]

    operations: ClassVar = [RunSQLFile("releases/0020_quick.sql")]
