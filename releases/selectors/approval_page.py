"""What the approval page puts before a person: few words, every fact, in a fixed number of queries.

``facts`` is what the decision form carries along; when the question changed meanwhile, the same
facts read again say what changed. They are words for people only: what a decision is bound to is
the subject digest, which the service computes anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.dateformat import format as format_date

from core.digests import short
from governance.models import PolicyVersion
from releases.models import Artefact, Deployment, Release
from releases.rules import types
from releases.rules.risk import Risk
from releases.selectors import brought, changes, deployments, release_page, words
from releases.selectors.changes import ChangeRow
from releases.states import Purpose

NOTHING = "–"
DELETED_SHOWN = 20
FACT_AT_MOST = 300
"""The form carries a fact back up to this many characters."""


@dataclass(frozen=True, slots=True)
class TeamChange:
    """What one team brings, in ten words, with its risk."""

    team: str
    tag: str
    risk: Risk | None
    sentence: str
    components: str
    marks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rollback:
    """What the snapshot could put back; nothing is computed yet, and the page says so."""

    preparation: Deployment
    kept: int
    added: int

    @property
    def total(self) -> int:
        """Components that the artefact touches."""
        return self.kept + self.added


@dataclass(frozen=True, slots=True)
class Difference:
    """A fact that is another one now than the page showed."""

    label: str
    before: str
    now: str


def team_changes(rows: Sequence[ChangeRow], contents: release_page.Contents) -> list[TeamChange]:
    """One entry per team of the release, the riskiest first."""
    candidates = [row.candidate for row in contents.rows]
    subjects = brought.subjects(candidates)
    found = []
    for candidate in candidates:
        mine = [row for row in rows if candidate.team.name in row.teams]
        found.append(
            TeamChange(
                team=candidate.team.name,
                tag=candidate.tag,
                risk=max((row.risk for row in mine), default=None),
                sentence=brought.sentence(subjects.get(candidate.pk, [])),
                components=changes.phrase(mine) or "nothing that differs from production",
                marks=tuple(dict.fromkeys(mark for row in mine for mark in row.marks)),
            )
        )
    return sorted(found, key=lambda entry: (-(entry.risk or 0), entry.team))


def rollback(release: Release, rows: Sequence[Deployment]) -> Rollback | None:
    """What the newest preparation's snapshot holds of what would change; None without one.

    ``rows`` are the release's deployments, newest first, with their steps prefetched.
    """
    for row in rows:
        mine = row.artefact_id == release.artefact_id
        if row.purpose == Purpose.PREPARE and mine and deployments.has_snapshot(row):
            kept = sum(1 for digest in row.baseline.values() if digest)
            return Rollback(row, kept, len(row.baseline) - kept)
    return None


def facts(
    release: Release,
    contents: release_page.Contents,
    deployment: Deployment | None,
    policy: PolicyVersion | None,
) -> dict[str, str]:
    """What a decision is bound to, in words, by label; ``policy`` is the version in force."""
    artefact = release.artefact
    held = ", ".join(f"{row.candidate.team.name} {row.candidate.tag}" for row in contents.rows)
    preparation = deployment.preparation if deployment else None
    baseline = preparation.baseline_digest if preparation else ""
    decided = release.resolutions.count()
    return {
        "Artefact": f"A·{short(artefact.digest)}" if artefact else NOTHING,
        "Contents": held or NOTHING,
        "Deletes": deleted(artefact) or NOTHING,
        "Decided between teams": words.plural(decided, "conflict") if decided else NOTHING,
        "Tests": deployment.tests.sentence()[:FACT_AT_MOST] if deployment else NOTHING,
        "Window": window(release.not_before, release.not_after),
        "Policy": str(policy) if policy else NOTHING,
        "Production as prepared": short(baseline) if baseline else NOTHING,
        "State": words.release(release).text,
    }


def deleted(artefact: Artefact | None) -> str:
    """What goes from production, by name."""
    keys = artefact.removed_keys if artefact else []
    named = ", ".join(f"{types.spoken(key.type)} {key.name}" for key in keys[:DELETED_SHOWN])
    more = f" and {len(keys) - DELETED_SHOWN} more" if len(keys) > DELETED_SHOWN else ""
    return f"{named}{more}"


def differences(shown: Mapping[str, str], now: Mapping[str, str]) -> list[Difference]:
    """Facts of the page that read otherwise now, in the page's order."""
    return [
        Difference(label, shown[label], text)
        for label, text in now.items()
        if label in shown and shown[label] != text
    ]


def window(opens: datetime | None, closes: datetime | None) -> str:
    """When production may be changed, in the person's zone."""
    if opens is None and closes is None:
        return "as soon as approved"
    parts = []
    if opens is not None:
        parts.append(f"from {_moment(opens)}")
    if closes is not None:
        parts.append(f"until {_moment(closes)}")
    return " ".join(parts)


def _moment(at: datetime) -> str:
    return format_date(timezone.localtime(at), "D j M Y H:i T")
