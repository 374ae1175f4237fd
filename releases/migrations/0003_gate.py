"""Required checks, results from outside, break-glass."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("releases", "0002_floor")]

    operations: ClassVar = []
