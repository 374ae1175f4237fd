"""Roles of people who approve for security and in an emergency."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models

ROLES = [
    "admin",
    "auditor",
    "board_member",
    "developer",
    "emergency_approver",
    "release_manager",
    "security_approver",
    "team_lead",
]


class Migration(migrations.Migration):
    dependencies: ClassVar = [("governance", "0001_tables")]

    operations: ClassVar = [
        migrations.RemoveConstraint("membership", "membership_role_is_known"),
        migrations.AddConstraint(
            "membership",
            models.CheckConstraint(
                condition=models.Q(role__in=ROLES), name="membership_role_is_known"
            ),
        ),
        migrations.RemoveConstraint("decision", "decision_role_is_known"),
        migrations.AddConstraint(
            "decision",
            models.CheckConstraint(
                condition=models.Q(role__in=ROLES), name="decision_role_is_known"
            ),
        ),
    ]
