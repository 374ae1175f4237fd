"""Check the fields that formulas name, and their brackets."""

import re

from simulator.catalogue import parts
from simulator.catalogue.parts import Part
from simulator.catalogue.standard import is_custom
from simulator.deploys.problems import Problem
from simulator.deploys.view import View

_SILENT = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|/\*.*?\*/', re.DOTALL)
_PATH = re.compile(r"[$A-Za-z_][\w.:]*")
_RELATION = "__r"


def check(part: Part, view: View, child: str) -> list[Problem]:
    """Return what is wrong with the formula in the child element of that name."""
    holder = None if part.element is None else part.element.child(child)
    if holder is None or "." not in part.name:
        return []
    entity = part.name.split(".", 1)[0]
    text = _SILENT.sub(" ", holder.text)
    problem = _brackets(text)
    if not problem:
        found = (unknown(view, entity, path) for path in _PATH.findall(text))
        problem = next((p for p in found if p), "")
    return [Problem(problem, holder.line, holder.column)] if problem else []


def _brackets(text: str) -> str:
    depth = 0
    for sign in text:
        depth += (sign == "(") - (sign == ")")
        if depth < 0:
            return "Syntax error. Extra ')'"
    return "Syntax error. Missing ')'" if depth else ""


def unknown(view: View, entity: str, path: str) -> str:
    """Return the complaint about a field path of a formula, or nothing."""
    *relations, column = path.split(".")
    if path.startswith("$") or ":" in path:
        return ""
    for relation in relations:
        if not relation.lower().endswith(_RELATION):
            return ""  # standard relationships are not followed
        lookup = relation[: -len(_RELATION)] + "__c"
        if not view.has_field(entity, lookup):
            return f"Field {path} does not exist. Check spelling."
        entity = _target(view, entity, lookup)
        if not entity:
            return ""
    if is_custom(column) and not view.has_field(entity, column):
        return f"Field {path} does not exist. Check spelling."
    return ""


def _target(view: View, entity: str, lookup: str) -> str:
    if not view.has("CustomField", f"{entity}.{lookup}"):
        return ""
    element = parts.parse_fragment(view.content("CustomField", f"{entity}.{lookup}"))
    targets = element.all("referenceTo")
    return targets[0].text.strip() if len(targets) == 1 else ""
