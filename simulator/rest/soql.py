"""A parser of SOQL: text in, a tree of frozen values out. Keywords and names in any case.

Covered: fields with relationship paths, child subqueries, COUNT() and simple aggregates with
aliases, FIELDS(), WHERE with AND, OR, NOT, comparisons, LIKE, IN and NOT IN (lists and
semi-joins), INCLUDES and EXCLUDES, date literals, GROUP BY with HAVING, ORDER BY with NULLS, LIMIT,
OFFSET, FOR VIEW.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

AGGREGATES = ("count", "count_distinct", "min", "max", "sum", "avg")
COMPARISONS = ("=", "!=", "<>", "<=", ">=", "<", ">")
_TOKEN = re.compile(
    r"""\s*(?:
    (?P<string>'(?:[^'\\]|\\.)*')
  | (?P<moment>\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))?)
  | (?P<number>-?\d+(?:\.\d+)?)
  | (?P<word>[A-Za-z_][\w.]*(?::\d+)?)
  | (?P<sign><=|>=|!=|<>|[=<>(),])
  )""",
    re.VERBOSE,
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
_RESERVED = {
    "where", "group", "order", "limit", "offset", "having", "for", "with", "using", "update", "all",
    "from", "and", "or", "asc", "desc", "nulls",
}  # fmt: skip


class Malformed(Exception):
    """The text is no SOQL; carries the offset of the token that was not expected."""

    def __init__(self, token: str, at: int) -> None:
        super().__init__(f"unexpected token: {token}")
        self.token = token
        self.at = at


@dataclass(frozen=True, slots=True)
class Constant:
    """A constant: text, number, moment, word (true, null, TODAY, LAST_N_DAYS:3)."""

    kind: Literal["string", "number", "moment", "word"]
    text: str


@dataclass(frozen=True, slots=True)
class Field:
    """A column by its path; an aggregate has a function too, a child subquery has a query.

    `at` is its offset in the text.
    """

    path: str
    at: int
    function: str = ""
    alias: str = ""
    query: "Query | None" = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """One test of a field against constants or against the answer of a semi-join."""

    field: Field
    operator: str
    values: tuple[Constant, ...] = ()
    query: "Query | None" = None


@dataclass(frozen=True, slots=True)
class Junction:
    """AND, OR or NOT over conditions."""

    operator: Literal["and", "or", "not"]
    parts: "tuple[Condition, ...]"


Condition = Comparison | Junction


@dataclass(frozen=True, slots=True)
class Ordering:
    """One ORDER BY entry."""

    field: Field
    descending: bool
    nulls_last: bool


@dataclass(frozen=True, slots=True)
class Query:
    """A whole query."""

    fields: tuple[Field, ...]
    sobject: str
    sobject_at: int
    where: Condition | None
    group_by: tuple[Field, ...]
    having: Condition | None
    order_by: tuple[Ordering, ...]
    limit: int | None
    offset: int


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int

    @property
    def word(self) -> str:
        return self.text.lower() if self.kind == "word" else ""


def _tokens(text: str) -> list[_Token]:
    found, at = [], 0
    end = len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None:
            start = at + len(text[at:]) - len(text[at:].lstrip())
            raise Malformed(f"'{text[start]}'", start)
        kind = str(match.lastgroup)
        found.append(_Token(kind, match.group(kind), match.start(kind)))
        at = match.end()
    found.append(_Token("end", "<EOF>", end))
    return found


class _Parser:
    def __init__(self, text: str) -> None:
        self.tokens = _tokens(text)
        self.place = 0

    @property
    def now(self) -> _Token:
        return self.tokens[self.place]

    def take(self) -> _Token:
        token = self.now
        self.place += 1
        return token

    def fail(self) -> Malformed:
        text = self.now.text
        return Malformed(text if self.now.kind == "end" else f"'{text}'", self.now.at)

    def accept(self, *words: str) -> bool:
        ahead = self.tokens[self.place : self.place + len(words)]
        if [t.text.lower() if t.kind != "string" else "" for t in ahead] != list(words):
            return False
        self.place += len(words)
        return True

    def expect(self, *words: str) -> None:
        if not self.accept(*words):
            raise self.fail()

    def name(self) -> _Token:
        if self.now.kind != "word":
            raise self.fail()
        return self.take()

    def query(self) -> Query:
        self.expect("select")
        fields = [self.field()]
        while self.accept(","):
            fields.append(self.field())
        self.expect("from")
        sobject = self.name()
        if self.now.kind == "word" and self.now.word not in _RESERVED:
            self.take()  # an alias of the object
        if self.accept("using", "scope"):
            self.name()
        where = self.condition() if self.accept("where") else None
        group_by = self.grouping()
        having = self.condition() if group_by and self.accept("having") else None
        order_by = self.ordering()
        limit = self.count("limit")
        offset = self.count("offset") or 0
        while self.accept("for", "view") or self.accept("for", "reference"):
            continue
        self.accept("all", "rows")
        return Query(
            tuple(fields),
            sobject.text,
            sobject.at,
            where,
            group_by,
            having,
            order_by,
            limit,
            offset,
        )

    def field(self) -> Field:
        if self.now.text == "(" and self.tokens[self.place + 1].word == "select":
            at = self.take().at
            inner = self.query()
            self.expect(")")
            return Field(inner.sobject, at, query=inner)
        token = self.name()
        if token.word in _RESERVED:
            self.place -= 1
            raise self.fail()
        if self.accept("("):
            return self.function(token)
        alias = ""
        if self.now.kind == "word" and self.now.word not in _RESERVED:
            alias = self.take().text
        return Field(token.text, token.at, alias=alias)

    def function(self, token: _Token) -> Field:
        path = "" if self.now.text == ")" else self.name().text
        self.expect(")")
        alias = ""
        if self.now.kind == "word" and self.now.word not in _RESERVED:
            alias = self.take().text
        return Field(path, token.at, token.word, alias)

    def grouping(self) -> tuple[Field, ...]:
        if not self.accept("group", "by"):
            return ()
        fields = [self.plain()]
        while self.accept(","):
            fields.append(self.plain())
        return tuple(fields)

    def plain(self) -> Field:
        token = self.name()
        if self.accept("("):
            inner = "" if self.now.text == ")" else self.name().text
            self.expect(")")
            return Field(inner, token.at, token.word)
        return Field(token.text, token.at)

    def ordering(self) -> tuple[Ordering, ...]:
        if not self.accept("order", "by"):
            return ()
        found = [self.one_ordering()]
        while self.accept(","):
            found.append(self.one_ordering())
        return tuple(found)

    def one_ordering(self) -> Ordering:
        field = self.plain()
        descending = self.accept("desc")
        if not descending:
            self.accept("asc")
        nulls_last = self.accept("nulls", "last")
        if not nulls_last:
            self.accept("nulls", "first")
        return Ordering(field, descending, nulls_last)

    def count(self, word: str) -> int | None:
        if not self.accept(word):
            return None
        if self.now.kind != "number" or not self.now.text.isdigit():
            raise self.fail()
        return int(self.take().text)

    def condition(self) -> Condition:
        first = self.unary()
        for operator in ("and", "or"):
            if self.accept(operator):
                parts = [first, self.unary()]
                while self.accept(operator):
                    parts.append(self.unary())
                if self.now.word in ("and", "or"):
                    raise self.fail()  # mixing them needs parentheses
                return Junction("and" if operator == "and" else "or", tuple(parts))
        return first

    def unary(self) -> Condition:
        if self.accept("not"):
            return Junction("not", (self.unary(),))
        if self.accept("("):
            inner = self.condition()
            self.expect(")")
            return inner
        return self.comparison()

    def comparison(self) -> Comparison:
        field = self.plain()
        if self.accept("not", "in"):
            return self.members(field, "not in")
        for operator in ("in", "includes", "excludes"):
            if self.accept(operator):
                return self.members(field, operator)
        if self.accept("like"):
            return Comparison(field, "like", (self.literal(),))
        if self.now.text in COMPARISONS and self.now.kind == "sign":
            return Comparison(field, self.take().text, (self.literal(),))
        raise self.fail()

    def members(self, field: Field, operator: str) -> Comparison:
        self.expect("(")
        if self.now.word == "select":
            inner = self.query()
            self.expect(")")
            return Comparison(field, operator, query=inner)
        values = [self.literal()]
        while self.accept(","):
            values.append(self.literal())
        self.expect(")")
        return Comparison(field, operator, tuple(values))

    def literal(self) -> Constant:
        token = self.take()
        if token.kind == "string":
            return Constant("string", _unescape(token.text[1:-1]))
        if token.kind == "number":
            return Constant("number", token.text)
        if token.kind == "moment":
            return Constant("moment", token.text)
        if token.kind == "word":
            return Constant("word", token.text)
        self.place -= 1
        raise self.fail()


def _unescape(text: str) -> str:
    # LIKE tells \% and \_ from the wildcards, so these two keep their backslash.
    return re.sub(
        r"\\(.)",
        lambda m: m.group(0) if m.group(1) in "%_" else _ESCAPES.get(m.group(1), m.group(1)),
        text,
    )


def tested(condition: Condition | None) -> Iterator[Field]:
    """Yield the columns that a condition looks at."""
    if isinstance(condition, Junction):
        for part in condition.parts:
            yield from tested(part)
    elif condition is not None:
        yield condition.field


def parse(text: str) -> Query:
    """Parse one query; Malformed carries the place."""
    parser = _Parser(text)
    query = parser.query()
    if parser.now.kind != "end":
        raise parser.fail()
    return query
