"""Which capability an act on an environment needs; roles are decided by ``governance``."""

from __future__ import annotations

from dataclasses import dataclass

from core.decisions import Answer
from environments.models import Environment, Track
from environments.states import FreezeScope
from governance.models import Team, User
from governance.permissions import can, demand


@dataclass(frozen=True, slots=True)
class Needed:
    """A capability and the team for which it is needed."""

    capability: str
    team: Team | None


def to_manage(track: Track) -> Needed:
    """What registering, editing, connecting and retiring on a track needs."""
    if track.is_production:
        return Needed("environment.manage_production", None)
    return Needed("environment.manage", track.team)


def to_probe(environment: Environment) -> Needed:
    """What looking into the org needs: checking the connection, taking a snapshot.

    A protected environment needs more, wherever it stands (design 5).
    """
    if environment.protected:
        return Needed("environment.probe_production", None)
    return Needed("environment.probe", environment.track.team)


def may_manage(user: User, track: Track) -> Answer:
    """Say whether the person may manage the environments of a track."""
    needed = to_manage(track)
    return can(user, needed.capability, team=needed.team)


def may_probe(user: User, environment: Environment) -> Answer:
    """Say whether the person may check and snapshot an environment."""
    needed = to_probe(environment)
    return can(user, needed.capability, team=needed.team)


def demand_manage(track: Track) -> None:
    """Raise NotAllowed unless the present actor may manage the track's environments."""
    needed = to_manage(track)
    demand(needed.capability, team=needed.team)


def demand_probe(environment: Environment) -> None:
    """Raise NotAllowed unless the present actor may check and snapshot the environment."""
    needed = to_probe(environment)
    demand(needed.capability, team=needed.team)


# Sandboxes ----------------------------------------------------------------------------------------


def to_ask_sandbox(environment: Environment | None, team: Team | None) -> Needed:
    """What a request about a sandbox needs: the team's own, or production's track."""
    owner = environment.track.team if environment is not None else team
    if owner is None:
        return Needed("sandbox.ask_production", None)
    return Needed("sandbox.ask", owner)


def may_ask_sandbox(user: User, environment: Environment | None, team: Team | None) -> Answer:
    """Say whether the person may ask for a refresh, a new sandbox or the end of one."""
    needed = to_ask_sandbox(environment, team)
    return can(user, needed.capability, team=needed.team)


def demand_sandbox(environment: Environment | None, team: Team | None) -> None:
    """Raise NotAllowed unless the present actor may ask for it."""
    needed = to_ask_sandbox(environment, team)
    demand(needed.capability, team=needed.team)


# The calendar -------------------------------------------------------------------------------------


def to_freeze(scope: str, track: Track | None, team: Team | None) -> Needed:
    """What freezing, and asking to lift, needs: a team's lead may freeze what is the team's own."""
    if scope == FreezeScope.TEAM:
        return Needed("calendar.freeze_team", team)
    if scope == FreezeScope.TRACK and track is not None and track.team is not None:
        return Needed("calendar.freeze_team", track.team)
    return Needed("calendar.freeze", None)


def may_freeze(user: User, scope: str, track: Track | None, team: Team | None) -> Answer:
    """Say whether the person may freeze in this scope."""
    needed = to_freeze(scope, track, team)
    return can(user, needed.capability, team=needed.team)


def demand_freeze(scope: str, track: Track | None, team: Team | None) -> None:
    """Raise NotAllowed unless the present actor may freeze in this scope."""
    needed = to_freeze(scope, track, team)
    demand(needed.capability, team=needed.team)
