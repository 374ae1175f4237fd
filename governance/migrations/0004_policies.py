"""Policies of several rules, decided like any other question."""

from __future__ import annotations

from typing import ClassVar

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

import core.fields
from core.migrations import RunSQLFile


class Migration(migrations.Migration):
    dependencies: ClassVar = [("governance", "0003_history")]

    operations: ClassVar = [
        migrations.AddField(
            "approvalrequest",
            "marks",
            django.contrib.postgres.fields.ArrayField(
                base_field=models.TextField(), default=list, size=None
            ),
        ),
        migrations.AddField(
            "approvalrequest", "also_body", models.JSONField(blank=True, null=True)
        ),
        migrations.AddField(
            "decision",
            "policy_version",
            models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="governance.policyversion",
            ),
        ),
        migrations.AddField("decision", "policy_digest", core.fields.DigestField()),
        migrations.AddField("policy", "governs_board", models.BooleanField(default=False)),
        migrations.AddConstraint(
            "policy",
            models.UniqueConstraint(
                condition=models.Q(governs_board=True),
                fields=["governs_board"],
                name="policy_one_governs_the_board",
            ),
        ),
        RunSQLFile("governance/0004_policies.sql"),
    ]
