"""The database's floor under the gate."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("releases", "0001_tables"),
        ("governance", "0005_people"),
        ("environments", "0003_policies"),
    ]

    operations: ClassVar = []
