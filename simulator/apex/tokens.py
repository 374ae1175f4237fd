"""Split Apex into tokens; comments and blanks are dropped, places are computed when asked for.

Large packages bring millions of tokens, so a token is a plain tuple of its kind, text and offset.
"""

import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import NamedTuple

_TOKEN = re.compile(
    r"""(?:\s+|//[^\n]*|/\*.*?\*/)+
  | (?P<word>[A-Za-z_]\w*)
  | (?P<text>'''.*?'''|'(?:[^'\\\n]|\\.)*')
  | (?P<number>\d[\d_]*(?:\.\d+)?[lLdD]?)
  | (?P<unclosed>/\*)
  | (?P<sign>[<>=!]=+|&&|\|\||\?\?|\?\.|\+\+|--|=>|[-+*/%&|^!<>=?:;,.(){}\[\]@~])
  | (?P<bad>.)
  """,
    re.VERBOSE | re.DOTALL,
)
_PAIRS = {")": "(", "}": "{", "]": "["}
_CLOSING = {opening: closing for closing, opening in _PAIRS.items()}


class Token(NamedTuple):
    """One word, sign, number or text of the source, and its offset."""

    kind: str
    text: str
    at: int

    @property
    def lower(self) -> str:
        """Apex knows no case."""
        return self.text.lower()


@dataclass(frozen=True, slots=True)
class Fault:
    """What the compiler complains about, and where."""

    message: str
    line: int
    column: int


class Lines:
    """Where offsets are: lines and columns count from one."""

    def __init__(self, source: str) -> None:
        self._starts = [0, *(match.end() for match in re.finditer("\n", source))]

    def line(self, at: int) -> int:
        """Return the line of an offset."""
        return bisect_right(self._starts, at)

    def place(self, at: int) -> tuple[int, int]:
        """Return line and column of an offset."""
        line = self.line(at)
        return line, at - self._starts[line - 1] + 1


def scan(source: str, lines: Lines) -> tuple[list[Token], list[Fault]]:
    """Return the tokens and the faults that already show in them."""
    tokens = [
        Token(match.lastgroup, match.group(), match.start())
        for match in _TOKEN.finditer(source)
        if match.lastgroup
    ]
    bad = next((token for token in tokens if token.kind in ("bad", "unclosed")), None)
    if bad is not None:
        return tokens, [Fault(_words(bad.text), *lines.place(bad.at))]
    return tokens, _unbalanced(tokens, lines)


def _words(text: str) -> str:
    if text == "'":
        return "Illegal string literal: Line breaks not allowed in string literals"
    if text == "/*":
        return "Unterminated comment"
    return f"Invalid character in identifier: {text}"


def _unbalanced(tokens: list[Token], lines: Lines) -> list[Fault]:
    opened: list[str] = []
    for kind, text, at in tokens:
        if kind != "sign":
            continue
        if text in _CLOSING:
            opened.append(text)
        elif text in _PAIRS:
            if not opened:
                return [Fault(f"Unexpected token '{text}'.", *lines.place(at))]
            if opened[-1] != _PAIRS[text]:
                message = f"Missing '{_CLOSING[opened[-1]]}' at '{text}'"
                return [Fault(message, *lines.place(at))]
            opened.pop()
    if not opened:
        return []
    last = tokens[-1]
    message = f"Expecting '{_CLOSING[opened[-1]]}' but was: '<EOF>'"
    return [Fault(message, *lines.place(last.at + len(last.text)))]
