"""Appending to the history looks rows up by index, whatever plan a connection began with."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations

from core.migrations import RunSQLFile


class Migration(migrations.Migration):
    dependencies: ClassVar = [("governance", "0009_attacks")]

    operations: ClassVar = [RunSQLFile("governance/0010_speed.sql")]
