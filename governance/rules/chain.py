"""How the history is chained, in bytes; the database and the export's own script do the same.

``hash = SHA-256(previous ‖ position ‖ event id ‖ SHA-256(body))`` with both numbers as 8 bytes,
big-endian; the first previous is 32 zero bytes.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from struct import Struct

SIZE = 32
"""Bytes of a hash."""
GENESIS = bytes(SIZE)
_NUMBERS = Struct(">qq")

Link = tuple[int, int, bytes, bytes]
"""Position, event id, previous, hash."""


@dataclass(frozen=True, slots=True)
class Fault:
    """The first thing that is wrong: where, and what."""

    position: int
    event_id: int | None
    text: str

    @property
    def sentence(self) -> str:
        """Name the row and what is wrong with it."""
        row = f"H-{self.event_id}, " if self.event_id is not None else ""
        return f"{row}position {self.position}: {self.text}"


def link(previous: bytes, position: int, event_id: int, body_digest: bytes) -> bytes:
    """Return the hash of a row."""
    return sha256(previous + _NUMBERS.pack(position, event_id) + body_digest).digest()


class Chain:
    """Reads rows in order of position, to the first that does not fit."""

    def __init__(self, signed: Mapping[int, tuple[str, str]]) -> None:
        """``signed``: position → (hash in hex, name of the checkpoint that says so)."""
        self.position = 0
        self.last = GENESIS
        self._signed = signed
        self._places = sorted(signed)

    def take(self, previous: bytes, hashes: bytes) -> bool:
        """Take the next rows in at once, when they continue and checkpoints say the same.

        ``previous`` and ``hashes`` are those columns, one value after another; that each hash is
        the one of its row was seen before.
        """
        if not hashes or previous != self.last + hashes[:-SIZE]:
            return False
        first, end = self.position + 1, self.position + len(hashes) // SIZE
        inside = slice(bisect_left(self._places, first), bisect_right(self._places, end))
        for place in self._places[inside]:
            start = (place - first) * SIZE
            if self._signed[place][0] != hashes[start : start + SIZE].hex():
                return False
        self.position, self.last = end, hashes[-SIZE:]
        return True

    def read(self, links: list[Link], digests: Mapping[int, bytes]) -> Fault | None:
        """Check the next rows; nothing when all of them fit.

        ``digests``: event id → SHA-256 of the event's body.
        """
        position, last, signed, pack = self.position, self.last, self._signed, _NUMBERS.pack
        for row in links:
            place, event_id, previous, own = row
            body = digests.get(event_id)
            position += 1
            if (
                place != position
                or previous != last
                or body is None
                or sha256(last + pack(place, event_id) + body).digest() != own
            ):
                return self._fault(row, position, last, body)
            if place in signed and signed[place][0] != own.hex():
                said = f"{signed[place][1]} signed another hash for this position"
                return Fault(place, event_id, f"{said}; the history was rebuilt")
            last = own
        self.position, self.last = position, last
        return None

    @staticmethod
    def _fault(row: Link, expected: int, last: bytes, body: bytes | None) -> Fault:
        place, event_id, previous, _ = row
        if place != expected:
            missing = f"{expected} to {place - 1}" if place - 1 > expected else str(expected)
            return Fault(place, event_id, f"position {missing} is missing before it")
        if body is None:
            return Fault(place, event_id, "the event itself is gone")
        if previous != last:
            return Fault(place, event_id, "it does not continue the hash of the row before")
        return Fault(place, event_id, "its hash is not that of its text; one of them was altered")
