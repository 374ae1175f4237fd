"""The chain's rules on portions that are taken in at once: whatever is wrong, none is taken."""

from __future__ import annotations

import pytest

from governance.rules.chain import GENESIS, SIZE, Chain, link

LENGTH = 7


def hashes() -> list[bytes]:
    made = [GENESIS]
    for position in range(1, LENGTH + 1):
        made.append(link(made[-1], position, 10 * position, bytes([position]) * SIZE))
    return made


def test_portions_that_continue_are_taken_to_the_end() -> None:
    every = hashes()
    chain = Chain({3: (every[3].hex(), "one"), LENGTH: (every[LENGTH].hex(), "another")})
    assert chain.take(b"".join(every[:4]), b"".join(every[1:5]))
    assert chain.take(b"".join(every[4:LENGTH]), b"".join(every[5:]))
    assert (chain.position, chain.last) == (LENGTH, every[-1])


@pytest.mark.parametrize("at", range(LENGTH))
def test_a_row_that_does_not_continue_keeps_its_portion_out(at: int) -> None:
    every = hashes()
    previous = every[:-1]
    previous[at] = bytes(SIZE - 1) + b"\x01"
    chain = Chain({})
    assert not chain.take(b"".join(previous), b"".join(every[1:]))
    assert (chain.position, chain.last) == (0, GENESIS)


@pytest.mark.parametrize("signed", range(1, LENGTH + 1))
def test_a_checkpoint_that_says_something_else_keeps_its_portion_out(signed: int) -> None:
    every = hashes()
    chain = Chain({signed: (bytes(SIZE).hex(), "a checkpoint")})
    assert not chain.take(b"".join(every[:-1]), b"".join(every[1:]))
    assert chain.position == 0


def test_a_portion_without_rows_is_not_taken() -> None:
    assert not Chain({}).take(b"", b"")
