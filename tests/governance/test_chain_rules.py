"""The chain's rules on portions that are taken in at once: whatever is wrong, none is taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256

import pytest

from governance.rules.chain import (
    GENESIS,
    SIZE,
    Chain,
    Portion,
    cut,
    hashes,
    link,
    signed_between,
)

LENGTH = 7
BODIES = [b"text %d" % position for position in range(1, LENGTH + 1)]
IDS = [10 * position for position in range(LENGTH, 0, -1)]


def chained() -> list[bytes]:
    made = [GENESIS]
    for position, (number, body) in enumerate(zip(IDS, BODIES, strict=True), start=1):
        made.append(link(made[-1], position, number, sha256(body).digest()))
    return made


def portion(start: int, end: int) -> Portion:
    every = chained()
    told = {place: every[place] for place in range(start + 1, end + 1)}
    return Portion(start, end, True, every[start], every[end], told)


def packed(*numbers: int) -> bytes:
    return b"".join(number.to_bytes(8, "big") for number in numbers)


def test_portions_that_continue_are_taken_to_the_end() -> None:
    every = chained()
    chain = Chain({3: (every[3].hex(), "one"), LENGTH: (every[LENGTH].hex(), "another")})
    assert chain.take(portion(0, 4))
    assert chain.take(portion(4, LENGTH))
    assert (chain.position, chain.last) == (LENGTH, every[-1])


def test_a_portion_that_does_not_continue_or_fit_is_not_taken() -> None:
    chain = Chain({})
    assert not chain.take(portion(1, 4))
    assert not chain.take(replace(portion(0, 4), fits=False))
    assert (chain.position, chain.last) == (0, GENESIS)


@pytest.mark.parametrize("signed", range(1, LENGTH + 1))
def test_a_checkpoint_that_says_something_else_keeps_its_portion_out(signed: int) -> None:
    chain = Chain({signed: (bytes(SIZE).hex(), "a checkpoint")})
    assert not chain.take(portion(0, LENGTH))
    assert chain.position == 0


def test_only_the_checkpoints_inside_are_asked() -> None:
    assert signed_between([1, 3, 4, 6], 3, 6) == [4, 6]
    assert Chain({LENGTH: ("00", "a later checkpoint")}).take(portion(0, LENGTH - 1))


def made(ids: Sequence[int] = IDS, bodies: Sequence[bytes] = BODIES, start: int = 0) -> bytes:
    """Hashes of the rows, with these texts handed in; the rows begin after position 0."""
    previous = b"".join(chained()[:-1])
    numbers = b"".join(packed(place + 1, number) for place, number in enumerate(IDS))
    return hashes(start, previous, numbers, packed(*ids), bodies)


def test_hashes_are_made_of_the_rows_and_the_texts_in_whatever_order() -> None:
    assert made() == b"".join(chained()[1:])
    assert made(IDS[::-1], BODIES[::-1]) == b"".join(chained()[1:])


def test_texts_of_other_rows_between_them_are_left_out() -> None:
    assert made([*IDS, 99], [*BODIES, b"of another portion"]) == b"".join(chained()[1:])


def test_hashes_need_every_text_once() -> None:
    assert made(IDS[1:], BODIES[1:]) == b""
    assert made(IDS, [*BODIES, b""]) == b""
    assert made(IDS[::-1], [*BODIES, b""]) == b""
    assert made(IDS, [*BODIES[1:], b"other"]) != b"".join(chained()[1:])


def test_hashes_need_every_position_once() -> None:
    assert made(start=1) == b""


def measured(bodies: Sequence[bytes]) -> bytes:
    return b"".join(len(body).to_bytes(4, "big") for body in bodies)


@pytest.mark.parametrize("bodies", [[b""], [b"", "Zoë \x01".encode(), b"b", b""], BODIES])
def test_texts_are_cut_by_their_lengths_whatever_is_in_them(bodies: list[bytes]) -> None:
    assert list(cut(b"".join(bodies), measured(bodies))) == bodies


def test_no_text_is_cut_when_one_of_them_was_left_out() -> None:
    assert cut(b"".join(BODIES[1:]), measured(BODIES)) == ()
    assert cut(b"".join(BODIES), measured(BODIES[1:])) == ()
    assert cut(b"a text", b"") == ()
