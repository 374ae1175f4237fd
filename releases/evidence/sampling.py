"""Draw a sample that anybody can draw again.

Every id of the population is hashed together with the seed, SHA-256 over ``<seed>:<id>`` in UTF-8;
the ids with the smallest digests (compared as hexadecimal text) are the sample. The draw depends on
nothing but the seed and the ids, neither on their order nor on a random number generator.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from core.digests import sha256_text
from releases.evidence.population import Selection, executions
from releases.models import Deployment

ALGORITHM = 'SHA-256 over "<seed>:<id>" for each id of the population; the smallest digests win'


def population(selection: Selection) -> list[str]:
    """The public ids to draw from, in the order in which the attempts were planned."""
    numbers = executions(selection).values_list("pk", flat=True)
    return [f"{Deployment.PREFIX}-{number}" for number in numbers]


def population_digest(names: Iterable[str]) -> str:
    """Digest the population: its ids in order, each followed by a line feed."""
    return sha256_text("".join(f"{name}\n" for name in names).encode("utf-8"))


def key_of(name: str, seed: str) -> str:
    """The digest by which an id is drawn."""
    return hashlib.sha256(f"{seed}:{name}".encode()).hexdigest()


def draw(names: Iterable[str], seed: str, size: int) -> list[str]:
    """The ids drawn, in the order in which they were drawn."""
    return sorted(names, key=lambda name: (key_of(name, seed), name))[:size]
