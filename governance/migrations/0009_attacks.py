"""Whom a matter of the board is about never decides on it."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations

from core.migrations import RunSQLFile


class Migration(migrations.Migration):
    dependencies: ClassVar = [("governance", "0008_floor")]

    operations: ClassVar = [RunSQLFile("governance/0009_attacks.sql")]
