"""Which policy an environment obeys is what people decided, also for whoever writes rows."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations

from core.migrations import RunSQLFile


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("environments", "0006_sandboxes"),
        ("governance", "0006_holes"),
    ]

    operations: ClassVar = [RunSQLFile("environments/0007_holes.sql")]
