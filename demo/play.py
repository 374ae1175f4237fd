"""Play Northwind's last three weeks: commits, tests, and three releases on their way.

Everything goes through the product's services, in the name of the person whose act it is, and the
jobs they set going are done by the stagehands. A chapter that was played is passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from demo.content.people import MAREK, TEAMS, Person
from demo.content.story import When
from demo.content.tide import Tide
from demo.past import Past
from demo.scenery import as_person
from demo.stagehands import Stagehands
from governance.models import AuditEvent, Decision
from releases.models import Candidate, Release, Repository
from releases.services import approval, candidates, releases, stages
from releases.states import CandidateState, ReleaseState


class PlayStopped(Exception):
    """The story did not go as written; the text says where."""


@dataclass(frozen=True)
class Train:
    """A release of the story: what it carries and how far it comes."""

    title: str
    bump: str
    notes: str
    impact: str
    contents: Sequence[tuple[str, str]]


RENEWALS = Train(
    "Renewal quotes",
    "minor",
    "Sales quotes renewals from the opportunity. Cases reopen when a customer replies. "
    "Promotions multiply loyalty points.",
    "New tabs for sales and loyalty; agents see reopened cases in a list of their own.",
    (("sales", "v4.1.0"), ("service", "v1.9.0"), ("loyalty", "v0.7.0")),
)
HOUSEHOLDS = Train(
    "Households and tiers",
    "minor",
    "Accounts belong to households, whose discount counts in renewal quotes. "
    "Loyalty tiers are recalculated every night.",
    "A scheduled flow starts every night at two; two permission sets gain access to accounts.",
    (("sales", "v4.2.0"), ("loyalty", "v0.8.0")),
)
VISITS = Train(
    "Visit planner",
    "minor",
    "Service agents plan visits from the case.",
    "Agents need the permission set Visit Planner.",
    (("service", "v1.10.0"),),
)
CALLBACKS = Train(
    "Callback promise",
    "minor",
    "Customers read by when they are called back.",
    "A new sentence on the pages of accounts and cases.",
    (("sales", "v4.3.0"), ("service", "v1.11.0")),
)
NOTES = {
    "sales": "Priya and two account managers walked through the protocol; all 14 cases passed.",
    "service": "Tried by the night shift for two days; nothing to add.",
    "loyalty": "Checked against last month's statements of 40 members.",
}


class Play:
    """The stage: the clock, the hands, and the acts of the story."""

    def __init__(
        self, *, today: datetime, past: Past, hands: Stagehands, tides: Mapping[str, Tide]
    ) -> None:
        self._today = today
        self._past = past
        self._hands = hands
        self._tides = tides

    def at(self, days: int, time: str) -> None:
        """Let time pass until a moment before today; what teams push meanwhile is built."""
        moment = When(days, time).on(self._today)
        for evening in self._evenings(moment):
            self._past.go_to(evening)
            self.fetch()
        self._past.go_to(moment)
        self.fetch()

    def fetch(self) -> None:
        """Show what the teams have pushed by now, and let the workers fetch and build it."""
        for team, tide in self._tides.items():
            if tide.rise(self._past.now()):
                self._hands.fetch(Repository.objects.get(team__slug=team).pk)
        self._hands.settle()

    def work(self) -> None:
        """Let the workers finish what is set going; nobody pushes meanwhile."""
        self._hands.settle()

    def _evenings(self, until: datetime) -> list[datetime]:
        """Name the ends of the days before the moment on which a team has pushed something."""
        days = {
            pushed.replace(hour=18, minute=30, second=0, microsecond=0)
            for tide in self._tides.values()
            for pushed in tide.moments()
        }
        return sorted(day for day in days if self._past.now() < day < until)

    def send_to_test(self, train: Train) -> None:
        """Send the train's tags to TEST and sign the user testing."""
        for team, tag in train.contents:
            lead, developer = TEAMS[team][0], TEAMS[team][1]
            candidate = self._candidate(team, tag)
            if candidate is None:
                repository = Repository.objects.get(team__slug=team)
                with as_person(developer):
                    candidate = candidates.create(repository_id=repository.pk, tag=tag)
            self.work()
            candidate.refresh_from_db()
            if candidate.state == CandidateState.FAILED:
                raise PlayStopped(f"{candidate} failed in TEST: {candidate.message}")
            if candidate.state == CandidateState.DEPLOYED:
                with as_person(lead):
                    candidates.pass_test(candidate_id=candidate.pk, note=NOTES[team])

    def offer(self, train: Train) -> None:
        """Offer the tested tags to the release manager."""
        for team, tag in train.contents:
            candidate = self._candidate(team, tag)
            if candidate is not None and candidate.state == CandidateState.ACCEPTED:
                with as_person(TEAMS[team][0]):
                    candidates.offer(candidate_id=candidate.pk)

    def _candidate(self, team: str, tag: str) -> Candidate | None:
        return Candidate.objects.filter(team__slug=team, tag=tag).order_by("-pk").first()

    def compose(self, train: Train) -> Release:
        """Open the release, put the candidates into it and let it be composed."""
        return self._compose(train, ReleaseState.COMPOSED)

    def clash(self, train: Train) -> Release:
        """Like compose, for candidates that contradict each other: a person has to decide."""
        release = Release.objects.filter(title=train.title).order_by("pk").first()
        if release is not None and release.conflicts.exists():
            return release
        return self._compose(train, ReleaseState.DRAFT)

    def _compose(self, train: Train, after: ReleaseState) -> Release:
        release = Release.objects.filter(title=train.title).order_by("pk").first()
        with as_person(MAREK):
            if release is None:
                release = releases.create(
                    title=train.title, bump=train.bump, notes=train.notes, impact=train.impact
                )
            held = set(
                release.items.filter(removed_at__isnull=True).values_list("candidate_id", flat=True)
            )
            for team, tag in train.contents:
                candidate = self._candidate(team, tag)
                if (
                    candidate is not None
                    and candidate.pk not in held
                    and release.state == ReleaseState.DRAFT
                ):
                    releases.add_candidate(release_id=release.pk, candidate_id=candidate.pk)
        return self._act(release, ReleaseState.DRAFT, releases.compose, after)

    def integrate(self, release: Release) -> None:
        """Send the release to the integration org."""
        self._act(release, ReleaseState.COMPOSED, stages.integrate, ReleaseState.INTEGRATED)

    def rehearse(self, release: Release) -> None:
        """Send the release to PRE-PRD."""
        self._act(release, ReleaseState.INTEGRATED, stages.rehearse, ReleaseState.REHEARSED)

    def submit(self, release: Release) -> None:
        """Prepare production and put the release before the board."""
        release.refresh_from_db()
        if release.state != ReleaseState.REHEARSED:
            return
        if stages.preparation_of(release) is None:
            with as_person(MAREK):
                stages.prepare(release_id=release.pk)
            self.work()
        self._act(release, ReleaseState.REHEARSED, stages.submit, ReleaseState.SUBMITTED)

    def approve(self, release: Release, person: Person, comment: str) -> None:
        """Let a member of the board approve what the page shows."""
        release.refresh_from_db()
        shown = approval.card(release)
        if release.state != ReleaseState.SUBMITTED or shown.request is None:
            return
        if Decision.objects.filter(request=shown.request, person__email=person.email).exists():
            return
        with as_person(person):
            approval.decide(
                release_id=release.pk,
                verdict="approve",
                comment=comment,
                shown_digest=shown.shown_digest,
                auth_strength="password",
            )
        self.work()

    def plan_window(
        self, release: Release, opens: tuple[int, str], closes: tuple[int, str]
    ) -> None:
        """Plan a release for a window from and to times so many days ahead of today."""
        release.refresh_from_db()
        if release.not_before is None:
            with as_person(MAREK):
                releases.edit(
                    release_id=release.pk,
                    not_before=_ahead(self._today, *opens),
                    not_after=_ahead(self._today, *closes),
                )

    def _act(
        self,
        release: Release,
        before: ReleaseState,
        act: Callable[..., object],
        after: ReleaseState,
    ) -> Release:
        """Let the release manager act on a release in one state, and see it reach another."""
        release.refresh_from_db()
        if release.state != before:
            return release
        with as_person(MAREK):
            act(release_id=release.pk)
        self.work()
        release.refresh_from_db()
        if release.state != after:
            raise PlayStopped(
                f"{release} is {release.state} instead of {after}: {release.state_note}"
            )
        return release


def _ahead(today: datetime, days: int, time: str) -> datetime:
    hour, minute = (int(part) for part in time.split(":"))
    day = today + timedelta(days=days)
    return day.replace(hour=hour, minute=minute, second=0, microsecond=0)


def began_at(today: datetime) -> datetime:
    """When the story begins, or goes on after an interruption."""
    first = When(21, "07:00").on(today)
    newest = AuditEvent.objects.order_by("-at").values_list("at", flat=True).first()
    return max(first, newest) if newest else first
