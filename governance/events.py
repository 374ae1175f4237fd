"""The registry of history's events and the events of governance. Pure Python.

An event has a dotted name in the past tense and one sentence that continues the actor's name:
"Ben Okafor" + "approved R-42 for Production". Unknown events and missing facts raise: a history
with holes is worse than none.

An app declares its events as ``EVENTS = {"release.composed": "composed {subject} …"}`` in
``<app>/events.py``; they are registered when Django starts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from string import Formatter
from typing import Any

from core.digests import PATTERN as DIGEST
from core.digests import short

NAME = re.compile(r"[a-z][a-z_]*(\.[a-z][a-z_]*)+")


class EventError(LookupError):
    """An event that nobody registered, or one without the facts its sentence needs."""


@dataclass(frozen=True, slots=True)
class EventType:
    """A kind of event: its sentence, and the mark that stands before it on a page."""

    name: str
    template: str
    state: str
    icon: str

    @property
    def group(self) -> str:
        """The first word of the name, by which pages filter."""
        return self.name.partition(".")[0]


_known: dict[str, EventType] = {}

# How the last word of an event's name is marked, unless its registration says otherwise:
# (state, icon).
_MARKS: dict[str, tuple[str, str]] = {
    "approved": ("done", "approve"),
    "rejected": ("failed", "reject"),
    "withdrawn": ("", "reject"),
    "voided": ("failed", "reject"),
    "failed": ("failed", "failed"),
    "refused": ("failed", "failed"),
    "crashed": ("failed", "failed"),
    "unknown": ("unknown", "unknown"),
    "held": ("held", "held"),
    "expired": ("waiting", "waiting"),
    "submitted": ("waiting", "waiting"),
    "opened": ("waiting", "waiting"),
    "proposed": ("waiting", "waiting"),
    "succeeded": ("done", "done"),
    "satisfied": ("done", "done"),
    "used": ("done", "done"),
    "passed": ("done", "done"),
    "deployed": ("done", "done"),
    "integrated": ("done", "done"),
    "rehearsed": ("done", "done"),
    "verified": ("done", "done"),
    "broken": ("failed", "failed"),
    "confirmed": ("done", "approve"),
    "started": ("running", "running"),
}
_ICONS: dict[str, str] = {
    "approval": "approve",
    "build": "package",
    "candidate": "package",
    "deployment": "release",
    "environment": "environment",
    "freeze": "freeze",
    "database": "warning",
    "identity": "team",
    "installation": "mark",
    "membership": "team",
    "person": "team",
    "policy": "lock",
    "release": "release",
    "repository": "history",
    "security": "warning",
    "snapshot": "backup",
    "step": "right",
    "team": "team",
}


def register_events(
    sentences: Mapping[str, str], *, marks: Mapping[str, tuple[str, str]] | None = None
) -> None:
    """Make events known; ``marks`` gives (state, icon) where the last word does not tell it."""
    for name, template in sentences.items():
        if not NAME.fullmatch(name):
            raise ValueError(f"{name!r} is not a dotted event name")
        group, last = name.partition(".")[0], name.rpartition(".")[2]
        mark = (marks or {}).get(name) or _MARKS.get(last) or ("", _ICONS.get(group, "history"))
        event = EventType(name, template, *mark)
        if _known.setdefault(name, event) != event:
            raise ValueError(f"event {name} is registered twice with different sentences")


def event_type(name: str) -> EventType:
    """Return a registered event; raises EventError for any other."""
    try:
        return _known[name]
    except KeyError:
        raise EventError(f"event {name!r} is not registered") from None


def known_events() -> dict[str, EventType]:
    """Return all registered events by name."""
    return dict(sorted(_known.items()))


def mark_of(name: str) -> tuple[str, str]:
    """Return (state, icon) of an event; also of one that an older version wrote."""
    known = _known.get(name)
    return (known.state, known.icon) if known else ("", "history")


def sentence(name: str, *, actor: str, subject: str, facts: Mapping[str, Any]) -> str:
    """Tell an event in one sentence; raises EventError when a fact is missing."""
    template = event_type(name).template
    values = {key: in_words(value) for key, value in facts.items()}
    values["subject"] = subject
    wanted = {field for _, field, _, _ in Formatter().parse(template) if field}
    missing = wanted - set(values)
    if missing:
        raise EventError(f"event {name} lacks {', '.join(sorted(missing))}")
    return f"{actor} {template.format_map(values)}"


def in_words(value: Any) -> str:
    """Write a fact the way a sentence needs it: digests short, lists with "and", times in UTC."""
    if value is None or value == "":
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%-d %b %Y %H:%M} UTC"
    if isinstance(value, (list, tuple, set, frozenset)):
        return enumeration([in_words(item) for item in value])
    text = str(value)
    return DIGEST.sub(lambda found: short(found[0]), text)


def enumeration(words: list[str], last: str = "and") -> str:
    """Join words as a sentence does: ``A, B and C``."""
    if len(words) < 2:
        return words[0] if words else "none"
    return f"{', '.join(words[:-1])} {last} {words[-1]}"


EVENTS: dict[str, str] = {
    "installation.founded": "founded this installation: {subject} owns production, "
    "{board} are on the release board",
    "team.created": "created the team {subject}",
    "team.renamed": "renamed the team {old} to {subject}",
    "team.retired": "retired the team {subject}",
    "person.invited": "invited {subject}",
    "person.joined": "joined with a one-time link",
    "person.signed_in": "signed in",
    "person.last_try": "counted {tries} wrong passwords for {subject}; more are refused for "
    "{minutes} minutes",
    "person.password_changed": "changed the password",
    "person.second_factor_begun": "began to set up a second factor of the own account",
    "person.second_factor_added": "added a second factor to the own account",
    "person.second_factor_removed": "removed the second factor of the own account",
    "person.recovery_codes_renewed": "made new recovery codes",
    "person.recovery_code_used": "took a recovery code of {subject}; {left} are left",
    "person.sessions_ended": "ended all other sessions of the own account",
    "person.reset_sent": "sent {subject} a link for a {what}",
    "person.reset": "took a {what} into use after a reset",
    "person.edited": "changed {changed} of {subject}",
    "person.deactivated": "deactivated {subject}: {reason}",
    "person.reactivated": "reactivated {subject}",
    "membership.granted": "made {subject} {role} of {team}",
    "membership.revoked": "took the role {role} of {team} from {subject}",
    "seat.asked": "put {subject} to the release board: {reason}",
    "seat.approved": "let the delay begin after which {subject} takes effect: {effective}",
    "seat.taken": "gave {person} the role {role} of {team}, as the release board approved",
    "reset.asked": "put to the release board: {subject}, {reason}",
    "reset.approved": "let the delay begin after which the link works: {subject}, {effective}",
    "matter.reopened": "left {subject} without enough approvals before it took effect",
    "matter.refused": "closed {subject}: {reason}",
    "matter.cancelled": "stopped {subject}: {reason}",
    "delegation.given": "let {subject} decide as {role} in the place of {holder}, from {start} "
    "until {end}: {reason}",
    "delegation.ended": "ended that {subject} decides as {role} in the place of {holder}",
    "service.created": "created the service account {subject}",
    "service.closed": "closed the service account {subject}",
    "token.created": "made the token {label} of {subject} for {scopes}, until {expires}",
    "token.revoked": "revoked the token {label} of {subject}",
    "identity.mapped": "matched the Git address {email} with {subject}",
    "identity.ended": "ended the match of the Git address {email} with {subject}",
    "person.same_marked": "said that {subject} ({email}) is another account of {first}: {reason}",
    "person.same_ended": "said that {subject} ({email}) is no other account of {first}",
    "policy.created": "created the policy {policy}",
    "policy.proposed": "proposed version {number} of the policy {policy}: {changes}",
    "policy.confirmed": "confirmed version {number} of the policy {policy}, proposed by {proposer}",
    "policy.withdrawn": "withdrew the proposed version of the policy {policy}",
    "policy.retired": "retired the policy {policy}",
    "policy.unsatisfiable": "found that nobody can fulfil the policy {policy} any more: {problem}",
    "approval.opened": "asked for approval of {label}, until {expires}",
    "approval.approved": "approved {label}",
    "approval.rejected": "rejected {label}: {comment}",
    "approval.taken_back": "took back the {verdict} of {label}",
    "approval.satisfied": "gave the last approval that {label} needed",
    "approval.reopened": "left {label} without enough approvals",
    "approval.superseded": "voided the request {subject} for {label}: {reason}",
    "approval.reminded": "reminded {people} people of {label}",
    "approval.expired": "let the request {subject} for {label} expire",
    "approval.used": "used the approval {subject} of {label}: {reason}",
    "approval.withdrawn": "withdrew the request {subject} for {label}",
    "job.crashed": "met an error in {kind} {subject_id} and tries again later: {error}",
    "security.job_refused": "refused a foreign job in the queue {queue}: {reason}",
    "person.details_erased": "erased address and browser from {count} events of {subject}: "
    "{reason}",
    "history.checkpoint_asked": "asked for a checkpoint of {subject}",
    "history.checkpoint_failed": "could not put a checkpoint at {place}: {problem}",
    "history.verification_asked": "asked to verify {subject}",
    "history.verified": "verified {subject}: {events} events and {checkpoints} checkpoints are "
    "whole",
    "history.unfinished": "could not finish verifying {subject} and tries again: {problem}",
    "history.broken": "found {subject} broken: {problem} (and {more} more)",
    # Written by the database itself (governance/sql/0003_watch.sql).
    "database.changed": "changed {subject} past Gatehouse ({operation} of {columns} in {table})",
    "security.decision_refused": "was refused a decision {how}",
    "notice.failed": "could not e-mail {recipient}: {problem}",
}
