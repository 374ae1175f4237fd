"""A question does not expire while what it let begin is under way."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations

from core.migrations import RunSQLFile


class Migration(migrations.Migration):
    dependencies: ClassVar = [("governance", "0011_same_person")]

    operations: ClassVar = [RunSQLFile("governance/0012_under_way.sql")]
