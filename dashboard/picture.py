"""The pipeline picture as plain values: which orgs stand where, and what waits between them.

The picture is a nested list, tracks → stages → org and the edge behind it. A track is *quiet* when
nothing in it waits, runs, is held or failed; quiet tracks fold away once there are more than
``SHOWN_AT_LEAST`` of them all, so that thirty teams still fit one screen.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from environments.selectors import Edge

SHOWN_AT_LEAST = 6


@dataclass(frozen=True, slots=True)
class Node:
    """One org: its stage, its state in one word, what it holds and since when."""

    name: str
    data_state: str
    word: str
    url: str = ""
    holds: str = ""
    holds_code: str = ""
    since: datetime | None = None
    reason: str = ""
    lock: str = ""
    is_production: bool = False
    is_missing: bool = False


@dataclass(frozen=True, slots=True)
class Stage:
    """An org and the edge that leads on from it; the last stage of production has none."""

    node: Node
    edge: Edge | None = None


@dataclass(frozen=True, slots=True)
class Track:
    """One team's stages from left to right."""

    name: str
    url: str
    stages: tuple[Stage, ...]
    note: str = ""

    @property
    def is_quiet(self) -> bool:
        """Whether nobody needs to look: nothing waits, runs, is held or failed here."""
        return all(
            stage.node.data_state in {"done", "none"}
            and not stage.node.lock
            and (stage.edge is None or (stage.edge.count == 0 and not stage.edge.on_train))
            for stage in self.stages
        )


@dataclass(frozen=True, slots=True)
class Picture:
    """All tracks: the busy ones in sight, the quiet ones folded, production at the end."""

    tracks: tuple[Track, ...]
    quiet: tuple[Track, ...]
    production: Track | None

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw yet."""
        return not self.tracks and not self.quiet and self.production is None


def draw(tracks: Iterable[Track], production: Track | None) -> Picture:
    """Sort tracks into those in sight and those folded away, keeping their order."""
    every = tuple(tracks)
    if len(every) <= SHOWN_AT_LEAST:
        return Picture(every, (), production)
    busy = tuple(track for track in every if not track.is_quiet)
    quiet = tuple(track for track in every if track.is_quiet)
    return Picture(busy, quiet, production)
