"""What the pages of requests about sandboxes show, put together for their templates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from core.db import database_now
from core.decisions import Answer
from core.errors import NotNow
from environments import permissions, selectors
from environments import rules_sandboxes as rules
from environments import selectors_sandboxes as reads
from environments.models import Environment, Lease, Sandbox, SandboxRequest
from environments.pages import StoryLine
from environments.services.sandboxes import facts, outlook, policies, requests
from environments.services.sandboxes.outlook import Offer, Outlook
from environments.states import (
    SANDBOX_UNDER_WAY,
    SANDBOX_WAITING,
    SandboxAction,
    SandboxStart,
    SandboxState,
)
from governance import approvals, audit
from governance.deciding import RuleRow, rule_rows
from governance.events import mark_of
from governance.models import ApprovalRequest, Team, User
from governance.permissions import standing_of

STORY = 40
POLL_SECONDS = 3
TITLES = {
    SandboxAction.REFRESH: "Refresh %(name)s",
    SandboxAction.DELETE: "Delete the sandbox of %(name)s",
}


def asking(
    user: User, environment: Environment, sandbox: Sandbox, action: SandboxAction
) -> dict[str, object]:
    """What the form of a request shows before it is sent."""
    now, owner = database_now(), sandbox.production
    wish = facts.Wish(
        action=action,
        start=SandboxStart.NOW,
        name=sandbox.name,
        licence_type=sandbox.licence_type,
        sandbox=sandbox,
        template_id=sandbox.template_id or "-",
    )
    view = outlook.of(environment)
    return {
        "title": _(TITLES[action]) % {"name": environment.name},
        "button": _("Ask for it"),
        "is_dangerous": action is SandboxAction.DELETE,
        "environment": environment,
        "sandbox": sandbox,
        "back": environment.get_absolute_url(),
        "back_label": f"{environment.public_id} {environment.name}",
        "obstacles": rules.obstacles(facts.facts_of(owner, wish, now)),
        "next_refresh": reads.next_refresh(sandbox),
        "is_refresh": action is SandboxAction.REFRESH,
        "days": rules.refresh_days(sandbox.licence_type, reads.overrides()),
        "expected": reads.expected_seconds(owner, sandbox.licence_type),
        "outlook": view,
        "lease": selectors.lease_of(environment),
        "live": reads.live_request(environment),
        "deciders": _deciders(environment, user),
        "may": permissions.may_ask_sandbox(user, environment, None),
    }


def creating(user: User, may: bool) -> dict[str, object]:
    """What the form for a new sandbox shows."""
    owner = reads.production()
    return {
        "title": _("Ask for a new sandbox"),
        "button": _("Ask for it"),
        "licences": reads.licences(owner) if owner else (),
        "deciders": _deciders(None, user),
        "may": may,
    }


def _deciders(environment: Environment | None, user: User) -> list[str]:
    try:
        return policies.deciding(environment, user).words
    except NotNow as refusal:
        return [refusal.message]


def teams_of(user: User) -> list[tuple[str, str, Team | None]]:
    """For whom the person may ask for a new sandbox: slug, name and team."""
    standing = standing_of(user)
    found: list[tuple[str, str, Team | None]] = [
        (team.slug, team.name, team)
        for team in Team.objects.filter(retired_at=None).order_by("name")
        if standing.can("sandbox.ask", team)
    ]
    if standing.can("sandbox.ask_production"):
        found.append(("", _("the production track"), None))
    return found


# One request -------------------------------------------------------------------------------------

WORDS: dict[SandboxState, tuple[str, str]] = {
    SandboxState.ASKED: ("waiting", "Waits for approval"),
    SandboxState.APPROVED: ("waiting", "Approved"),
    SandboxState.STARTING: ("running", "Being started"),
    SandboxState.COPYING: ("running", "Copying"),
    SandboxState.TO_ACTIVATE: ("waiting", "Waits for activation"),
    SandboxState.ACTIVATING: ("running", "Being activated"),
    SandboxState.UNKNOWN: ("unknown", "Outcome unknown"),
    SandboxState.RECONNECT: ("waiting", "Connect it anew"),
    SandboxState.DONE: ("done", "Done"),
    SandboxState.FAILED: ("failed", "Not done"),
    SandboxState.REJECTED: ("failed", "Rejected"),
    SandboxState.WITHDRAWN: ("none", "Withdrawn"),
    SandboxState.LAPSED: ("none", "Lapsed"),
}


@dataclass(frozen=True, slots=True)
class RequestPage:
    """Everything that the page of a request shows."""

    state: str
    word: str
    digest: str
    asked: ApprovalRequest | None
    standing: approvals.Progress | None
    rules: list[RuleRow]
    may_decide: Answer | None
    has_decided: bool
    may_withdraw: bool
    may_settle: Answer | None
    may_reconnect: bool
    starts_at: datetime | None
    share: int
    elapsed: float | None
    lease: Lease | None
    outlook: Outlook
    offers: tuple[Offer, ...]
    story: tuple[StoryLine, ...]
    poll_seconds: int

    @property
    def is_open(self) -> bool:
        """Whether people are asked now."""
        return self.asked is not None and self.asked.is_live


def request(user: User, found: SandboxRequest) -> RequestPage:
    """Return the page of one request."""
    now = database_now()
    state, word = WORDS[SandboxState(found.state)]
    digest, asked = facts.digest_of(found), requests.question_of(found)
    standing = approvals.progress(asked, current_digest=digest) if asked else None
    mine = [*standing.approvals, *standing.rejections] if standing else []
    may_ask = permissions.may_ask_sandbox(user, found.environment, found.team)
    waits = found.state in SANDBOX_WAITING
    under_way = found.state in SANDBOX_UNDER_WAY
    begun = found.started_at or found.intended_at
    elapsed = (now - begun).total_seconds() if begun and under_way else None
    view = outlook.of(found.environment) if found.environment else Outlook()
    done = found.state == SandboxState.DONE and found.action == SandboxAction.REFRESH
    starts = requests.starts_at(found, now) if waits else None
    return RequestPage(
        state=state,
        word=word,
        digest=digest,
        asked=asked,
        standing=standing,
        rules=rule_rows(standing) if standing else [],
        may_decide=standing.may_decide(user) if standing and waits else None,
        has_decided=any(ballot.person.pk == user.pk for ballot in mine),
        may_withdraw=waits and bool(may_ask),
        may_settle=may_ask if found.state == SandboxState.TO_ACTIVATE else None,
        may_reconnect=found.state == SandboxState.RECONNECT
        and found.environment is not None
        and bool(permissions.may_manage(user, found.environment.track)),
        starts_at=starts if starts and starts > now else None,
        share=rules.share(found.progress, elapsed or 0.0, found.expected_seconds),
        elapsed=elapsed,
        lease=selectors.lease_of(found.environment) if waits and found.environment else None,
        outlook=view if waits else Outlook(),
        offers=view.offers if done else (),
        story=_story(found),
        poll_seconds=POLL_SECONDS if under_way else 0,
    )


def _story(found: SandboxRequest) -> tuple[StoryLine, ...]:
    events = audit.events_for(found.public_id, limit=STORY)
    return tuple(StoryLine(event, *mark_of(event.event)) for event in events)


# On the environment's page -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SandboxPart:
    """The sandbox of an environment, on that environment's page."""

    sandbox: Sandbox
    next_refresh: datetime | None
    live: SandboxRequest | None
    to_reconnect: SandboxRequest | None
    may_reconnect: Answer
    recent: tuple[tuple[SandboxRequest, str], ...]
    offers: tuple[Offer, ...]
    may_ask: Answer


def part(user: User, environment: Environment) -> SandboxPart | None:
    """Return the part about its sandbox; None where production lists none."""
    sandbox = reads.sandbox_of(environment)
    if sandbox is None:
        return None
    earliest = reads.next_refresh(sandbox)
    rows = SandboxRequest.objects.filter(environment=environment).select_related("environment")
    recent = tuple(rows.order_by("-pk")[:5])
    newest = recent[0] if recent else None
    fresh = (
        newest is not None and newest.state == SandboxState.DONE and not environment.holds_digest
    )
    return SandboxPart(
        sandbox=sandbox,
        next_refresh=earliest if earliest and earliest > database_now() else None,
        live=reads.live_request(environment),
        to_reconnect=reads.to_reconnect(environment),
        may_reconnect=permissions.may_manage(user, environment.track),
        recent=tuple((row, WORDS[SandboxState(row.state)][1]) for row in recent),
        offers=outlook.of(environment).offers if fresh else (),
        may_ask=permissions.may_ask_sandbox(user, environment, None),
    )
