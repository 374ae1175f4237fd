"""What pages show of environments, read with a bounded number of queries.

``pipeline(user)`` is the home picture and the board. What waits behind an org is known only to the
app above, which registers it: ``register_edge_counts(provider)``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from django.core.exceptions import ObjectDoesNotExist

from environments import rules
from environments.models import Credential, Environment, Lease, Snapshot
from environments.rules import Standing, StandingFacts
from environments.states import STAGES, Connection, HoldState, Kind, Stage, TrackKind
from governance.models import Team, User

ATTENTION = frozenset({"failed", "unknown", "waiting"})


@dataclass(frozen=True, slots=True)
class Edge:
    """What waits behind an org to be promoted; ``words`` read on after the number."""

    count: int
    words: str
    url: str = ""
    label: str = ""
    on_train: bool = False
    gate: str = ""
    gate_words: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """A stage of a track and the org that fills it, if any."""

    stage: Stage
    environment: Environment | None
    standing: Standing
    edge: Edge | None

    @property
    def tightest(self) -> tuple[str, int] | None:
        """The org's limit nearest to its end, as words and whole per cent."""
        return tightest_limit(self.environment) if self.environment else None

    @property
    def needs_attention(self) -> bool:
        """Whether somebody has to do something here."""
        return self.environment is not None and self.standing.state in ATTENTION


@dataclass(frozen=True, slots=True)
class Lane:
    """One track with its stages from left to right; ``team`` is None for production."""

    name: str
    team: Team | None
    is_production: bool
    places: tuple[Place, ...]

    @property
    def slug(self) -> str:
        """The team's slug; empty for production."""
        return self.team.slug if self.team else ""

    @property
    def filled(self) -> tuple[Place, ...]:
        """The stages that an org fills."""
        return tuple(place for place in self.places if place.environment is not None)

    @property
    def missing(self) -> tuple[Stage, ...]:
        """The stages without an org."""
        return tuple(place.stage for place in self.places if place.environment is None)


@dataclass(frozen=True, slots=True)
class Pipeline:
    """All tracks: the teams' by name, and the one that leads to production."""

    lanes: tuple[Lane, ...]
    production: Lane
    owner: Team | None
    """The team that owns production."""

    @property
    def org(self) -> Environment | None:
        """Production itself."""
        orgs = [place.environment for place in self.production.filled if place.environment]
        return next((org for org in orgs if org.kind == Kind.PRODUCTION), None)

    @property
    def every(self) -> tuple[Lane, ...]:
        """Production first, then the teams: the order of the board."""
        return (self.production, *self.lanes)

    @property
    def is_empty(self) -> bool:
        """Whether no org is registered at all."""
        return not any(lane.filled for lane in self.every)


EdgeProvider = Callable[[User, Sequence[Environment]], Mapping[int, Edge]]
_edge_providers: list[EdgeProvider] = []


def register_edge_counts(provider: EdgeProvider) -> EdgeProvider:
    """Register who knows what waits behind an org: (user, environments) → environment id → Edge.

    Asked once for all environments of a picture. A later provider's edge wins.
    """
    if provider not in _edge_providers:
        _edge_providers.append(provider)
    return provider


def pipeline(user: User) -> Pipeline:
    """Return all tracks with the state of every org and what waits behind it."""
    environments = _listed()
    edges: dict[int, Edge] = {}
    for provider in _edge_providers:
        edges.update(provider(user, environments))
    by_place = {(_owner(item), item.stage): item for item in environments}
    teams = list(Team.objects.filter(retired_at=None).order_by("name"))
    lanes = [_lane(team.name, team, by_place, edges) for team in teams]
    shown = tuple(lane for lane in lanes if lane.filled or not _owns_production(lane.team))
    owner = next((team for team in teams if team.owns_production), None)
    return Pipeline(shown, _lane("Production", None, by_place, edges), owner)


def _owns_production(team: Team | None) -> bool:
    return team is not None and team.owns_production


def _owner(environment: Environment) -> int | None:
    return environment.track.team_id


def _lane(
    name: str,
    team: Team | None,
    by_place: Mapping[tuple[int | None, str], Environment],
    edges: Mapping[int, Edge],
) -> Lane:
    kind = TrackKind.PRODUCTION if team is None else TrackKind.DEVELOPER
    places = []
    for stage in STAGES[kind]:
        environment = by_place.get((team.pk if team else None, stage.value))
        standing = (
            standing_of(environment)
            if environment
            else Standing("No org", "none", "No org fills this stage yet.")
        )
        edge = edges.get(environment.pk) if environment else None
        places.append(Place(stage, environment, standing, edge))
    return Lane(name, team, team is None, tuple(places))


def _listed() -> list[Environment]:
    """Return the living environments with everything that a picture reads, in one query."""
    rows = Environment.objects.live().select_related("track__team", "lease", "credential", "policy")
    return list(rows.defer("credential__ciphertext"))


def find(environment_id: int) -> Environment | None:
    """Return one environment with everything its page names, retired or not."""
    return (
        Environment.objects.select_related("track__team", "lease", "credential__set_by", "policy")
        .defer("credential__ciphertext")
        .filter(pk=environment_id)
        .first()
    )


def credential_of(environment: Environment) -> Credential | None:
    """Return what may be shown of the credential; None when there is none."""
    try:
        return environment.credential
    except ObjectDoesNotExist:
        return None


def lease_of(environment: Environment) -> Lease | None:
    """Return who uses the environment now."""
    try:
        return environment.lease
    except ObjectDoesNotExist:
        return None


def is_checking(environment: Environment) -> bool:
    """Say whether a check was asked for and has no result yet."""
    asked, checked = environment.check_requested_at, environment.checked_at
    return asked is not None and (checked is None or checked < asked)


def standing_of(environment: Environment) -> Standing:
    """Return the environment's state in one word."""
    lease = lease_of(environment)
    return rules.standing(
        StandingFacts(
            retired=environment.retired_at is not None,
            has_credential=credential_of(environment) is not None,
            in_use_by=lease.label if lease else "",
            checking=is_checking(environment),
            connection=Connection(environment.connection),
            connection_message=environment.connection_message,
            hold_state=HoldState(environment.hold_state),
            hold_note=environment.hold_note,
        )
    )


LIMIT_WORDS = {
    "DailyApiRequests": "API calls",
    "DailyAsyncApexExecutions": "Async Apex",
    "DataStorageMB": "Data storage",
    "FileStorageMB": "File storage",
    "HourlyPublishedPlatformEvents": "Platform events",
}


@dataclass(frozen=True, slots=True)
class LimitUse:
    """One limit for the page: its words, how much is used, and whole per cent."""

    words: str
    used: int
    maximum: int
    percent: int


def limit_uses(environment: Environment) -> tuple[LimitUse, ...]:
    """Return the org's limits as last seen, the tightest first."""
    found = []
    for name, (maximum, remaining) in environment.limits.items():
        if maximum > 0:
            used = maximum - remaining
            words = LIMIT_WORDS.get(name, name)
            found.append(LimitUse(words, used, maximum, round(100 * used / maximum)))
    return tuple(sorted(found, key=lambda use: (-use.percent, use.words)))


def tightest_limit(environment: Environment) -> tuple[str, int] | None:
    """Return the limit nearest to its end, as words and whole per cent."""
    pairs = {name: (pair[0], pair[1]) for name, pair in environment.limits.items()}
    found = rules.tightest(pairs)
    return (LIMIT_WORDS.get(found[0], found[0]), found[1]) if found else None


PAGE = 25


@dataclass(frozen=True, slots=True)
class SnapshotPage:
    """One page of an environment's snapshots, newest first, keyset paged by number."""

    rows: tuple[Snapshot, ...]
    older_than: int | None


def snapshots(
    environment: Environment, before: int | None = None, size: int = PAGE
) -> SnapshotPage:
    """Return the snapshots of an environment below a number."""
    rows = environment.snapshots.defer("manifest", "messages").order_by("-pk")
    if before is not None:
        rows = rows.filter(pk__lt=before)
    found = list(rows[: size + 1])
    older = found[size - 1].pk if len(found) > size else None
    return SnapshotPage(tuple(found[:size]), older)


def snapshot(snapshot_id: int) -> Snapshot | None:
    """Return one snapshot with its environment."""
    return (
        Snapshot.objects.select_related("environment__track__team").filter(pk=snapshot_id).first()
    )
