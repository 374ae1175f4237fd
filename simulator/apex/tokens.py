"""Split Apex into tokens with line and column; comments and blanks are dropped."""

import re
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""(?P<blank>\s+)
  | (?P<comment>//[^\n]*|/\*.*?\*/)
  | (?P<unclosed>/\*)
  | (?P<text>'''.*?'''|'(?:[^'\\\n]|\\.)*')
  | (?P<number>\d[\d_]*(?:\.\d+)?[lLdD]?)
  | (?P<word>[A-Za-z_]\w*)
  | (?P<sign>===|!==|==|!=|<=|>=|&&|\|\||\?\?|\?\.|\+\+|--|=>|[-+*/%&|^!<>=?:;,.(){}\[\]@~])
  | (?P<bad>.)
  """,
    re.VERBOSE | re.DOTALL,
)
_PAIRS = {")": "(", "}": "{", "]": "["}


@dataclass(frozen=True, slots=True)
class Token:
    """One word, sign, number or text of the source."""

    kind: str
    text: str
    line: int
    column: int

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


def scan(source: str) -> tuple[list[Token], list[Fault]]:
    """Return the tokens and the faults that already show in them."""
    tokens: list[Token] = []
    faults: list[Fault] = []
    line, start = 1, 0
    for match in _TOKEN.finditer(source):
        kind, text = str(match.lastgroup), match.group()
        column = match.start() - start + 1
        if kind in ("bad", "unclosed"):
            faults.append(_bad(text, line, column))
        elif kind not in ("blank", "comment"):
            tokens.append(Token(kind, text, line, column))
        breaks = text.count("\n")
        if breaks:
            line += breaks
            start = match.start() + text.rfind("\n") + 1
    return tokens, faults or _unbalanced(tokens)


def _bad(text: str, line: int, column: int) -> Fault:
    if text == "'":
        return Fault(
            "Illegal string literal: Line breaks not allowed in string literals", line, column
        )
    if text == "/*":
        return Fault("Unterminated comment", line, column)
    return Fault(f"Invalid character in identifier: {text}", line, column)


def _unbalanced(tokens: list[Token]) -> list[Fault]:
    opened: list[Token] = []
    for token in tokens:
        if token.kind != "sign":
            continue
        if token.text in "({[":
            opened.append(token)
        elif token.text in _PAIRS:
            if not opened:
                return [Fault(f"Unexpected token '{token.text}'.", token.line, token.column)]
            if opened[-1].text != _PAIRS[token.text]:
                closing = {v: k for k, v in _PAIRS.items()}[opened[-1].text]
                message = f"Missing '{closing}' at '{token.text}'"
                return [Fault(message, token.line, token.column)]
            opened.pop()
    if not opened or not tokens:
        return []
    closing = {v: k for k, v in _PAIRS.items()}[opened[-1].text]
    last = tokens[-1]
    message = f"Expecting '{closing}' but was: '<EOF>'"
    return [Fault(message, last.line, last.column + len(last.text))]
