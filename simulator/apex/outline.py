"""The outline of a class or trigger: its members, what each mentions, its tests and their fate.

A test's fate follows from the code itself: an assertion over literals that cannot hold, standing
in the method's own block (not inside a condition or a try), fails the method; so does an
unconditional throw. Everything else passes, because nothing is executed.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

from simulator.apex.tokens import Fault, Lines, Token, scan

_TYPE_WORDS = {"class", "interface", "enum"}
_CONTROL = {"if", "for", "while", "catch", "switch", "do", "else", "try", "finally"}
BASE_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a test method fails."""

    message: str
    line: int


@dataclass(slots=True)
class Member:
    """A method, constructor, property or initializer."""

    name: str
    owner: str
    line: int
    is_test: bool = False
    words: set[str] = field(default_factory=set)
    lines: set[int] = field(default_factory=set)
    caught: set[int] = field(default_factory=set)
    failure: Failure | None = None


@dataclass(slots=True)
class Outline:
    """What is known of one Apex source."""

    kind: str
    name: str
    place: tuple[int, int]
    is_test: bool
    sobject: str
    members: list[Member]
    words: set[str]
    faults: list[Fault]

    @property
    def tests(self) -> list[Member]:
        """The test methods in order of the source."""
        return [member for member in self.members if member.is_test]


@lru_cache(maxsize=4096)
def outline(source: str) -> Outline:
    """Return the outline of a source; faults are in it."""
    lines = Lines(source)
    tokens, faults = scan(source, lines)
    kind, name = _heading(tokens)
    is_test = _annotated(tokens[: tokens.index(name)] if name else [], "istest")
    found = Outline(
        kind=kind,
        name=name.text if name else "",
        place=lines.place(name.at) if name else (1, 1),
        is_test=is_test,
        sobject=_trigger_object(tokens) if kind == "trigger" else "",
        members=[],
        words={t.lower for t in tokens if t.kind == "word"},
        faults=faults,
    )
    if not faults and name is not None:
        _Walker(tokens, found, lines).run()
    return found


def _heading(tokens: list[Token]) -> tuple[str, Token | None]:
    for token, following in pairwise(tokens):
        if token.lower in (*_TYPE_WORDS, "trigger") and following.kind == "word":
            return token.lower, following
        if token.text == "{":
            break
    return "", None


def _trigger_object(tokens: list[Token]) -> str:
    for token, following in pairwise(tokens):
        if token.lower == "on":
            return following.text
    return ""


def _annotated(tokens: list[Token], name: str) -> bool:
    pairs = pairwise(tokens)
    return any(a.text == "@" and b.lower == name for a, b in pairs)


class _Walker:
    def __init__(self, tokens: list[Token], found: Outline, lines: Lines) -> None:
        self.tokens = tokens
        self.lines = lines
        self.found = found
        self.place = 0

    def run(self) -> None:
        if self.found.kind == "trigger":
            self.skip_to("{")
            member = Member(
                "<trigger>", self.found.name.lower(), self.lines.line(self.tokens[0].at)
            )
            self.found.members.append(member)
            self.body(member)
            return
        self.type_body("")

    def skip_to(self, text: str) -> None:
        while self.place < len(self.tokens) and self.tokens[self.place].text != text:
            self.place += 1
        self.place += 1

    def type_body(self, outer: str) -> None:
        """Read one type from its heading to its closing brace."""
        header = self.header()
        names = [b for a, b in pairwise(header) if a.lower in _TYPE_WORDS]
        owner = names[0].lower if names else outer
        while self.place < len(self.tokens):
            if self.tokens[self.place].text == "}":
                self.place += 1
                return
            start = self.place
            header = self.header()
            if not header and self.place == start:
                self.place += 1
                continue
            if self.tokens[self.place - 1].text != "{":
                self.field(header, owner)
            elif any(t.lower in _TYPE_WORDS for t in header if t.kind == "word") and not any(
                t.text == "(" for t in _without_annotations(header)
            ):
                self.place = start
                self.type_body(owner)
            else:
                self.member(header, owner)

    def header(self) -> list[Token]:
        """Take tokens up to a brace or semicolon; the brace that opens is taken too."""
        taken: list[Token] = []
        while self.place < len(self.tokens):
            token = self.tokens[self.place]
            if token.text == "}":
                break
            self.place += 1
            if token.text in ("{", ";"):
                break
            taken.append(token)
        return taken

    def field(self, header: list[Token], owner: str) -> None:
        if any(t.text == "=" for t in header):
            member = Member("<field>", owner, self.lines.line(header[0].at))
            member.words = {t.lower for t in header if t.kind == "word"}
            member.lines = {member.line}
            self.found.members.append(member)

    def member(self, header: list[Token], owner: str) -> None:
        plain = _without_annotations(header)
        name = "<field>"
        if not any(t.text == "=" for t in plain):
            opening = next((i for i, t in enumerate(plain) if t.text == "("), len(plain))
            if opening and plain[:opening]:
                name = plain[opening - 1].text
        annotated = _annotated(header, "istest") or any(t.lower == "testmethod" for t in plain)
        first = plain[0] if plain else self.tokens[self.place - 1]
        member = Member(
            name,
            owner,
            self.lines.line(first.at),
            is_test=annotated and "(" in {t.text for t in plain},
        )
        member.words = {t.lower for t in plain if t.kind == "word"}
        self.found.members.append(member)
        self.body(member)

    def body(self, member: Member) -> None:
        """Read a block to its closing brace, noting statements and what they mention."""
        depth, caught, statement = 1, 0, []  # type: int, int, list[Token]
        tokens, words = self.tokens, member.words
        while self.place < len(tokens):
            token = tokens[self.place]
            self.place += 1
            if token.kind == "word":
                words.add(token.text.lower())
                statement.append(token)
            elif token.text == "{":
                depth += 1
                if statement and statement[0].lower == "catch":
                    caught = caught or depth
                self.line(member, statement, caught)
                statement = []
            elif token.text == "}":
                caught = 0 if caught == depth else caught
                depth -= 1
                statement = []
                if depth == 0:
                    return
            elif token.text == ";" and _closed(statement):
                self.line(member, statement, caught)
                if depth == 1 and member.failure is None:
                    member.failure = self.failure(statement)
                statement = []
            else:
                statement.append(token)

    def line(self, member: Member, statement: list[Token], caught: int) -> None:
        if not statement or statement[0].lower in ("else", "try", "finally"):
            return
        line = self.lines.line(statement[0].at)
        (member.caught if caught else member.lines).add(line)

    def failure(self, statement: list[Token]) -> Failure | None:
        message = _message(statement)
        return Failure(message, self.lines.line(statement[0].at)) if message else None


def _without_annotations(header: list[Token]) -> list[Token]:
    kept: list[Token] = []
    place = 0
    while place < len(header):
        if header[place].text != "@":
            kept.append(header[place])
            place += 1
            continue
        place += 2
        if place < len(header) and header[place].text == "(":
            depth = 0
            while place < len(header):
                depth += {"(": 1, ")": -1}.get(header[place].text, 0)
                place += 1
                if depth == 0:
                    break
    return kept


def _closed(statement: list[Token]) -> bool:
    signs = [t.text for t in statement if t.text in "()"]
    return signs.count("(") == signs.count(")")


def _message(statement: list[Token]) -> str:
    """Return what a statement fails with whatever happens, or nothing."""
    words = [token.lower for token in statement[:3]]
    if words[:1] == ["throw"]:
        kind = next((t.text for t in statement[2:] if t.kind == "word"), "System.Exception")
        return f"{kind}: Script-thrown exception"
    if len(statement) < 5 or words[1] != "." or statement[3].text != "(":
        return ""
    reason = _reason(f"{words[0]}.{words[2]}", _arguments(statement[4:-1]))
    return "" if reason is None else f"System.AssertException: Assertion Failed{reason}"


def _arguments(tokens: list[Token]) -> list[list[Token]]:
    found: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(token.text, 0)
        if token.text == "," and depth == 0:
            found.append([])
        else:
            found[-1].append(token)
    return [argument for argument in found if argument]


def _literal(argument: list[Token]) -> str | None:
    if len(argument) == 1:
        token = argument[0]
        if token.kind in ("number", "text") or token.lower in ("true", "false", "null"):
            return token.text if token.kind == "text" else token.lower
    if len(argument) == 2 and argument[0].text == "-" and argument[1].kind == "number":
        return f"-{argument[1].text}"
    return None


def _shown(literal: str) -> str:
    return literal.strip("'")


def _reason(call: str, arguments: list[list[Token]]) -> str | None:
    first = _literal(arguments[0]) if arguments else None
    second = _literal(arguments[1]) if len(arguments) > 1 else None
    if call == "assert.fail":
        return f": {_shown(first)}" if first else ""
    if call in ("system.assert", "assert.istrue") and first in ("false", "null"):
        return f": {_shown(second)}" if second else ""
    if call == "assert.isfalse" and first == "true":
        return f": {_shown(second)}" if second else ""
    if first is None or second is None:
        return None
    note = _literal(arguments[2]) if len(arguments) > 2 else None
    words = f": {_shown(note)}: " if note else ": "
    if call in ("system.assertequals", "assert.areequal") and first != second:
        return f"{words}Expected: {_shown(first)}, Actual: {_shown(second)}"
    if call in ("system.assertnotequals", "assert.arenotequal") and first == second:
        return f"{words}Same value: {_shown(first)}"
    return None
