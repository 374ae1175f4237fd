"""How the history is chained, in bytes; the database and the export's own script do the same.

``hash = SHA-256(previous ‖ position ‖ event id ‖ SHA-256(body))`` with both numbers as 8 bytes,
big-endian; the first previous is 32 zero bytes.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from struct import Struct, iter_unpack, pack

SIZE = 32
"""Bytes of a hash."""
GENESIS = bytes(SIZE)
_NUMBERS = Struct(">qq")
_LENGTH = 4

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


@dataclass(frozen=True, slots=True)
class Portion:
    """The rows in (start, end] seen together.

    ``fits``: all are there, each continues the one before, and each hash is that of its row.
    ``told``: the hashes at those positions that checkpoints speak of.
    """

    start: int
    end: int
    fits: bool
    previous: bytes = b""
    last: bytes = b""
    told: Mapping[int, bytes] = field(default_factory=dict)


def cut(texts: bytes, lengths: bytes) -> Sequence[bytes]:
    """Return the texts that follow each other without anything between them.

    ``lengths``: each in 4 bytes, big-endian. Nothing when they do not add up: a text was left out.
    """
    rows = len(lengths) // _LENGTH
    form = Struct("%ds" * rows % Struct(f">{rows}i").unpack(lengths))
    return form.unpack(texts) if form.size == len(texts) else ()


def hashes(
    start: int, previous: bytes, numbers: bytes, ids: bytes, bodies: Sequence[bytes]
) -> bytes:
    """Return the hashes that the rows after position ``start`` must have, one after another.

    Nothing when a position or an event is missing. ``numbers`` holds position and event id of each
    row, ``ids`` those of the bodies, as they are hashed.
    """
    rows = len(previous) // SIZE
    columns = memoryview(numbers).cast("q")
    places, events = columns[::2].tobytes(), columns[1::2].tobytes()
    if places != pack(f">{rows}q", *range(start + 1, start + 1 + rows)):
        return b""
    if events != ids:
        bodies = _in_order(events, ids, bodies)
    if len(bodies) != rows:
        return b""
    parts = zip(iter_unpack("32s", previous), iter_unpack("16s", numbers), bodies, strict=True)
    return b"".join(
        [sha256(last + row + sha256(body).digest()).digest() for (last,), (row,), body in parts]
    )


def _in_order(events: bytes, ids: bytes, bodies: Sequence[bytes]) -> Sequence[bytes]:
    """Return the bodies of these events; nothing when one of them is missing."""
    numbers = [number for (number,) in iter_unpack("8s", ids)]
    if len(numbers) != len(bodies):
        return ()
    found = dict(zip(numbers, bodies, strict=True))
    try:
        return [found[number] for (number,) in iter_unpack("8s", events)]
    except KeyError:
        return ()


def signed_between(places: Sequence[int], start: int, end: int) -> Sequence[int]:
    """Return those of the sorted places that lie in (start, end]."""
    return places[bisect_right(places, start) : bisect_right(places, end)]


class Chain:
    """Reads rows in order of position, to the first that does not fit."""

    def __init__(self, signed: Mapping[int, tuple[str, str]]) -> None:
        """``signed``: position → (hash in hex, name of the checkpoint that says so)."""
        self.position = 0
        self.last = GENESIS
        self._signed = signed
        self._places = sorted(signed)

    def take(self, portion: Portion) -> bool:
        """Take the next rows in at once, when they continue and checkpoints say the same."""
        if not portion.fits or portion.previous != self.last:
            return False
        places = signed_between(self._places, portion.start, portion.end)
        if any(portion.told[place].hex() != self._signed[place][0] for place in places):
            return False
        self.position, self.last = portion.end, portion.last
        return True

    def read(self, links: list[Link], digests: Mapping[int, bytes]) -> Fault | None:
        """Check the next rows; nothing when all of them fit.

        ``digests``: event id → SHA-256 of the event's body.
        """
        position, last, signed, packed = self.position, self.last, self._signed, _NUMBERS.pack
        for row in links:
            place, event_id, previous, own = row
            body = digests.get(event_id)
            position += 1
            if (
                place != position
                or previous != last
                or body is None
                or sha256(last + packed(place, event_id) + body).digest() != own
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
