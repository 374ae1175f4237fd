"""Policies of several rules, decided like any other question."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("governance", "0003_history")]

    operations: ClassVar = []
