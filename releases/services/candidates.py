"""Tags on their way through TEST into a release."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from core import db
from core.errors import Conflict, InvalidInput, NotFound, NotNow
from environments.models import Environment
from governance import audit
from governance.models import Team
from governance.permissions import acting_person, demand
from jobs.wake import wake
from releases.models import Candidate, GitRef, Repository
from releases.services.outcomes import move_candidate
from releases.states import CandidateState

KIND = "releases.candidate"


def lock(candidate_id: int) -> Candidate:
    """The candidate's row, locked until the transaction ends."""
    rows = Candidate.objects.select_related("team", "repository__team", "artefact")
    return rows.select_for_update(of=("self",), no_key=True).get(pk=candidate_id)


def record(event: str, candidate: Candidate, **facts: Any) -> None:
    """Write an event about a candidate."""
    audit.record(event, candidate, team=candidate.team, facts=facts)


def stage_of(team: Team, name: str) -> Environment:
    """The live environment of a stage of a team's track (``team.no_stage`` when missing)."""
    environment = Environment.objects.filter(
        track__team=team, track__kind="developer", stage=name, retired_at__isnull=True
    ).first()
    if environment is None:
        raise NotNow(
            "team.no_stage",
            f"{team.name} has no {name} environment yet. An admin adds it on the team's track.",
        )
    return environment


@transaction.atomic
def create(*, repository_id: int, tag: str) -> Candidate:
    """Resolve a tag to its commit and send it to the team's TEST org.

    Codes: ``tag.unknown`` when the repository has no such tag, ``candidate.exists`` when this tag
    and commit are a candidate already, ``team.no_stage`` without a TEST environment.
    """
    repository = Repository.objects.select_related("team").get(pk=repository_id)
    demand("candidate.create", team=repository.team)
    ref = GitRef.objects.filter(
        repository=repository, kind=GitRef.Kind.TAG, name=tag.strip(), gone_at__isnull=True
    ).first()
    if ref is None:
        raise NotFound(
            "tag.unknown",
            f"{repository.team.name}'s repository has no tag “{tag.strip()}”. Push the tag, "
            "fetch the repository, then pick it again.",
        )
    stage_of(repository.team, "TEST")
    if Candidate.objects.filter(repository=repository, tag=ref.name, sha=ref.sha).exists():
        raise Conflict("candidate.exists", f"{ref.name} at {ref.sha[:7]} is a candidate already.")
    candidate = Candidate.objects.create(
        repository=repository,
        team=repository.team,
        tag=ref.name,
        sha=ref.sha,
        created_by=acting_person(),
    )
    record("candidate.created", candidate, tag=ref.name, commit=ref.sha)
    wake(KIND, candidate.pk)
    return candidate


@transaction.atomic
def retry(*, candidate_id: int) -> Candidate:
    """Build and deploy a failed candidate once more, as a new deployment."""
    candidate = lock(candidate_id)
    demand("candidate.create", team=candidate.team)
    move_candidate(candidate, CandidateState.BUILDING, message="")
    record("candidate.retried", candidate)
    wake(KIND, candidate.pk)
    return candidate


@transaction.atomic
def pass_test(*, candidate_id: int, note: str = "") -> Candidate:
    """Record that user testing of what TEST holds has passed."""
    return _tested(candidate_id, CandidateState.ACCEPTED, "candidate.test_passed", note)


@transaction.atomic
def fail_test(*, candidate_id: int, note: str) -> Candidate:
    """Record that user testing failed, and why; the candidate ends here."""
    if not note.strip():
        raise InvalidInput("candidate.note", "Say what failed.", field="note")
    return _tested(candidate_id, CandidateState.REJECTED, "candidate.test_failed", note)


def _tested(candidate_id: int, state: CandidateState, event: str, note: str) -> Candidate:
    candidate = lock(candidate_id)
    demand("candidate.test", team=candidate.team)
    move_candidate(
        candidate,
        state,
        tested_by=acting_person(),
        tested_at=db.database_now(),
        test_note=note.strip(),
    )
    record(event, candidate, note=note.strip())
    return candidate


@transaction.atomic
def offer(*, candidate_id: int) -> Candidate:
    """Offer a candidate, its user testing passed, to the release manager."""
    candidate = lock(candidate_id)
    demand("candidate.offer", team=candidate.team)
    move_candidate(
        candidate,
        CandidateState.OFFERED,
        offered_by=acting_person(),
        offered_at=db.database_now(),
    )
    record("candidate.offered", candidate)
    return candidate


@transaction.atomic
def withdraw(*, candidate_id: int) -> Candidate:
    """Take an offer back; refused while a release holds the candidate."""
    candidate = lock(candidate_id)
    demand("candidate.offer", team=candidate.team)
    item = candidate.items.filter(removed_at__isnull=True).select_related("release").first()
    if item is not None:
        raise NotNow(
            "candidate.in_release",
            f"{candidate} is in {item.release.public_id}. Ask its release manager to take it out.",
        )
    move_candidate(candidate, CandidateState.WITHDRAWN)
    record("candidate.withdrawn", candidate)
    return candidate
