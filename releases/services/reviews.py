"""Post-implementation reviews: what came of a release once production had it, or had it not."""

from __future__ import annotations

from django.db import transaction

from core import db
from core.errors import InvalidInput, NotNow
from governance.permissions import acting_person, demand
from releases.models import Release, ReleaseReview
from releases.selectors import reviews as selectors
from releases.services import releases

WORDS_MIN = 20


@transaction.atomic
def write(*, release_id: int, outcome: str, review: str, incidents: str = "") -> ReleaseReview:
    """Write down how a release went; it never changes, and a later one adds to it.

    Codes: ``review.outcome``, ``review.words`` (too short), ``review.too_early`` (no attempt on
    production has ended).
    """
    demand("release.review")
    release = releases.lock(release_id)
    if outcome not in ReleaseReview.Outcome.values:
        raise InvalidInput("review.outcome", "Pick how the release went.", field="outcome")
    if len(review.strip()) < WORDS_MIN:
        raise InvalidInput(
            "review.words", "Say what came of it, so that others can learn from it.", field="review"
        )
    if not selectors.is_due(release):
        raise NotNow(
            "review.too_early",
            f"{release.public_id} has not run on production; review it when it has.",
        )
    row = ReleaseReview.objects.create(
        release=release,
        outcome=outcome,
        review=review.strip(),
        incidents=incidents.strip(),
        reviewed_by=acting_person(),
        reviewed_at=db.database_now(),
    )
    _record(release, row)
    return row


def _record(release: Release, row: ReleaseReview) -> None:
    releases.record(
        "release.reviewed",
        release,
        outcome=row.get_outcome_display(),
        review=row.review,
        incidents=row.incidents,
    )
