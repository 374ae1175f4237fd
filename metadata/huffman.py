"""Compress so that every machine makes the same bytes.

The deflate format leaves the search for repetitions to the writer, so zlib builds differ in their
output, and the bytes of an archive are part of an approval's digest. Here nothing is searched for:
each block of bytes is cut at the same place and gets codes by how often each byte occurs, which is
decided by arithmetic alone. zlib can do just that (``Z_HUFFMAN_ONLY``), at sixty times the speed of
Python; where a sample shows that this machine's zlib does it otherwise, ``_block`` does it, whose
bytes are those of zlib 1.2 and 1.3.
"""

from __future__ import annotations

import hashlib
import zlib
from collections import Counter
from collections.abc import Sequence
from functools import cache
from itertools import groupby

BLOCK = 16_000
"""Fewer symbols than zlib collects before it ends a block by itself."""

END = 256
LONGEST, LONGEST_OF_LENGTHS = 15, 7
_SYMBOLS = 286
_ORDER = (16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15)
_MARK = b"\0\0\xff\xff"
_LAST = b"\x03\0"
_SEARCHED = "bc0be5f3f663518da2bf90bc31f8e9a3bb435e5551af07fc2864534ddae1488f"
_KNOWN = "e8654cc75968d972fec425f9758e9986875c15c83202330276526cd91df8257a"


def deflate(content: bytes) -> bytes:
    """Deflate data in which every byte is a literal."""
    blocks = _by_zlib if trusted() else _by_hand
    return blocks(content) + _LAST


@cache
def trusted() -> bool:
    """Whether this machine's zlib makes the bytes of the sample."""
    return hashlib.sha256(_by_zlib(sample())).hexdigest() == _KNOWN


@cache
def searches_as_known() -> bool:
    """Whether this machine's zlib also finds the repetitions that zlib 1.2 and 1.3 find."""
    stream = zlib.compressobj(6, zlib.DEFLATED, -15)
    packed = stream.compress(sample()) + stream.flush()
    return hashlib.sha256(packed).hexdigest() == _SEARCHED


def sample() -> bytes:
    """Text, numbers, noise, one sign alone, and counts that need codes of more than 15 bits."""
    noise = b"".join(hashlib.sha256(b"%d" % n).digest() for n in range(BLOCK // 32))
    text = b"".join(b"field %d of %x\n" % (n, n * n) for n in range(BLOCK // 10))
    deep = b"".join(bytes([n]) * min(2**n, 4_000) for n in range(16))
    return (
        b"".join(part.ljust(BLOCK, part[:1])[:BLOCK] for part in (text, noise, b"a", deep)) + b"x"
    )


def _by_zlib(content: bytes) -> bytes:
    stream = zlib.compressobj(6, zlib.DEFLATED, -15, 8, zlib.Z_HUFFMAN_ONLY)
    parts = []
    for start in range(0, len(content), BLOCK):
        parts.append(stream.compress(content[start : start + BLOCK]))
        parts.append(stream.flush(zlib.Z_FULL_FLUSH))
    return b"".join(parts)


def _by_hand(content: bytes) -> bytes:
    return b"".join(
        _block(content[start : start + BLOCK]) for start in range(0, len(content), BLOCK)
    )


def _block(content: bytes) -> bytes:
    """One block, in the shortest of three forms, and the mark that ends it at a whole byte."""
    counts = [0] * _SYMBOLS
    for symbol, count in Counter(content).items():
        counts[symbol] = count
    counts[END] = 1
    lengths = code_lengths(counts, LONGEST)
    head, size = _head(lengths[: END + 1])
    size += sum(count * lengths[symbol] for symbol, count in enumerate(counts))
    fixed = sum(count * _fixed(symbol) for symbol, count in enumerate(counts))
    best = min((size + 10) >> 3, (fixed + 10) >> 3)
    if len(content) + 4 <= best:
        whole = len(content).to_bytes(2, "little") + (len(content) ^ 0xFFFF).to_bytes(2, "little")
        return b"\0" + whole + content + b"\0" + _MARK
    if (fixed + 10) >> 3 == best:
        lengths, head = [_fixed(symbol) for symbol in range(288)], "010"
    codes = _codes(lengths)
    end = codes.pop(END)
    bits = head + content.decode("latin-1").translate(codes) + end + "000"
    return int(bits[::-1], 2).to_bytes((len(bits) + 7) // 8, "little") + _MARK


def _fixed(symbol: int) -> int:
    """The length of a symbol's code in the form without a table."""
    return 8 if symbol < 144 else 9 if symbol < 256 else 7 if symbol < 280 else 8


def _head(lengths: Sequence[int]) -> tuple[str, int]:
    """The table of code lengths as bits, behind the block's type, and its size without that."""
    runs = [*_runs(lengths), *_runs([1, 1])]
    used = [0] * 19
    for symbol, _more, _width in runs:
        used[symbol] += 1
    sizes = code_lengths(used, LONGEST_OF_LENGTHS)
    names = _codes(sizes)
    count = max(index for index, symbol in enumerate(_ORDER) if sizes[symbol] or index < 4) + 1
    parts = [_number(len(lengths) - 257, 5), _number(1, 5), _number(count - 4, 4)]
    parts += [_number(sizes[symbol], 3) for symbol in _ORDER[:count]]
    parts += [names[symbol] + _number(more, width) for symbol, more, width in runs]
    table = "".join(parts)
    return "001" + table, len(table)


def _runs(lengths: Sequence[int]) -> list[tuple[int, int, int]]:
    """Lengths with repetitions told as zlib tells them: symbol, number behind it, its width."""
    found: list[tuple[int, int, int]] = []
    for length, group in groupby(lengths):
        left = sum(1 for _ in group)
        if length == 0:
            while left >= 3:
                take = min(left, 138)
                found.append((17, take - 3, 3) if take <= 10 else (18, take - 11, 7))
                left -= take
        else:
            found.append((length, 0, 0))
            left -= 1
            while left >= 3:
                take = min(left, 6)
                found.append((16, take - 3, 2))
                left -= take
        found += [(length, 0, 0)] * left
    return found


def code_lengths(counts: Sequence[int], longest: int) -> list[int]:
    """How many bits each symbol gets, none above the longest; ties are broken by zlib's heap."""
    weights = list(counts)
    depths = [0] * len(weights)
    parents = [0] * len(weights)
    heap = [symbol for symbol, count in enumerate(counts) if count]
    for at in reversed(range(len(heap) // 2)):
        _sift(heap, at, weights, depths)
    order: list[int] = []
    while len(heap) > 1:
        one = heap[0]
        heap[0] = heap[-1]
        heap.pop()
        _sift(heap, 0, weights, depths)
        two = heap[0]
        order += [one, two]
        heap[0] = len(weights)
        parents[one] = parents[two] = heap[0]
        weights.append(weights[one] + weights[two])
        depths.append(max(depths[one], depths[two]) + 1)
        parents.append(0)
        _sift(heap, 0, weights, depths)
    return _limited([*reversed(order)], parents, heap[0], len(counts), longest)


def _sift(heap: list[int], at: int, weights: Sequence[int], depths: Sequence[int]) -> None:
    """Let an entry sink to its place, past the lighter and then the flatter of the two below."""
    moved = heap[at]
    own = (weights[moved], depths[moved])
    below = 2 * at + 1
    while below < len(heap):
        if below + 1 < len(heap):
            one, two = heap[below], heap[below + 1]
            if (weights[two], depths[two]) <= (weights[one], depths[one]):
                below += 1
        if own <= (weights[heap[below]], depths[heap[below]]):
            break
        heap[at] = heap[below]
        at, below = below, 2 * below + 1
    heap[at] = moved


def _limited(
    order: Sequence[int], parents: Sequence[int], root: int, symbols: int, longest: int
) -> list[int]:
    """Lengths from the root down; what is too long is paid for by the longest shorter codes."""
    lengths = [0] * len(parents)
    per_length = [0] * (longest + 2)
    over = 0
    for node in order:
        bits = lengths[parents[node]] + 1 if parents[node] != root else 1
        if bits > longest:
            bits = longest
            over += 1
        lengths[node] = bits
        if node < symbols:
            per_length[bits] += 1
    if over:
        while over > 0:
            bits = max(n for n in range(longest) if per_length[n])
            per_length[bits] -= 1
            per_length[bits + 1] += 2
            per_length[longest] -= 1
            over -= 2
        deepest_first = iter([node for node in reversed(order) if node < symbols])
        for bits in range(longest, 0, -1):
            for _ in range(per_length[bits]):
                lengths[next(deepest_first)] = bits
    return lengths[:symbols]


def _codes(lengths: Sequence[int]) -> dict[int, str]:
    """The canonical code of each symbol as bits, shorter ones first."""
    found: dict[int, str] = {}
    code = before = 0
    used = sorted((length, symbol) for symbol, length in enumerate(lengths) if length)
    for length, symbol in used:
        code <<= length - before
        found[symbol] = f"{code:0{length}b}"
        code += 1
        before = length
    return found


def _number(value: int, width: int) -> str:
    return f"{value:0{width}b}"[::-1] if width else ""
