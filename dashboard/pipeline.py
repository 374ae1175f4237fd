"""From the environments as they stand to the picture on the home page."""

from __future__ import annotations

import re

from dashboard.picture import Node, Picture, Stage, Track, draw
from environments import selectors
from environments.models import Environment
from environments.selectors import Lane, Pipeline, Place

BOARD = "/environments/"
SHA = re.compile(r"[0-9a-f]{7,40}")

# A node has room for about ten letters; the whole sentence stands in its title.
SHORT_WORDS = {
    "Last write failed": "Failed",
    "Outcome unknown": "Unknown",
    "Connection failed": "No answer",
    "Sign-in refused": "Sign-in",
    "Not connected": "Sign-in",
    "Not checked": "Unchecked",
}


def picture(pipeline: Pipeline) -> Picture:
    """Draw all tracks."""
    if pipeline.is_empty:
        return draw([], None)
    production = Track(
        pipeline.production.name,
        BOARD,
        _stages(pipeline.production),
        note=pipeline.owner.name if pipeline.owner else "",
    )
    return draw(
        [
            Track(lane.name, lane.team.get_absolute_url(), _stages(lane))
            for lane in pipeline.lanes
            if lane.team is not None and lane.filled
        ],
        production,
    )


def short_word(word: str) -> str:
    """Shorten an environment's word to what a node has room for."""
    return SHORT_WORDS.get(word, word.partition(" by ")[0])


def _stages(lane: Lane) -> tuple[Stage, ...]:
    return tuple(Stage(_node(place), place.edge) for place in lane.places)


def _node(place: Place) -> Node:
    environment = place.environment
    if environment is None:
        return Node(str(place.stage), "none", "", is_missing=True)
    label = environment.holds_label
    word = short_word(place.standing.word)
    if word == "Free" and label:
        word = "Deployed"
    return Node(
        name=str(place.stage),
        data_state=place.standing.state,
        word=word,
        url=environment.get_absolute_url(),
        holds="" if SHA.fullmatch(label) else label,
        holds_code=label if SHA.fullmatch(label) else "",
        since=environment.holds_since,
        reason=place.standing.reason,
        lock=_lock(environment),
        is_production=environment.kind == "production",
    )


def _lock(environment: Environment) -> str:
    lease = selectors.lease_of(environment)
    return f"In use by {lease.label}" if lease else ""
