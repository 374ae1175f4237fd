"""What people found when a change had run: the review that closes the circle of a release."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q


class ReleaseReview(models.Model):
    """A post-implementation review of a release; never changed, a second one adds to the first."""

    class Outcome(models.TextChoices):
        AS_MEANT = "as_meant", "It did what it was meant to do"
        WITH_PROBLEMS = "with_problems", "It did, and brought problems"
        NOT_MET = "not_met", "It did not do what it was meant to do"

    release = models.ForeignKey("releases.Release", models.PROTECT, related_name="reviews")
    outcome = models.CharField(max_length=13, choices=Outcome.choices)
    review = models.TextField()
    incidents = models.CharField(max_length=200, blank=True, default="")
    reviewed_by = models.ForeignKey("governance.User", models.PROTECT, related_name="+")
    reviewed_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(review=""), name="release_review_has_words")
        ]

    def __str__(self) -> str:
        return f"{self.get_outcome_display()}: {self.review}"
