"""One organisation fills one live environment, and is what its stage says."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models
from django.db.models.functions import Left


class Migration(migrations.Migration):
    dependencies: ClassVar = [("environments", "0008_refresh")]

    operations: ClassVar = [
        migrations.AddConstraint(
            model_name="environment",
            constraint=models.UniqueConstraint(
                Left("expected_organization_id", 15),
                condition=models.Q(
                    ("retired_at", None), models.Q(("stage", "CANARY"), _negated=True)
                ),
                name="environment_expected_organization_is_unique",
            ),
        ),
        migrations.AddConstraint(
            model_name="environment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("is_sandbox", None),
                    models.Q(("is_sandbox", False), ("kind", "production")),
                    models.Q(("is_sandbox", True), ("kind", "sandbox")),
                    _connector="OR",
                ),
                name="environment_is_what_its_stage_says",
            ),
        ),
    ]
