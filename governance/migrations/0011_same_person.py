"""One human, one approval: other accounts of a person, and one account for a mailbox."""

from __future__ import annotations

from typing import ClassVar

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from core.migrations import RunSQLFile


class Migration(migrations.Migration):
    dependencies: ClassVar = [("governance", "0011_unfinished")]

    operations: ClassVar = [
        migrations.AddField(
            model_name="user",
            name="same_as",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="other_accounts",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=models.Q(("email__regex", "^[!-~]+$")),
                name="user_email_has_no_look_alikes",
            ),
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("same_as", None),
                    models.Q(("same_as", models.F("pk")), _negated=True),
                    _connector="OR",
                ),
                name="user_is_not_their_own_other_account",
            ),
        ),
        RunSQLFile("governance/0011_same_person.sql"),
    ]
