"""Freezes and the calendar."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("environments", "0001_tables"), ("governance", "0005_people")]

    operations: ClassVar = []
