"""What the platform and the house ask of a sandbox request. Pure Python.

Intervals between refreshes: Salesforce Help, "Sandbox Licenses and Storage Limits by Type"
(Developer and Developer Pro one day, Partial Copy five, Full 29), counted from the last order to
copy. An installation may override them: contracts differ, and so may next year's platform.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from environments.states import Licence, SandboxAction, SandboxStart

NAME_MAX = 10
NAME = re.compile(r"[A-Za-z0-9]{1,10}")
REFRESH_DAYS: dict[str, int] = {
    Licence.DEVELOPER.value: 1,
    Licence.DEVELOPER_PRO.value: 1,
    Licence.PARTIAL.value: 5,
    Licence.FULL.value: 29,
}
REFRESH_DAYS_SOURCE = "Salesforce Help, “Sandbox Licenses and Storage Limits by Type”"
WITH_TEMPLATE = frozenset({Licence.PARTIAL.value, Licence.FULL.value})
PLATFORM_TYPES: dict[str, str] = {
    "DEVELOPER": Licence.DEVELOPER.value,
    "DEVELOPER_PRO": Licence.DEVELOPER_PRO.value,
    "PARTIAL": Licence.PARTIAL.value,
    "FULL": Licence.FULL.value,
}
"""Tooling's spelling of a licence type and ours."""

NO_TRACE = timedelta(seconds=300)
"""A write has ended by then (``salesforce.wire.UPLOAD_SECONDS``): no trace means not taken."""

GONE = timedelta(minutes=10)
"""How long a copy may be missing from the platform's list before nobody knows how it ends."""

GIVEN_UP = timedelta(hours=24)
"""How long a missing copy is looked for before the environment is given free again."""


def licence_of(platform_type: str) -> str:
    """Our word for the platform's licence type; an unknown one is kept in small letters."""
    return PLATFORM_TYPES.get(platform_type, platform_type.lower()[:16])


def platform_type(licence_type: str) -> str:
    """The platform's word for a licence type."""
    return next((name for name, ours in PLATFORM_TYPES.items() if ours == licence_type), "")


def refresh_days(licence_type: str, overrides: Mapping[str, int]) -> int:
    """Days between two refreshes; a type that nobody knows has the longest interval."""
    known = {**REFRESH_DAYS, **overrides}
    return known.get(licence_type, max(known.values()))


def next_refresh(
    licence_type: str, copy_asked_at: datetime | None, overrides: Mapping[str, int]
) -> datetime | None:
    """The earliest moment at which the platform takes a refresh; None when it was never copied."""
    if copy_asked_at is None:
        return None
    return copy_asked_at + timedelta(days=refresh_days(licence_type, overrides))


def name_problem(name: str) -> str:
    """Say what is wrong with the name of a new sandbox; empty when nothing is."""
    if not name:
        return "Give the sandbox a name."
    if len(name) > NAME_MAX:
        return f"“{name}” has {len(name)} characters; a sandbox's name has at most {NAME_MAX}."
    if not NAME.fullmatch(name):
        return f"“{name}” may hold letters and digits only."
    return ""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One thing that keeps a request from being carried out; ``until`` when time alone helps."""

    code: str
    text: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What a request is judged by: asked anew before it is sent, decided on and started."""

    now: datetime
    action: SandboxAction
    name: str
    licence_type: str
    start: SandboxStart
    listed: bool
    copying: bool
    next_refresh: datetime | None
    name_taken: bool = False
    total: int | None = None
    used: int = 0
    source_wanted: bool = False
    source_listed: bool = True
    source_fits: bool = True
    template_id: str = ""
    is_sandbox_known: bool = True


def obstacles(facts: Facts) -> tuple[Obstacle, ...]:
    """Everything that stands in the way now, the most final first."""
    rules = (_name, _listed, _licence, _source, _template, _copying, _too_early)
    return tuple(found for rule in rules if (found := rule(facts)) is not None)


def _name(facts: Facts) -> Obstacle | None:
    if facts.action is not SandboxAction.CREATE:
        return None
    problem = name_problem(facts.name)
    if problem:
        return Obstacle("sandbox.name", problem)
    if facts.name_taken:
        return Obstacle(
            "sandbox.name_taken",
            f"There is a sandbox called {facts.name} already. Choose another name.",
        )
    return None


def _listed(facts: Facts) -> Obstacle | None:
    if facts.action is SandboxAction.CREATE or facts.listed:
        return None
    return Obstacle(
        "sandbox.gone",
        f"Production lists no sandbox {facts.name} any more, so there is nothing to "
        f"{facts.action}. Read the sandboxes again.",
    )


def _licence(facts: Facts) -> Obstacle | None:
    if facts.action is not SandboxAction.CREATE:
        return None
    if facts.licence_type not in REFRESH_DAYS:
        return Obstacle("sandbox.licence", "Choose the type of the new sandbox.")
    if facts.total is None or facts.used < facts.total:
        return None
    kind = Licence(facts.licence_type).title
    return Obstacle(
        "sandbox.no_licence",
        f"All {facts.total} licences for {kind} sandboxes are used. Delete a sandbox of that type "
        "or choose another one.",
    )


def _source(facts: Facts) -> Obstacle | None:
    if not facts.source_wanted:
        return None
    if not facts.source_listed:
        return Obstacle(
            "sandbox.source_gone",
            "The sandbox that this is to be cloned from does not exist any more. Choose another "
            "source.",
        )
    if not facts.source_fits:
        return Obstacle(
            "sandbox.source_type",
            "A clone has the licence type of its source. Choose a source of the same type.",
        )
    return None


def _template(facts: Facts) -> Obstacle | None:
    wanted = facts.licence_type == Licence.PARTIAL and not facts.source_wanted
    if facts.action is SandboxAction.DELETE or not wanted or facts.template_id:
        return None
    return Obstacle(
        "sandbox.template",
        "A Partial Copy needs a sandbox template. Enter its id, which begins with 1ps.",
    )


def _copying(facts: Facts) -> Obstacle | None:
    if not facts.copying:
        return None
    return Obstacle(
        "sandbox.copying",
        f"The platform is copying {facts.name} at this moment. Wait until that has ended.",
    )


def _too_early(facts: Facts) -> Obstacle | None:
    if facts.action is not SandboxAction.REFRESH or facts.next_refresh is None:
        return None
    if facts.next_refresh <= facts.now:
        return None
    return Obstacle(
        "sandbox.too_early",
        f"{facts.name} can be refreshed again on {said(facts.next_refresh)}: the platform takes "
        "a refresh of this type only then. Ask for it as soon as possible, or for a later time.",
        until=facts.next_refresh,
    )


def refusing(facts: Facts, not_before: datetime | None) -> Obstacle | None:
    """The first obstacle that waiting until the wanted start does not remove."""
    for found in obstacles(facts):
        if found.until is None:
            if found.code == "sandbox.copying" and facts.start is not SandboxStart.NOW:
                continue
            return found
        if facts.start is SandboxStart.SOON:
            continue
        if facts.start is SandboxStart.AT and not_before and not_before >= found.until:
            continue
        return found
    return None


def said(moment: datetime) -> str:
    """Write a moment the way a sentence needs it."""
    return f"{moment:%-d %b %Y %H:%M} UTC"


def host_of(production_host: str, name: str) -> str:
    """The address that a production org's sandbox has by the platform's rule.

    ``acme.my.salesforce.com`` → ``acme--uat.sandbox.my.salesforce.com``; a listed host keeps its
    domain: ``acme.localhost:8443`` → ``acme--uat.localhost:8443``.
    """
    first, _, rest = production_host.partition(".")
    label = f"{first}--{name}".lower()
    if rest == "my.salesforce.com":
        return f"{label}.sandbox.{rest}"
    return f"{label}.{rest}" if rest else label


def username_of(production_username: str, name: str) -> str:
    """The username that a production user gets in a sandbox."""
    return f"{production_username}.{name.lower()}" if production_username else ""


def expected_seconds(past: Sequence[int]) -> int | None:
    """How long a copy usually takes: the median of the last ones; None without any."""
    return round(median(past)) if past else None


def share(progress: int, elapsed: float, expected: int | None) -> int:
    """Whole per cent of a copy: the platform's word, else the share of the usual time, never 100.

    Templated copies give no progress.
    """
    if progress > 0 or not expected:
        return min(99, max(0, progress))
    return min(95, max(0, round(100 * elapsed / expected)))
