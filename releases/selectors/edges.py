"""What waits behind each org to be promoted, for the pipeline picture; few queries for all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.urls import reverse

from environments.models import Environment
from environments.selectors import Edge
from environments.states import Stage
from governance.models import User
from releases.models import (
    Build,
    Candidate,
    Commit,
    Release,
    ReleaseChange,
    ReleaseItem,
    Repository,
)
from releases.selectors import composition
from releases.states import BuildState, CandidateState, ReleaseState

TRAIN = (
    ReleaseState.COMPOSED,
    ReleaseState.INTEGRATING,
    ReleaseState.INTEGRATED,
    ReleaseState.REHEARSING,
    ReleaseState.REHEARSED,
    ReleaseState.SUBMITTED,
    ReleaseState.APPROVED,
    ReleaseState.SCHEDULED,
    ReleaseState.DEPLOYING,
)
FOR_REHEARSAL = (ReleaseState.INTEGRATED, ReleaseState.REHEARSING)
FOR_PRODUCTION = TRAIN[4:]
GATE_OPEN = (ReleaseState.APPROVED, ReleaseState.DEPLOYING)


def edges(user: User, environments: Sequence[Environment]) -> Mapping[int, Edge]:
    """One edge per environment that something can wait behind."""
    repositories = {row.team_id: row for row in Repository.objects.select_related("team")}
    trains = list(Release.objects.filter(state__in=TRAIN).order_by("-pk"))
    waiting = _Waiting(list(repositories.values()), trains)
    found: dict[int, Edge] = {}
    for environment in environments:
        team_id = environment.track.team_id
        if team_id is None:
            edge = _of_production(environment.stage, trains)
        else:
            repository = repositories.get(team_id)
            edge = waiting.of(repository, environment.stage) if repository else None
        if edge is not None:
            found[environment.pk] = edge
    return found


class _Waiting:
    """Numbers by repository, read once for all teams."""

    def __init__(self, repositories: list[Repository], trains: list[Release]) -> None:
        self.commits, self.builds = _since(
            _last_passed(repositories), _last_candidates(repositories), repositories
        )
        self.candidates = dict(
            Candidate.objects.filter(
                state__in=[CandidateState.ACCEPTED, CandidateState.OFFERED],
            )
            .exclude(Exists(_held(OuterRef("pk"))))
            .values_list("repository_id")
            .annotate(number=Count("pk"))
        )
        self.on_train = _on_train(trains)

    def of(self, repository: Repository, stage: str) -> Edge | None:
        """The edge behind one stage of a team's track."""
        slug = {"slug": repository.team.slug}
        if stage == Stage.DEV:
            number = self.commits.get(repository.pk, 0)
            text = _wait(number, "commit", "CI")
            return Edge(number, text, reverse("releases:repository", kwargs=slug))
        if stage == Stage.CI:
            number = self.builds.get(repository.pk, 0)
            text = _wait(number, "build", "TEST")
            return Edge(number, text, reverse("releases:candidates", kwargs=slug))
        if stage != Stage.TEST:
            return None
        if repository.pk in self.on_train:
            tag, train = self.on_train[repository.pk]
            url = f"{train.get_absolute_url()}#contents"
            return Edge(0, f"is in {train.public_id}", url, label=tag, on_train=True)
        number = self.candidates.get(repository.pk, 0)
        text = _wait(number, "candidate", "a release")
        return Edge(number, text, reverse("releases:candidates", kwargs=slug))


def _held(candidate: OuterRef) -> QuerySet[ReleaseItem]:
    return ReleaseItem.objects.filter(candidate=candidate, removed_at__isnull=True)


def _on_train(trains: list[Release]) -> dict[int, tuple[str, Release]]:
    """By repository the tag that is on its way and the newest release that carries it."""
    by_key = {train.pk: train for train in trains}
    rows = ReleaseItem.objects.filter(release__in=by_key, removed_at__isnull=True)
    found = rows.order_by("release_id").values_list(
        "candidate__repository_id", "candidate__tag", "release_id"
    )
    return {repository: (tag, by_key[release]) for repository, tag, release in found}


def _last_passed(repositories: list[Repository]) -> dict[int, str]:
    """Commit of each repository's newest passed build."""
    rows = Build.objects.filter(repository__in=repositories, state=BuildState.PASSED)
    newest = rows.order_by("repository_id", "-pk").distinct("repository_id")
    return dict(newest.values_list("repository_id", "sha"))


def _last_candidates(repositories: list[Repository]) -> dict[int, str]:
    """Commit of each repository's newest candidate."""
    rows = Candidate.objects.filter(repository__in=repositories)
    newest = rows.order_by("repository_id", "-pk").distinct("repository_id")
    return dict(newest.values_list("repository_id", "sha"))


def _since(
    passed: Mapping[int, str], tagged: Mapping[int, str], repositories: list[Repository]
) -> tuple[dict[int, int], dict[int, int]]:
    """By repository the commits on main since the last passed build, and builds since the last tag.

    Both count from the beginning where there is no such build or tag.
    """
    places = {
        (repository, sha): position
        for repository, sha, position in Commit.objects.filter(
            repository__in=repositories, sha__in={*passed.values(), *tagged.values()}
        ).values_list("repository_id", "sha", "position")
    }
    green = Build.objects.filter(
        repository=OuterRef("repository"), sha=OuterRef("sha"), state=BuildState.PASSED
    )
    rows = Commit.objects.filter(
        _after(passed, places, repositories) | _after(tagged, places, repositories)
    ).values_list("repository_id")
    counted = list(
        rows.annotate(
            commits=Count("pk", filter=_after(passed, places, repositories) & Q(on_main=True)),
            builds=Count("pk", filter=_after(tagged, places, repositories) & Q(Exists(green))),
        )
    )
    return (
        {repository: commits for repository, commits, _ in counted},
        {repository: builds for repository, _, builds in counted},
    )


def _after(
    shas: Mapping[int, str],
    places: Mapping[tuple[int, str], int],
    repositories: list[Repository],
) -> Q:
    """Commits that lie behind a given one in each repository; all where none is given."""
    wanted = Q(pk__in=[])
    for row in repositories:
        place = places.get((row.pk, shas.get(row.pk, "")), 0)
        wanted |= Q(repository_id=row.pk, position__gt=place)
    return wanted


def _of_production(stage: str, trains: list[Release]) -> Edge | None:
    """What waits on production's own track; several releases can be on it, one after another."""
    if stage == Stage.CI:
        train = _first_in(trains, FOR_REHEARSAL)
        number = _components(train) if train else 0
        words = _wait(number, "component", "PRE-PRD")
        return Edge(number, words, _url(train), on_train=bool(trains))
    if stage != Stage.PRE_PRD:
        return None
    train = _first_in(trains, FOR_PRODUCTION)
    number = _components(train) if train else 0
    is_open = train is not None and train.state in GATE_OPEN
    return Edge(
        number,
        _wait(number, "component", "Production"),
        _url(train),
        on_train=train is not None,
        gate="open" if is_open else "closed",
        gate_words="Gate open" if is_open else "Gate closed",
    )


def _first_in(trains: list[Release], states: tuple[ReleaseState, ...]) -> Release | None:
    """The release that came first to one of these states; what follows it waits behind."""
    return next((train for train in reversed(trains) if train.state in states), None)


def _components(release: Release) -> int:
    if release.artefact_id is None:
        return 0
    return composition.changes(release).exclude(kind=ReleaseChange.Kind.SAME).count()


def _url(train: Release | None) -> str:
    return train.get_absolute_url() if train else reverse("releases:list")


def _wait(number: int, noun: str, place: str) -> str:
    return f"{noun} waits for {place}" if number == 1 else f"{noun}s wait for {place}"
