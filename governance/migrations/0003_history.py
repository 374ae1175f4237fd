"""The chain of the history and its checkpoints."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("governance", "0002_roles")]

    operations: ClassVar = []
