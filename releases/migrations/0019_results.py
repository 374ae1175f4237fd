"""A result of an outside check is about one team's commit, not about everybody who holds it."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("releases", "0018_compositions")]

    operations: ClassVar = [
        migrations.RemoveConstraint(model_name="checkresult", name="check_result_once"),
        migrations.AddConstraint(
            model_name="checkresult",
            constraint=models.UniqueConstraint(
                fields=["repository", "sha", "name", "run", "result"],
                name="check_result_once",
                nulls_distinct=False,
            ),
        ),
    ]
