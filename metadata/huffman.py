"""Compress so that every machine makes the same bytes.

The deflate format leaves the search for repetitions to the writer, so zlib builds differ in their
output, and the bytes of an archive are part of an approval's digest. This writer makes no search:
each byte gets a code by how often it occurs, which is decided by arithmetic alone. It saves less
than zlib and takes longer; it is for archives that would be too large as they are.
"""

from __future__ import annotations

from collections import Counter
from heapq import heapify, heappop, heappush

END = 256
BLOCK = 1 << 20
LONGEST, LONGEST_OF_LENGTHS = 15, 7
_ORDER = (16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15)


def deflate(content: bytes) -> bytes:
    """Deflate data in which every byte is a literal."""
    out: list[bytes] = []
    bits = ""
    for start in range(0, len(content) or 1, BLOCK):
        bits += _block(content[start : start + BLOCK], last=start + BLOCK >= len(content))
        whole = len(bits) // 8 * 8
        out.append(_bytes(bits[:whole]))
        bits = bits[whole:]
    return b"".join([*out, _bytes(bits)])


def _bytes(bits: str) -> bytes:
    """The first bit is the lowest of the first byte."""
    return int(bits[::-1] or "0", 2).to_bytes((len(bits) + 7) // 8, "little")


def _block(content: bytes, *, last: bool) -> str:
    """The bits of one block, with codes of its own."""
    counts = Counter(content)
    counts[END] = 1
    lengths = code_lengths(counts, LONGEST)
    codes = _codes(lengths)
    listed = [lengths.get(symbol, 0) for symbol in range(END + 1)] + [1]
    used = code_lengths(Counter(listed), LONGEST_OF_LENGTHS)
    names = _codes(used)
    parts = ["1" if last else "0", "01"]  # numbers stand lowest bit first
    parts += [_number(END + 1 - 257, 5), _number(0, 5), _number(len(_ORDER) - 4, 4)]
    parts += [_number(used.get(symbol, 0), 3) for symbol in _ORDER]
    parts += [names[length] for length in listed]
    end = codes.pop(END)
    parts += [content.decode("latin-1").translate(codes), end]
    return "".join(parts)


def code_lengths(counts: Counter[int], longest: int) -> dict[int, int]:
    """How many bits each symbol gets, none above the longest."""
    if len(counts) == 1:
        return dict.fromkeys(counts, 1)
    while True:
        heap: list[tuple[int, int, tuple[int, ...]]] = []
        heap += [(count, symbol, (symbol,)) for symbol, count in counts.items()]
        heapify(heap)
        depth = dict.fromkeys(counts, 0)
        while len(heap) > 1:
            one, two = heappop(heap), heappop(heap)
            for symbol in (*one[2], *two[2]):
                depth[symbol] += 1
            heappush(heap, (one[0] + two[0], min(one[1], two[1]), one[2] + two[2]))
        if max(depth.values()) <= longest:
            return depth
        counts = Counter({symbol: (count + 1) // 2 for symbol, count in counts.items()})


def _codes(lengths: dict[int, int]) -> dict[int, str]:
    """The canonical code of each symbol as bits, shorter ones first."""
    found: dict[int, str] = {}
    code = before = 0
    for length, symbol in sorted((length, symbol) for symbol, length in lengths.items()):
        code <<= length - before
        found[symbol] = f"{code:0{length}b}"
        code += 1
        before = length
    return found


def _number(value: int, width: int) -> str:
    return f"{value:0{width}b}"[::-1]
