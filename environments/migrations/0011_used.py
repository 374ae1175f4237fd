"""Approvals of freezes, policies and sandboxes are used by what they let happen."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations

from core.migrations import RunSQLFile


class Migration(migrations.Migration):
    dependencies: ClassVar = [("environments", "0010_snapshots")]

    operations: ClassVar = [RunSQLFile("environments/0011_used.sql")]
