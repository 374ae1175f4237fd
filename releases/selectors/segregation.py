"""Who may not decide on a release (design 5).

Excluded are the composer, whoever offered or tested a candidate or decided between candidates, and
every member, now or since the oldest commit, of a contributing team. Git authors, committers and
co-authors are added where their address is mapped to a person; one that is not mapped blocks until
it is.
"""

from __future__ import annotations

from django.db.models import Q

from governance.models import Membership, User
from governance.selectors import people
from releases.models import Candidate, Release
from releases.selectors.cargo import carried

Exclusions = list[tuple[User, str]]
Identities = list[tuple[str, str]]


def excluded(release: Release) -> tuple[Exclusions, Identities]:
    """People who may not decide, each once with the first reason, and Git identities unmapped."""
    reasons: dict[int, tuple[User, str]] = {}
    unmapped: dict[str, str] = {}
    reasons[release.composed_by_id] = (release.composed_by, "composed this release")
    items = (
        carried(release)
        .items.filter(removed_at__isnull=True)
        .select_related(
            "candidate__team", "candidate__offered_by", "candidate__created_by", "added_by"
        )
    )
    for item in items:
        reasons.setdefault(item.added_by_id, (item.added_by, "added a candidate to this release"))
        _of_candidate(item.candidate, reasons, unmapped)
    for row in carried(release).resolutions.select_related("made_by"):
        why = "decided between candidates of this release"
        reasons.setdefault(row.made_by_id, (row.made_by, why))
    return list(reasons.values()), sorted(unmapped.items())


def _of_candidate(
    candidate: Candidate, reasons: dict[int, tuple[User, str]], unmapped: dict[str, str]
) -> None:
    for person, reason in (
        (candidate.offered_by, f"offered {candidate.tag} of {candidate.team.name}"),
        (candidate.created_by, f"picked {candidate.tag} of {candidate.team.name}"),
        (candidate.tested_by, f"signed the user testing of {candidate.tag}"),
    ):
        if person is not None:
            reasons.setdefault(person.pk, (person, reason))
    since = Q(revoked_at__isnull=True)
    if candidate.oldest_commit_at is not None:
        since |= Q(revoked_at__gte=candidate.oldest_commit_at)
    members = Membership.objects.filter(since, team=candidate.team).select_related("user")
    for membership in members:
        why = f"is a member of {candidate.team.name}, which contributes"
        reasons.setdefault(membership.user_id, (membership.user, why))
    authors = [(entry["email"], entry["name"]) for entry in candidate.contributors]
    found = people.resolve_identities(authors)
    for user in found.mapped.values():
        reasons.setdefault(user.pk, (user, f"wrote commits of {candidate.team.name}"))
    unmapped.update(found.unmapped)
