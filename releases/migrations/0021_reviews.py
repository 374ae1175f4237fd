"""Post-implementation reviews."""

from __future__ import annotations

from typing import ClassVar

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from core.migrations import RunSQLFile


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("releases", "0020_quick"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations: ClassVar = [
        migrations.CreateModel(
            name="ReleaseReview",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("as_meant", "It did what it was meant to do"),
                            ("with_problems", "It did, and brought problems"),
                            ("not_met", "It did not do what it was meant to do"),
                        ],
                        max_length=13,
                    ),
                ),
                ("review", models.TextField()),
                ("incidents", models.CharField(blank=True, default="", max_length=200)),
                ("reviewed_at", models.DateTimeField()),
                (
                    "release",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reviews",
                        to="releases.release",
                    ),
                ),
                (
                    "reviewed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["pk"],
                "constraints": [
                    models.CheckConstraint(
                        condition=~models.Q(review=""), name="release_review_has_words"
                    )
                ],
            },
        ),
        RunSQLFile("releases/0021_reviews.sql"),
    ]
