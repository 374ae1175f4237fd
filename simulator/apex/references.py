"""What an Apex source names, and its syntax faults, read with the tree-sitter grammar for Apex.

Everything here is about one source alone; whether the named things exist is for the deployment's
checks to say. Names in quotes of dynamic queries are not seen, as on the platform.
"""

from dataclasses import dataclass, field
from functools import cache, lru_cache

from tree_sitter import Language, Node, Parser, Query, QueryCursor
from tree_sitter_language_pack import get_language

from simulator.apex.tokens import Fault, Lines

_QUERY = """
(type_identifier) @type
(soql_query_body) @soql
(method_invocation object: (identifier) @static)
(field_access object: (identifier) @static)
(field_access object: (identifier) @holder field: (identifier) @field)
(object_creation_expression type: (type_identifier) @made
  arguments: (argument_list (assignment_expression left: (identifier) @given)))
(variable_declarator name: (identifier) @declared)
(formal_parameter name: (identifier) @declared)
(enhanced_for_statement name: (identifier) @declared)
(when_sobject_type (identifier) @declared)
(class_declaration name: (identifier) @inner)
(interface_declaration name: (identifier) @inner)
(enum_declaration name: (identifier) @inner)
"""


@dataclass(frozen=True, slots=True)
class Name:
    """A name and its place."""

    text: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class FieldUse:
    """A field that is read or written on an object of a known type."""

    sobject: str
    name: Name
    made: bool


@dataclass(frozen=True, slots=True)
class SoqlUse:
    """A query in brackets: its object, its field paths, its own text and place."""

    sobject: Name
    paths: tuple[Name, ...]
    text: str
    line: int
    column: int
    nested: bool


@dataclass(slots=True)
class References:
    """Everything that a source names outside itself."""

    types: list[Name] = field(default_factory=list)
    statics: list[Name] = field(default_factory=list)
    fields: list[FieldUse] = field(default_factory=list)
    queries: list[SoqlUse] = field(default_factory=list)
    declared: set[str] = field(default_factory=set)
    inner: set[str] = field(default_factory=set)
    faults: list[Fault] = field(default_factory=list)


@cache
def _grammar() -> tuple[Parser, Query]:
    language: Language = get_language("apex")
    return Parser(language), Query(language, _QUERY)


@lru_cache(maxsize=4096)
def references(source: str) -> References:
    """Return what a source names; with faults in it nothing else is filled in."""
    parser, query = _grammar()
    content = source.encode()
    tree = parser.parse(content)
    reader = _Reader(content, source)
    if tree.root_node.has_error:
        fault = reader.fault(tree.root_node)
        if fault is not None:
            return References(faults=[fault])
    return reader.read(QueryCursor(query).captures(tree.root_node))


class _Reader:
    def __init__(self, content: bytes, source: str) -> None:
        self.content = content
        self.lines = Lines(source)

    def text(self, node: Node) -> str:
        return self.content[node.start_byte : node.end_byte].decode("utf-8", "replace")

    def name(self, node: Node) -> Name:
        return Name(self.text(node), node.start_point.row + 1, node.start_point.column + 1)

    def fault(self, root: Node) -> Fault | None:
        """Return the first syntax fault in the order of the text."""
        waiting = [root]
        while waiting:
            node = waiting.pop()
            if node.is_missing:
                return self._missing(node)
            if node.is_error:
                return self._unexpected(node)
            if node.has_error:
                waiting += reversed(node.children)
        return None

    def _missing(self, node: Node) -> Fault:
        at, word = self._next_token(node.end_byte)
        return Fault(f"Missing '{node.type}' at '{word}'", *self._place(at))

    def _unexpected(self, node: Node) -> Fault:
        at, word = self._next_token(node.start_byte)
        return Fault(f"Unexpected token '{word}'.", *self._place(at))

    def _next_token(self, at: int) -> tuple[int, str]:
        while at < len(self.content) and self.content[at : at + 1].isspace():
            at += 1
        end = at
        while end < len(self.content) and (
            self.content[end : end + 1].isalnum() or self.content[end] == ord("_")
        ):
            end += 1
        word = self.content[at : max(end, at + 1)].decode("utf-8", "replace")
        return at, word or "<EOF>"

    def _place(self, at: int) -> tuple[int, int]:
        before = self.content[:at]
        return before.count(b"\n") + 1, at - (before.rfind(b"\n") + 1) + 1

    def read(self, captures: dict[str, list[Node]]) -> References:
        found = References()
        found.inner = {self.text(node).lower() for node in captures.get("inner", [])}
        types = self._variables(captures.get("declared", []))
        found.declared = set(types)
        for node in captures.get("type", []):
            if _is_first_part(node):
                found.types.append(self.name(node))
        for node in captures.get("static", []):
            if self.text(node).lower() not in found.declared:
                found.statics.append(self.name(node))
        found.queries = [self._query(node) for node in captures.get("soql", [])]
        found.fields = self._fields(captures, types)
        return found

    def _variables(self, nodes: list[Node]) -> dict[str, str]:
        """Return declared names with their type; two types for one name give none."""
        types: dict[str, str] = {}
        for node in nodes:
            name = self.text(node).lower()
            holder = node.parent
            if holder is not None and holder.type == "variable_declarator":
                holder = holder.parent
            kind = None if holder is None else holder.child_by_field_name("type")
            text = "" if kind is None or kind.type != "type_identifier" else self.text(kind)
            types[name] = text if types.get(name, text) == text else ""
        return types

    def _fields(self, captures: dict[str, list[Node]], types: dict[str, str]) -> list[FieldUse]:
        found = []
        for node in captures.get("field", []):
            access = node.parent
            holder = None if access is None else access.child_by_field_name("object")
            sobject = "" if holder is None else types.get(self.text(holder).lower(), "")
            if sobject:
                found.append(FieldUse(sobject, self.name(node), made=False))
        for node in captures.get("given", []):
            made = node
            while made.parent is not None and made.type != "object_creation_expression":
                made = made.parent
            kind = made.child_by_field_name("type")
            if kind is not None:
                found.append(FieldUse(self.text(kind), self.name(node), made=True))
        return found

    def _query(self, node: Node) -> SoqlUse:
        origin = next((c for c in node.children if c.type == "from_clause"), None)
        objects = [] if origin is None else _descendants(origin, "storage_identifier")
        paths = [
            self.name(path)
            for clause in node.children
            if clause.type in ("select_clause", "where_clause", "order_by_clause")
            for path in _descendants(clause, "field_identifier", below="subquery")
        ]
        place = (node.start_point.row + 1, node.start_point.column + 1)
        # Aliases of objects make paths ambiguous; such a query is taken as it is.
        plain = len(objects) == 1 and origin is not None and len(origin.named_children) == 1
        target = self.name(objects[0]) if objects else Name("", *place)
        parent = node.parent.type if node.parent is not None else ""
        return SoqlUse(
            target, tuple(paths) if plain else (), self.text(node), *place, parent == "subquery"
        )


def _is_first_part(node: Node) -> bool:
    """Say whether a type's name stands alone or leads a dotted one."""
    parent = node.parent
    return (
        parent is None
        or parent.type != "scoped_type_identifier"
        or (parent.children[0].start_byte == node.start_byte and _is_first_part(parent))
    )


def _descendants(node: Node, kind: str, below: str = "") -> list[Node]:
    found = []
    for child in node.children:
        if child.type == kind:
            found.append(child)
        elif child.type != below:
            found += _descendants(child, kind, below)
    return found
