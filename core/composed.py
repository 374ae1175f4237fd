"""Questions that are asked all day: composed by the ORM once, planned by PostgreSQL once.

``Composed`` takes a queryset with ``Given`` in place of its values. Its SQL is written down at the
first call in a process; every connection then keeps it as a prepared statement. For the gate that
is most of its time: a queryset is composed anew at each call, and PostgreSQL plans it anew.

The answer is what the queryset would give: tuples for ``values_list``, else rows of the model.

``together`` sends several questions at once, so that one wait is enough for all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from itertools import chain
from time import monotonic
from typing import Any, Literal

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.models import query
from psycopg.types.datetime import TimestamptzLoader

Kind = Literal["bigint", "text", "timestamptz", "jsonb", "bigint[]", "text[]"]
_FIELDS: dict[str, models.Field[Any, Any]] = {
    "bigint": models.BigIntegerField(),
    "text": models.TextField(),
    "timestamptz": models.DateTimeField(),
    "jsonb": models.JSONField(),
}


@dataclass(frozen=True, slots=True)
class _Slot:
    """Stands among the parameters for the value of that name."""

    name: str


class Given(models.Expression):
    """A value that each call gives: for ``jsonb`` its text, for a kind with ``[]`` a list.

    A list stands after ``__in``.
    """

    def __init__(self, name: str, kind: Kind) -> None:
        """``name`` is that of the argument."""
        super().__init__(output_field=_FIELDS[kind.removesuffix("[]")])
        self.name, self.kind = name, kind

    def as_sql(self, compiler: Any, connection: Any, **_: Any) -> Any:
        """Write the place of the value; a list becomes rows."""
        place = f"%s::{self.kind}"
        text = f"(SELECT unnest({place}))" if self.kind.endswith("[]") else place
        return text, [_Slot(self.name)]


class _Prepared(psycopg.Cursor[Any]):
    """A cursor of psycopg's own kind, on a connection whose other cursors never prepare."""

    def execute(self, query: Any, params: Any = None, **_: Any) -> Any:
        """Prepare at the first call, not at the fifth."""
        return super().execute(query, params, prepare=True)


@dataclass(frozen=True, slots=True)
class _Statement:
    """SQL with what makes rows of the model out of its answer."""

    sql: str
    params: Sequence[Any]
    rows: Callable[[list[Any]], list[Any]]


class Composed:
    """A queryset that is composed at the first call; the arguments fill its ``Given``."""

    def __init__(self, compose: Callable[[], models.QuerySet[Any, Any]]) -> None:
        """``compose`` makes the queryset, once."""
        self._compose = compose
        self._statement: _Statement | None = None

    def __call__(self, **values: object) -> list[Any]:
        """Return what the queryset finds with these values."""
        return Question(self, values).answer()

    def asked(self, **values: object) -> Question:
        """Return the question with these values, to be asked later or ``together`` with others."""
        return Question(self, values)

    @property
    def statement(self) -> _Statement:
        """The SQL, written down when it is first wanted."""
        if self._statement is None:
            self._statement = self._written()
        return self._statement

    def _written(self) -> _Statement:
        queryset = self._compose()
        compiler = queryset.query.get_compiler(using=DEFAULT_DB_ALIAS)
        sql, params = compiler.as_sql()
        whole = issubclass(queryset._iterable_class, query.ModelIterable)
        made = _objects if whole else _tuples
        return _Statement(sql, tuple(params), made(compiler))


@dataclass(frozen=True, slots=True)
class Question:
    """A composed question with its values."""

    composed: Composed
    values: Mapping[str, object]

    @property
    def key(self) -> Hashable:
        """What makes two questions the same; the order of a list does not matter."""
        held = (
            (name, frozenset(value) if isinstance(value, list) else value)
            for name, value in self.values.items()
        )
        return (self.composed, *sorted(held))

    def answer(self) -> list[Any]:
        """Return what the queryset finds, now or when it was asked ``together`` with others."""
        rows = _answers.get().pop(self.key, None)
        return self.composed.statement.rows(_sent(self).fetchall() if rows is None else rows)

    def params(self) -> list[Any]:
        """Return the values in the order of the statement."""
        return [
            self.values[each.name] if isinstance(each, _Slot) else each
            for each in self.composed.statement.params
        ]


@contextmanager
def together(questions: Iterable[Question]) -> Iterator[None]:
    """Ask all of these at once; whoever asks one of them inside finds its answer waiting.

    Each answer is given once, to the same question with the same values: a guess that was wrong
    costs time and changes nothing, since whoever needs another answer asks for it himself.
    """
    connection: Any = connections[DEFAULT_DB_ALIAS]
    connection.ensure_connection()
    with connection.wrap_database_errors:
        with connection.connection.pipeline():
            asked = [(question.key, _sent(question)) for question in questions]
        found = {key: cursor.fetchall() for key, cursor in asked}
    token = _answers.set({**_answers.get(), **found})
    try:
        yield
    finally:
        _answers.reset(token)


_answers: ContextVar[dict[Hashable, list[Any]]] = ContextVar("answers", default={})  # noqa: B039


def _sent(question: Question) -> Any:
    """Execute a question; in a pipeline that only sends it."""
    connection: Any = connections[DEFAULT_DB_ALIAS]
    connection.ensure_connection()
    cursor = _Prepared(connection.connection)
    # Django's own reads every moment in Python; the connection's zone is UTC either way.
    cursor.adapters.register_loader("timestamptz", TimestamptzLoader)
    asked = connection.make_cursor(cursor)
    sql, params = question.composed.statement.sql, question.params()
    started = monotonic()
    asked.execute(sql, params)
    if connection.queries_logged:
        connection.queries_log.append({"sql": sql, "time": f"{monotonic() - started:.3f}"})
    return asked


def _tuples(compiler: Any) -> Callable[[list[Any]], list[Any]]:
    converted = _converter(compiler)
    return lambda rows: list(map(tuple, converted(rows)))


def _objects(compiler: Any) -> Callable[[list[Any]], list[Any]]:
    """Make rows of the model as Django's own ``ModelIterable`` does."""
    select, klass, notes = compiler.select, compiler.klass_info, compiler.annotation_col_map
    first, last = klass["select_fields"][0], klass["select_fields"][-1]
    names = [column[0].target.attname for column in select[first : last + 1]]
    populators: Any = query.get_related_populators
    related = populators(klass, select, DEFAULT_DB_ALIAS)
    converted = _converter(compiler)

    def made(row: Sequence[Any]) -> Any:
        found = klass["model"].from_db(DEFAULT_DB_ALIAS, names, row[first : last + 1])
        for each in related:
            each.populate(row, found)
        for name, place in notes.items():
            setattr(found, name, row[place])
        return found

    return lambda rows: [made(row) for row in converted(rows)]


def _converter(compiler: Any) -> Callable[[list[Any]], Any]:
    fields = [column[0] for column in compiler.select[: compiler.col_count]]
    converters = compiler.get_converters(fields)
    if not converters:
        return lambda rows: rows
    return lambda rows: compiler.apply_converters(chain(rows), converters)
