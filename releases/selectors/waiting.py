"""What waits for a person in this app; joins the inbox of governance.

Read on every page for the number in the top bar, so it asks few queries and never the gate.
"""

from __future__ import annotations

from governance.inbox import Waiting
from governance.models import User
from governance.permissions import Standing, standing_shown
from releases.models import BreakGlass, Candidate, Release
from releases.states import CandidateState, ReleaseState

SHOWN = 20

_NEXT = {
    ReleaseState.COMPOSED: "Deploy to CI:",
    ReleaseState.INTEGRATED: "Rehearse:",
    ReleaseState.REHEARSED: "Prepare and submit:",
    ReleaseState.FAILED: "Mend:",
}


def waiting_for(user: User) -> list[Waiting]:
    """User tests of the person's teams, and next steps of releases for release managers."""
    standing = standing_shown(user)
    found = _candidates(standing) if standing.is_member else []
    if standing.can("release.compose"):
        found += _releases()
    if standing.can("break_glass.review"):
        found += _reviews(user)
    return found


def _reviews(user: User) -> list[Waiting]:
    """Emergencies that somebody other than who asked has to review."""
    rows = BreakGlass.objects.filter(used_at__isnull=False, reviewed_at=None)
    return [
        Waiting(
            f"Review the emergency {row.incident}",
            row.get_absolute_url(),
            row.public_id,
            (f"{row.public_id} was used; no other until this is reviewed in time",),
            row.review_due_at,
            "failed",
        )
        for row in rows.exclude(asked_by=user).order_by("pk")[:SHOWN]
    ]


def _candidates(standing: Standing) -> list[Waiting]:
    rows = Candidate.objects.filter(
        team_id__in={team for team, _ in standing.roles},
        state__in=[CandidateState.DEPLOYED, CandidateState.ACCEPTED],
    ).select_related("team")
    found = []
    for row in rows.order_by("-pk")[:SHOWN]:
        if row.state == CandidateState.DEPLOYED and standing.can("candidate.test", row.team):
            found.append(_waiting(row, f"Test {row}", "deployed to TEST, user tests not signed"))
        if row.state == CandidateState.ACCEPTED and standing.can("candidate.offer", row.team):
            found.append(_waiting(row, f"Offer {row}", "user tests passed, not offered yet"))
    return found


def _waiting(row: Candidate, title: str, fact: str) -> Waiting:
    return Waiting(title, row.get_absolute_url(), row.public_id, (fact,))


def _releases() -> list[Waiting]:
    rows = Release.objects.filter(state__in=_NEXT).order_by("-pk")[:SHOWN]
    return [
        Waiting(
            f"{_NEXT[ReleaseState(row.state)]} {row.title}",
            row.get_absolute_url(),
            row.public_id,
            (row.version, row.state_note[:100]) if row.state_note else (row.version,),
            row.not_before,
            "failed" if row.state == ReleaseState.FAILED else "waiting",
        )
        for row in rows
    ]
