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
        migrations.AddField("policy", "retired_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField(
            "policyversion",
            "request",
            models.OneToOneField(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="published",
                to="governance.approvalrequest",
            ),
        ),
        migrations.RemoveConstraint("policyproposal", "policy_proposal_state_is_known"),
        migrations.AddConstraint(
            "policyproposal",
            models.CheckConstraint(
                condition=models.Q(
                    state__in=["confirmed", "lapsed", "open", "rejected", "withdrawn"]
                ),
                name="policy_proposal_state_is_known",
            ),
        ),
        RunSQLFile("governance/0004_policies.sql"),
    ]
