"""What each page of environments shows, put together for its template.

Permissions are asked here so that a button that would be refused is disabled and says why; the
service asks again when it is pressed.

Panels of apps above (what waits, deployments of this environment) have one place: on the
environment's page, below the connection. Such an app registers a function that returns the address
of its fragment with ``register_panel``; the page loads each fragment with htmx and links it for
readers without JavaScript.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _

from core.decisions import Allowed, Answer, Denied
from core.errors import DomainError, Stale
from environments import permissions, selectors
from environments.forms import Difference, EditEnvironmentForm, suggested
from environments.models import Credential, Environment, Lease, Snapshot
from environments.rules import Standing
from environments.selectors import Lane, LimitUse, Pipeline
from environments.services.orgs import Words
from environments.states import Connection
from governance import audit
from governance.events import mark_of
from governance.models import AuditEvent, Team, User
from governance.permissions import standing_of

STORY = 30
POLL_SECONDS = 2


@dataclass(frozen=True, slots=True)
class Panel:
    """A fragment that an app above serves about an environment."""

    title: str
    url: str


PanelAddress = Callable[[Environment], str]
_panels: dict[str, PanelAddress] = {}


def register_panel(title: str, address: PanelAddress) -> None:
    """Register a fragment for the environment's page: its title and who knows its address."""
    if _panels.setdefault(title, address) is not address:
        raise ValueError(f"the panel {title!r} is registered twice")


# Registering -------------------------------------------------------------------------------------


def may_register(user: User) -> Answer:
    """Say whether the person may register an org on any track at all."""
    standing = standing_of(user)
    if standing.can("environment.manage_production"):
        return Allowed()
    teams = Team.objects.filter(retired_at=None)
    if any(standing.can("environment.manage", team) for team in teams):
        return Allowed()
    return Denied(
        "permission.no_track",
        _("Team leads register their team's orgs, admins those of production."),
    )


def open_lanes(user: User, pipeline: Pipeline) -> list[Lane]:
    """Return the tracks on which the person may fill a stage that has no org yet."""
    standing = standing_of(user)
    return [
        lane
        for lane in pipeline.every
        if lane.missing
        and (
            standing.can("environment.manage_production")
            if lane.is_production
            else standing.can("environment.manage", lane.team)
        )
    ]


def suggestion(lanes: list[Lane], wanted: QueryDict) -> dict[str, str]:
    """Return the likely entries for the place that the address names, or for the first one."""
    slug, stage = wanted.get("track", ""), wanted.get("stage", "")
    for lane in lanes:
        if lane.slug == slug:
            for missing in lane.missing:
                if missing == stage:
                    return suggested(lane, missing)
    return suggested(lanes[0], lanes[0].missing[0]) if lanes else {}


def may_manage(user: User, environment: Environment) -> Answer:
    """Say whether the person may edit, connect and retire the environment now."""
    if environment.retired_at is not None:
        return Denied("environment.retired", _("It is retired."))
    return permissions.may_manage(user, environment.track)


def with_fresh_version(
    form: EditEnvironmentForm, environment: Environment, refusal: DomainError
) -> EditEnvironmentForm:
    """Return the form with the entries kept; after a Stale with the version that is there now.

    ``form.differences`` then says what the others wrote where it is not what was typed.
    """
    if not isinstance(refusal, Stale):
        return form
    fresh = selectors.find(environment.pk)
    if fresh is None:
        return form
    entries = {name: form.data.get(name, "") for name in form.fields}
    entries["version"] = Words.of(fresh).version()
    again = EditEnvironmentForm(fresh, entries)
    again.is_valid()
    again.differences = tuple(
        Difference(str(again.fields[name].label), str(getattr(Words.of(fresh), name)))
        for name in Words.__slots__
        if str(entries.get(name, "")) != str(getattr(Words.of(fresh), name))
    )
    return again


# One environment ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StoryLine:
    """An event and the mark that stands before it."""

    event: AuditEvent
    state: str
    icon: str


def _story(environment: Environment) -> tuple[StoryLine, ...]:
    events = audit.events_for(environment.public_id, limit=STORY)
    return tuple(StoryLine(event, *mark_of(event.event)) for event in events)


@dataclass(frozen=True, slots=True)
class DetailPage:
    """Everything that the page of an environment shows."""

    environment: Environment
    standing: Standing
    credential: Credential | None
    lease: Lease | None
    checking: bool
    poll_seconds: int
    may_manage: Answer
    may_check: Answer
    may_snapshot: Answer
    may_set_policy: Answer
    limits: tuple[LimitUse, ...]
    snapshots: tuple[Snapshot, ...]
    more_snapshots: bool
    story: tuple[StoryLine, ...]
    panels: tuple[Panel, ...]

    @property
    def protected_because(self) -> str:
        """Why writes need an approval, or an empty text."""
        if self.environment.track.is_production:
            return _("It stands on production's track.")
        if self.environment.is_sandbox is False:
            return _("The org says that it is no sandbox.")
        return ""

    @property
    def is_connected(self) -> bool:
        """Whether the last check found the expected org."""
        return self.environment.connection == Connection.OK


SHOWN_SNAPSHOTS = 5


def detail(user: User, environment: Environment) -> DetailPage:
    """Return the page of one environment."""
    credential = selectors.credential_of(environment)
    checking = selectors.is_checking(environment) and environment.retired_at is None
    recent = selectors.snapshots(environment, size=SHOWN_SNAPSHOTS)
    return DetailPage(
        environment=environment,
        standing=selectors.standing_of(environment),
        credential=credential,
        lease=selectors.lease_of(environment),
        checking=checking,
        poll_seconds=POLL_SECONDS if checking else 0,
        may_manage=may_manage(user, environment),
        may_check=_may_check(user, environment, credential, checking),
        may_snapshot=_may_snapshot(user, environment),
        may_set_policy=_may_set_policy(user, environment),
        limits=selectors.limit_uses(environment),
        snapshots=recent.rows,
        more_snapshots=recent.older_than is not None,
        story=_story(environment),
        panels=tuple(Panel(title, address(environment)) for title, address in _panels.items()),
    )


def _may_check(
    user: User, environment: Environment, credential: Credential | None, checking: bool
) -> Answer:
    if environment.retired_at is not None:
        return Denied("environment.retired", _("It is retired."))
    if credential is None:
        return Denied("environment.no_credential", _("Enter a credential first."))
    if checking:
        return Denied("environment.checking", _("A check runs already."))
    return permissions.may_probe(user, environment)


def _may_snapshot(user: User, environment: Environment) -> Answer:
    if environment.retired_at is not None:
        return Denied("environment.retired", _("It is retired."))
    if environment.connection != Connection.OK:
        return Denied("environment.not_connected", _("Check the connection first."))
    return permissions.may_probe(user, environment)


def _may_set_policy(user: User, environment: Environment) -> Answer:
    if environment.retired_at is not None:
        return Denied("environment.retired", _("It is retired."))
    return standing_of(user).can("environment.set_policy")


@dataclass(frozen=True, slots=True)
class SnapshotsPage:
    """One page of an environment's snapshots."""

    rows: tuple[Snapshot, ...]
    older_url: str
    newer_url: str
    may_snapshot: Answer


def snapshots(user: User, environment: Environment, wanted: QueryDict) -> SnapshotsPage:
    """Return the snapshots below the number that the address names."""
    before = wanted.get("before", "")
    found = selectors.snapshots(environment, int(before) if before.isdecimal() else None)
    path = reverse("environments:snapshots", kwargs={"pk": environment.pk})
    older = f"{path}?before={found.older_than}" if found.older_than else ""
    return SnapshotsPage(
        found.rows, older, path if before else "", _may_snapshot(user, environment)
    )


SNAPSHOT_WORDS: Mapping[str, tuple[str, str]] = {
    "requested": ("waiting", "Requested"),
    "retrieving": ("running", "Retrieving"),
    "done": ("done", "Taken"),
    "failed": ("failed", "Failed"),
}
"""State of a snapshot → its data-state and word."""


def snapshot(found: Snapshot) -> dict[str, Any]:
    """Return what the page of one snapshot shows."""
    state, word = SNAPSHOT_WORDS[found.state]
    asked = [(kind, members) for kind, members in sorted(found.manifest.items())]
    return {
        "snapshot": found,
        "environment": found.environment,
        "state": state,
        "word": word,
        "asked": asked,
        "poll_seconds": 0 if found.settled else POLL_SECONDS,
    }
