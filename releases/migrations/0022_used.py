"""Approvals are used by the deployment that they let go on."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations

from core.migrations import RunSQLFile


class Migration(migrations.Migration):
    dependencies: ClassVar = [("releases", "0021_reviews")]

    operations: ClassVar = [RunSQLFile("releases/0022_used.sql")]
