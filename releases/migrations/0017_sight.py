"""When Gatehouse first saw a commit; authors write the dates in it themselves."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models

from core import clock


class Migration(migrations.Migration):
    dependencies: ClassVar = [("releases", "0014_attacks")]

    operations: ClassVar = [
        migrations.AddField(
            model_name="commit",
            name="first_seen_at",
            field=models.DateTimeField(default=clock.now),
        ),
    ]
