"""Evidence packs."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("releases", "0003_gate")]

    operations: ClassVar = []
