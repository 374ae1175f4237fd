"""What apps above know about an environment whose sandbox is to be copied anew.

Which releases rehearse there, what would be lost, and what it should hold afterwards: known to the
app of releases only, which registers it. Every line is a sentence with an address.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from environments.models import Environment, Snapshot
from environments.states import SnapshotState


@dataclass(frozen=True, slots=True)
class Line:
    """One sentence about the environment, and where to read on."""

    text: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """Something that the environment could be brought to: a button that posts."""

    text: str
    label: str
    url: str
    fields: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a copy meets: trains that need the environment, and work that would be gone."""

    trains: tuple[Line, ...] = ()
    lost: tuple[Line, ...] = ()
    offers: tuple[Offer, ...] = ()


Provider = Callable[[Environment], Outlook]
_providers: dict[str, Provider] = {}


def register(name: str, provider: Provider) -> None:
    """Let an app say what it knows about an environment; once per name."""
    if _providers.setdefault(name, provider) is not provider:
        raise ValueError(f"the outlook of {name} is registered twice")


def of(environment: Environment) -> Outlook:
    """Everything that is known about an environment."""
    parts = [provider(environment) for provider in _providers.values()]
    return Outlook(
        trains=tuple(line for part in parts for line in part.trains),
        lost=(*(line for part in parts for line in part.lost), *_unknown_changes(environment)),
        offers=tuple(offer for part in parts for offer in part.offers),
    )


def _unknown_changes(environment: Environment) -> tuple[Line, ...]:
    """What the org may hold that Git does not: only a snapshot since the last write tells."""
    rows = Snapshot.objects.filter(environment=environment, state=SnapshotState.DONE)
    newest = rows.defer("manifest", "messages").order_by("-pk").first()
    if newest is None:
        return (
            Line(
                "Nobody has taken a snapshot of it, so changes made in the org itself are not "
                "known. Take one to see and keep them.",
                f"{environment.get_absolute_url()}#snapshots",
            ),
        )
    since = environment.holds_since
    taken = f"{newest.taken_at:%-d %b %Y %H:%M} UTC" if newest.taken_at else ""
    late = since is not None and newest.taken_at is not None and newest.taken_at > since
    words = (
        f"{newest.public_id} of {taken} keeps what the org held then; later changes in the org "
        "would be gone."
        if late or since is None
        else f"The newest snapshot, {newest.public_id} of {taken}, is older than what was last "
        "brought here. Take one to keep changes made in the org."
    )
    return (Line(words, newest.get_absolute_url()),)
