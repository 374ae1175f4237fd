"""Seats, second factors, delegation and service accounts."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("governance", "0004_policies")]

    operations: ClassVar = []
