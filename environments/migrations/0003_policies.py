"""Policies that environments inherit from their stage."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("environments", "0002_calendar")]

    operations: ClassVar = []
