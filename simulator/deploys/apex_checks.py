"""Check Apex: syntax, types, fields, queries, and classes that depend on broken ones.

A name is called unknown only when it is neither in the source, nor in the org or the package, nor
of the platform (apex_types.txt, standard_objects.txt). Names of managed packages count as unknown
unless the operator calls their namespace installed (org option "namespaces").
"""

import re
from functools import cache
from pathlib import Path

from simulator.apex.outline import outline
from simulator.apex.references import FieldUse, Name, References, SoqlUse, references
from simulator.catalogue import parts
from simulator.catalogue.parts import Part
from simulator.catalogue.standard import STANDARD_OBJECTS, is_custom
from simulator.deploys.problems import Problem
from simulator.deploys.view import View

_TYPES_FILE = Path(__file__).parents[1] / "apex_types.txt"
_DERIVED = re.compile(r"__(share|history|feed|changeevent|tag)$", re.IGNORECASE)
_HINT = "Please reference your WSDL or the describe call for the appropriate names."
_RELATION = "__r"


@cache
def _platform_types() -> frozenset[str]:
    return frozenset(_TYPES_FILE.read_text(encoding="utf-8").lower().split())


def source_of(part: Part) -> str:
    """Return the text of a class or trigger."""
    return part.files[part.path].decode("utf-8", "replace")


def check(part: Part, view: View) -> list[Problem]:
    """Return what is wrong with a class or trigger by itself and in this org."""
    source = source_of(part)
    read = outline(source)
    if read.faults:
        return [Problem(fault.message, fault.line, fault.column) for fault in read.faults]
    named = references(source)
    if named.faults:
        return [Problem(fault.message, fault.line, fault.column) for fault in named.faults]
    wanted = ("trigger",) if part.type == "ApexTrigger" else ("class", "interface", "enum")
    if not read.name or read.kind not in wanted:
        first = source.split(maxsplit=1)[0] if source.strip() else "<EOF>"
        return [Problem(f"Unexpected token '{first}'.", 1, 1)]
    if read.name.lower() != part.name.lower():
        text = f"Invalid name: the file is called {part.name}, the {read.kind} {read.name}"
        return [Problem(text, *read.place)]
    if read.kind == "trigger" and not view.has_object(_base(read.sobject)):
        return [Problem(f"SObject type does not exist: {read.sobject}", 1, 1)]
    return _Names(view, named).problems()


def dependents(chosen: list[Part], view: View) -> list[tuple[Part, Problem]]:
    """Return sound classes and triggers that need broken ones, in rounds until none is left."""
    found: list[tuple[Part, Problem]] = []
    waiting = [
        part
        for part in chosen
        if part.type in ("ApexClass", "ApexTrigger") and part.key in view.brought
    ]
    moved = True
    while moved:
        moved = False
        for part in list(waiting):
            used = _broken_use(part, view)
            if used is None:
                continue
            cause = view.broken[used.text.lower()]
            text = (
                f"Dependent class is invalid and needs recompilation:\n Class {used.text} : {cause}"
            )
            found.append((part, Problem(text, used.line, used.column)))
            view.fail(part, text)
            waiting.remove(part)
            moved = True
    return found


def _broken_use(part: Part, view: View) -> Name | None:
    named = references(source_of(part))
    for name in (*named.types, *named.statics):
        if name.text.lower() in view.broken and name.text.lower() not in named.inner:
            return name
    return None


def _base(name: str) -> str:
    """Return the object behind a derived one: Foo__Share belongs to Foo__c."""
    return _DERIVED.sub("__c", name)


class _Names:
    def __init__(self, view: View, named: References) -> None:
        self.view = view
        self.named = named
        self.classes = {name.lower() for name in view.names("ApexClass")} | set(view.broken)

    def problems(self) -> list[Problem]:
        found = [self.type(name) for name in self.named.types]
        found += [self.static(name) for name in self.named.statics]
        found += [self.field(use) for use in self.named.fields]
        for query in self.named.queries:
            found += self.query(query)
        seen: dict[str, Problem] = {}
        for problem in found:
            if problem is not None:
                seen.setdefault(problem.text, problem)
        return list(seen.values())

    def is_known(self, name: str) -> bool:
        low = name.lower()
        if low in _platform_types() or low in STANDARD_OBJECTS or low in self.classes:
            return True
        if low in self.named.inner or low in self.view.namespaces:
            return True
        return is_custom(_base(name)) and self.view.has_object(_base(name))

    def type(self, name: Name) -> Problem | None:
        if self.is_known(name.text) or name.text.lower() in self.inherited("inner"):
            return None
        if is_custom(name.text) and self.view.is_field_somewhere(name.text):
            return None  # "upsert list Key__c" names a field where the grammar sees a type
        return Problem(f"Invalid type: {name.text}", name.line, name.column)

    def static(self, name: Name) -> Problem | None:
        low = name.text.lower()
        if self.is_known(name.text) or self.view.is_packaged(name.text):
            return None
        if low in self.inherited("inner") or low in self.inherited("declared"):
            return None
        return Problem(f"Variable does not exist: {name.text}", name.line, name.column)

    def inherited(self, what: str) -> set[str]:
        """Return names that any other class brings: superclasses pass theirs on."""
        return self.view.names_in_apex(what)

    def field(self, use: FieldUse) -> Problem | None:
        low = use.sobject.lower()
        if low in self.classes or low in self.named.inner or _DERIVED.search(low):
            return None
        if not self.view.has_object(use.sobject):
            return None  # the type itself is complained about
        name = use.name.text
        if name.lower().endswith(_RELATION):
            if self.view.is_child_relationship(name):
                return None
            name = name[: -len(_RELATION)] + "__c"
        if self.view.has_field(use.sobject, name):
            return None
        text = f"Variable does not exist: {use.name.text}"
        if use.made:
            text = f"Field does not exist: {use.name.text} on {use.sobject}"
        return Problem(text, use.name.line, use.name.column)

    def query(self, query: SoqlUse) -> list[Problem]:
        sobject = query.sobject.text
        if query.nested or not sobject:
            return []
        if is_custom(_base(sobject)) and not self.view.has_object(_base(sobject)):
            text = (
                f"sObject type '{sobject}' is not supported. If you are attempting to use a custom"
                f" object, be sure to append the '__c' after the entity name. {_HINT}"
            )
            return [self.at(query, query.sobject, text)]
        if _DERIVED.search(sobject):
            return []
        found = []
        for path in query.paths:
            text = self.path(sobject, path.text)
            if text:
                found.append(self.at(query, path, text))
        return found

    def path(self, sobject: str, path: str) -> str:
        """Follow a field path as far as it can be followed; return the complaint."""
        *relations, column = path.split(".")
        if relations and relations[0].lower() == sobject.lower():
            relations.pop(0)
        for relation in relations:
            if not relation.lower().endswith(_RELATION):
                return ""  # standard relationships are not followed
            lookup = relation[: -len(_RELATION)] + "__c"
            if not self.view.has_field(sobject, lookup):
                return (
                    f"Didn't understand relationship '{relation}' in field path. If you are"
                    " attempting to use a custom relationship, be sure to append the '__r' after"
                    f" the custom relationship name. {_HINT}"
                )
            target = self.target(sobject, lookup)
            if not target:
                return ""
            sobject = target
        if self.view.has_field(sobject, column):
            return ""
        return (
            f"No such column '{column}' on entity '{sobject}'. If you are attempting to use a"
            f" custom field, be sure to append the '__c' after the custom field name. {_HINT}"
        )

    def target(self, sobject: str, lookup: str) -> str:
        if not self.view.has("CustomField", f"{sobject}.{lookup}"):
            return ""
        element = parts.parse_fragment(self.view.content("CustomField", f"{sobject}.{lookup}"))
        targets = element.all("referenceTo")
        return targets[0].text.strip() if len(targets) == 1 else ""

    @staticmethod
    def at(query: SoqlUse, name: Name, text: str) -> Problem:
        row = name.line - query.line
        column = name.column - (query.column if row == 0 else 1)
        excerpt = query.text.split("\n")[row][max(0, column - 30) : column + 30]
        pointer = " " * min(column, 30) + "^"
        place = f"ERROR at Row:{row + 1}:Column:{column + 1}"
        return Problem(f"\n{excerpt}\n{pointer}\n{place}\n{text}", query.line, query.column)
