"""Answer a parsed query over tables of rows: names in any case, answers in canonical spelling."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from operator import itemgetter
from typing import Any

from simulator import ids
from simulator.clock import parse_time
from simulator.rest import compare, functions, soql
from simulator.sure import sure
from simulator.transport.messages import Refused

Record = dict[str, Any]
_HINT = "Please reference your WSDL or the describe call for the appropriate names."
_DAY = 86400.0


@dataclass(frozen=True)
class Table:
    """One queryable object: canonical column names with their type, and how to get its rows.

    Types are id, string, boolean, int, double, datetime, date, json. A relation leads from a name
    to a table's name and the column that holds the other record's id.
    """

    name: str
    columns: Mapping[str, str]
    rows: Callable[[], list[Record]]
    relations: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    tooling: bool = False
    #: Lists of other records that lead back here: name → (table, column with this record's id).
    children: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    #: Columns that hold codes: what answers show instead; conditions compare the codes.
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def column(self, name: str) -> str | None:
        """Return the canonical spelling of a column."""
        return next((c for c in self.columns if c.lower() == name.lower()), None)


Finder = Callable[[str], Table | None]


class Selection:
    """One query against the tables that a finder knows."""

    def __init__(self, text: str, find: Finder, now: float) -> None:
        self.text = text
        self._find = find
        self._now = now

    def run(self) -> tuple[list[Record], int, list[Record] | None, Table, soql.Query]:
        """Return records, total size, aggregate rows (or None), the table and the query."""
        try:
            query = soql.parse(self.text)
        except soql.Malformed as error:
            message = self._pointer(error.at) + f"unexpected token: {error.token}"
            raise Refused(400, "MALFORMED_QUERY", message) from error
        return self._run(query)

    def _run(
        self, query: soql.Query, inside: Table | None = None
    ) -> tuple[list[Record], int, list[Record] | None, Table, soql.Query]:
        table = inside or self._table(query)
        query_fields = self._expanded(query, table)
        for wanted in (*query_fields, *soql.tested(query.where), *query.group_by):
            if wanted.query is not None:
                self._child(wanted, table)
            elif wanted.path:
                self._resolve(wanted, table)
        rows = [row for row in table.rows() if self._holds(query.where, row, table)]
        if _is_bare_count(query):
            return [], len(rows), None, table, query
        if query.group_by or any(f.function in soql.AGGREGATES for f in query.fields):
            grouped = self._ordered_groups(query, self._aggregate(query, rows, table), table)
            return [], len(grouped), grouped, table, query
        ungrouped = [wanted for wanted in query_fields if functions.groups(wanted.function)]
        if ungrouped:
            raise self._ungrouped(ungrouped[0])
        for order in reversed(query.order_by):
            self._resolve(order.field, table)
            rows = self._sorted(rows, order, table)
        total = len(rows)
        rows = rows[query.offset :]
        if query.limit is not None:
            rows = rows[: query.limit]
            total = len(rows)
        records = [self._project(row, query_fields, table) for row in rows]
        return records, total, None, table, query

    def _table(self, query: soql.Query) -> Table:
        table = self._find(query.sobject)
        if table is None:
            message = (
                f"{self._pointer(query.sobject_at)}sObject type '{query.sobject}' is not supported."
                " If you are attempting to use a custom object, be sure to append the '__c' after"
                f" the entity name. {_HINT}"
            )
            raise Refused(400, "INVALID_TYPE", message)
        return table

    def _expanded(self, query: soql.Query, table: Table) -> list[soql.Field]:
        found: list[soql.Field] = []
        for wanted in query.fields:
            if wanted.query is not None:
                found.append(wanted)
            elif wanted.function == "fields":
                found += [soql.Field(name, wanted.at) for name in table.columns]
            else:
                found.append(self._without_alias(wanted, query))
        return found

    @staticmethod
    def _without_alias(wanted: soql.Field, query: soql.Query) -> soql.Field:
        head, dot, tail = wanted.path.partition(".")
        if dot and head.lower() == query.sobject.lower():
            return soql.Field(tail, wanted.at, wanted.function, wanted.alias)
        return wanted

    def _resolve(self, wanted: soql.Field, table: Table) -> list[tuple[Table, str]]:
        """Return the chain of (table, canonical column or relation) along a path."""
        if not functions.is_known(wanted.function):
            message = f"{self._pointer(wanted.at)}Unknown function: {wanted.function}"
            raise Refused(400, "MALFORMED_QUERY", message)
        steps: list[tuple[Table, str]] = []
        *relations, column = wanted.path.split(".")
        for name in relations:
            relation = next((r for r in table.relations if r.lower() == name.lower()), None)
            target = self._find(table.relations[relation][0]) if relation else None
            if relation is None or target is None:
                message = (
                    f"{self._pointer(wanted.at)}Didn't understand relationship '{name}' in field"
                    " path. If you are attempting to use a custom relationship, be sure to append"
                    f" the '__r' after the custom relationship name. {_HINT}"
                )
                raise Refused(400, "INVALID_FIELD", message)
            steps.append((table, relation))
            table = target
        canonical = table.column(column)
        if canonical is None:
            message = (
                f"{self._pointer(wanted.at)}No such column '{column}' on entity '{table.name}'."
                " If you are attempting to use a custom field, be sure to append the '__c' after"
                f" the custom field name. {_HINT}"
            )
            raise Refused(400, "INVALID_FIELD", message)
        steps.append((table, canonical))
        return steps

    def _value(self, row: Record | None, wanted: soql.Field, table: Table) -> tuple[Any, str]:
        steps = self._resolve(wanted, table)
        for here, relation in steps[:-1]:
            row = None if row is None else self._follow(row, here, relation)
        last, column = steps[-1]
        value = None if row is None else row.get(column)
        return functions.apply(wanted.function, value, last.columns[column])

    def _follow(self, row: Record, table: Table, relation: str) -> Record | None:
        target_name, key = table.relations[relation]
        target = self._find(target_name)
        if target is None or not row.get(key):
            return None
        return next((r for r in target.rows() if ids.same_id(str(r.get("Id")), row[key])), None)

    def _project(self, row: Record, fields: list[soql.Field], table: Table) -> Record:
        record: Record = {"attributes": attributes(table, row)}
        for wanted in fields:
            if wanted.query is not None:
                name, records = self._children_of(row, wanted, table)
                listed = {"totalSize": len(records), "done": True, "records": records}
                record[name] = listed if records else None
                continue
            steps = self._resolve(wanted, table)
            place, source = record, row
            for here, relation in steps[:-1]:
                followed = self._follow(source, here, relation) if source else None
                if followed is None:
                    place[relation] = None
                    break
                target = sure(self._find(here.relations[relation][0]), "the path was resolved")
                held = place.setdefault(relation, {"attributes": attributes(target, followed)})
                place, source = held, followed
            else:
                last, column = steps[-1]
                value = source.get(column)
                place[column] = last.labels.get(column, {}).get(str(value), value)
        return record

    def _child(self, wanted: soql.Field, table: Table) -> tuple[str, Table, str]:
        """Return the list's canonical name, its table and the column that leads back."""
        name = next((c for c in table.children if c.lower() == wanted.path.lower()), None)
        target = self._find(table.children[name][0]) if name else None
        if name is None or target is None:
            message = (
                f"{self._pointer(wanted.at)}Didn't understand relationship '{wanted.path}' in FROM"
                " part of query call. If you are attempting to use a custom relationship, be sure"
                f" to append the '__r' after the custom relationship name. {_HINT}"
            )
            raise Refused(400, "INVALID_TYPE", message)
        return name, target, table.children[name][1]

    def _children_of(
        self, row: Record, wanted: soql.Field, table: Table
    ) -> tuple[str, list[Record]]:
        name, target, column = self._child(wanted, table)
        query = sure(wanted.query, "the caller looked")
        own = str(row.get("Id"))
        rows = [r for r in target.rows() if r.get(column) and ids.same_id(str(r[column]), own)]
        # The rows of the list become the table that the inner query is asked of.
        return name, self._run(query, replace(target, rows=lambda: rows))[0]

    def _holds(self, condition: soql.Condition | None, row: Record, table: Table) -> bool:
        if condition is None:
            return True
        if isinstance(condition, soql.Junction):
            tests = (self._holds(part, row, table) for part in condition.parts)
            if condition.operator == "and":
                return all(tests)
            return any(tests) if condition.operator == "or" else not next(tests)
        value, kind = self._value(row, condition.field, table)
        return self._compares(condition, value, kind)

    def _compares(self, test: soql.Comparison, value: Any, kind: str) -> bool:
        if test.query is not None:
            records, _, _, _, inner = self._run(test.query)
            name = inner.fields[0].path.split(".")[-1].lower()
            wanted = [next(v for k, v in r.items() if k.lower() == name) for r in records]
            found = any(compare.is_equal(value, other, kind) for other in wanted)
            return found if test.operator == "in" else not found
        ranges = [self._span(literal, kind, test) for literal in test.values]
        match test.operator:
            case "=" | "in":
                return any(compare.is_within(value, span, kind) for span in ranges)
            case "!=" | "<>" | "not in":
                return not any(compare.is_within(value, span, kind) for span in ranges)
            case "like":
                return isinstance(value, str) and compare.is_like(value, str(ranges[0][0]))
            case "includes" | "excludes":
                held = set(str(value or "").split(";"))
                hit = any(set(str(span[0]).split(";")) <= held for span in ranges)
                return hit if test.operator == "includes" else not hit
        return compare.is_ordered(value, test.operator, ranges[0], kind)

    def _span(self, literal: soql.Constant, kind: str, test: soql.Comparison) -> tuple[Any, Any]:
        """Return the constant as (low, high); only days and date literals span anything."""
        if literal.kind == "word":
            return self._word(literal.text, kind, test)
        if kind in ("datetime", "date"):
            if literal.kind != "moment":
                raise self._mistyped(test, kind)
            moment = parse_time(literal.text)
            return (moment, moment) if "T" in literal.text else (moment, moment + _DAY - 0.001)
        if literal.kind == "number":
            if kind not in ("int", "double"):
                raise self._mistyped(test, kind)
            return float(literal.text), float(literal.text)
        if kind in ("int", "double", "boolean"):
            raise self._mistyped(test, kind)
        return literal.text, literal.text

    def _word(self, word: str, kind: str, test: soql.Comparison) -> tuple[Any, Any]:
        lower = word.lower()
        if lower == "null":
            return None, None
        if lower in ("true", "false") and kind == "boolean":
            return lower == "true", lower == "true"
        span = compare.date_literal(word, self._now) if kind in ("datetime", "date") else None
        if span is None:
            raise self._mistyped(test, kind)
        return span

    def _mistyped(self, test: soql.Comparison, kind: str) -> Refused:
        name = test.field.path
        message = (
            f"{self._pointer(test.field.at)}filter criteria for field '{name}' should be of type"
            f" {kind} and should"
            f"{' not' if kind not in ('string', 'id') else ''} be enclosed in quotes"
        )
        return Refused(400, "INVALID_FIELD", message)

    def _sorted(self, rows: list[Record], order: soql.Ordering, table: Table) -> list[Record]:
        keyed = [(self._value(row, order.field, table), row) for row in rows]
        empty = [row for (value, _), row in keyed if value is None]
        filled = [
            (compare.sort_key(value, kind), row)
            for (value, kind), row in keyed
            if value is not None
        ]
        filled.sort(key=lambda pair: pair[0], reverse=order.descending)
        rest = [row for _, row in filled]
        return rest + empty if order.nulls_last else empty + rest

    def _aggregate(self, query: soql.Query, rows: list[Record], table: Table) -> list[Record]:
        groups: dict[tuple[Any, ...], list[Record]] = {}
        for row in rows:
            key = tuple(self._value(row, f, table)[0] for f in query.group_by)
            groups.setdefault(key, []).append(row)
        if not query.group_by and not groups:
            groups[()] = []
        self._check_grouped(query, table)
        return [
            self._one_group(query, members, table)
            for members in groups.values()
            if query.having is None or self._group_holds(query.having, members, table)
        ]

    def _check_grouped(self, query: soql.Query, table: Table) -> None:
        """Refuse columns that are neither grouped nor aggregated."""
        grouped = {(f.function, self._resolve(f, table)[-1][1]) for f in query.group_by}
        for wanted in query.fields:
            if wanted.function in soql.AGGREGATES:
                continue
            if (wanted.function, self._resolve(wanted, table)[-1][1]) not in grouped:
                raise self._ungrouped(wanted)

    def _ungrouped(self, wanted: soql.Field) -> Refused:
        message = f"{self._pointer(wanted.at)}Field must be grouped or aggregated: {wanted.path}"
        return Refused(400, "MALFORMED_QUERY", message)

    def _group_holds(self, test: soql.Condition, rows: list[Record], table: Table) -> bool:
        """Say whether a group passes HAVING: aggregates and grouped columns against constants."""
        if isinstance(test, soql.Junction):
            results = [self._group_holds(part, rows, table) for part in test.parts]
            if test.operator == "and":
                return all(results)
            return any(results) if test.operator == "or" else not results[0]
        if test.field.function not in soql.AGGREGATES:
            return self._holds(test, rows[0], table)
        values = (
            [self._value(row, test.field, table)[0] for row in rows] if test.field.path else rows
        )
        value = compare.reduce(test.field.function, values)
        kind = "double" if isinstance(value, (int, float)) else "string"
        return self._compares(test, value, kind)

    def _ordered_groups(
        self, query: soql.Query, groups: list[Record], table: Table
    ) -> list[Record]:
        for order in reversed(query.order_by):
            name = self._output_name(query, order.field, table)
            filled = [group for group in groups if group[name] is not None]
            filled.sort(key=itemgetter(name), reverse=order.descending)
            groups = [group for group in groups if group[name] is None] + filled
        groups = groups[query.offset :]
        return groups if query.limit is None else groups[: query.limit]

    def _output_name(self, query: soql.Query, wanted: soql.Field, table: Table) -> str:
        number = 0
        for listed in query.fields:
            same = (listed.function, listed.path.lower()) == (wanted.function, wanted.path.lower())
            if same or (listed.alias and listed.alias.lower() == wanted.path.lower()):
                plain = listed.alias or listed.function or self._resolve(listed, table)[-1][1]
                return f"expr{number}" if plain == listed.function else plain
            number += bool(listed.function and not listed.alias)
        message = (
            f"{self._pointer(wanted.at)}Ordered field must be grouped or aggregated: {wanted.path}"
        )
        raise Refused(400, "MALFORMED_QUERY", message)

    def _one_group(self, query: soql.Query, rows: list[Record], table: Table) -> Record:
        record: Record = {"attributes": {"type": "AggregateResult"}}
        number = 0
        for wanted in query.fields:
            if wanted.function not in soql.AGGREGATES:
                column = self._resolve(wanted, table)[-1][1]
                value = self._value(rows[0], wanted, table)[0] if rows else None
                plain = f"expr{number}" if wanted.function else column
                record[wanted.alias or plain] = value
                number += bool(wanted.function and not wanted.alias)
                continue
            values = [self._value(row, wanted, table)[0] for row in rows] if wanted.path else rows
            record[wanted.alias or f"expr{number}"] = compare.reduce(wanted.function, values)
            number += 0 if wanted.alias else 1
        return record

    def _pointer(self, at: int) -> str:
        before = max(0, at - 30)
        excerpt = " ".join(self.text[before : at + 30].split("\n"))
        row = self.text.count("\n", 0, at) + 1
        column = at - (self.text.rfind("\n", 0, at) + 1) + 1
        return f"\n{excerpt}\n{' ' * (at - before)}^\nERROR at Row:{row}:Column:{column}\n"


def attributes(table: Table, row: Record) -> Record:
    """Return the attributes object of a record; the address has no host."""
    base = "/services/data/v{version}/" + ("tooling/" if table.tooling else "")
    return {"type": table.name, "url": f"{base}sobjects/{table.name}/{row.get('Id')}"}


def _is_bare_count(query: soql.Query) -> bool:
    only = query.fields[0]
    return len(query.fields) == 1 and only.function == "count" and not only.path
