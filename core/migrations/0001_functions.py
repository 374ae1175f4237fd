"""Shared SQL functions: the clock, append-only guards, readers of stored JSON text."""

from django.db import migrations

from core.migrations import RunSQLFile


class Migration(migrations.Migration):
    initial = True
    dependencies: list[tuple[str, str]] = []
    operations = [RunSQLFile("core/0001_functions.sql")]
