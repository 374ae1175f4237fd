"""API names by the platform's rule, and names that stand twice."""

import re
from collections.abc import Iterator

from simulator.catalogue.parts import Part
from simulator.catalogue.standard import CUSTOM_SUFFIXES
from simulator.deploys.problems import Problem
from simulator.deploys.view import View

_RULED = frozenset(
    {
        "CompactLayout", "CustomApplication", "CustomField", "CustomLabel", "CustomObject",
        "CustomPermission", "FieldSet", "Flow", "FlexiPage", "GlobalValueSet", "PermissionSet",
        "PermissionSetGroup", "QuickAction", "RecordType", "ValidationRule",
    }
)  # fmt: skip
_GOOD = re.compile(r"[A-Za-z](?:_?[A-Za-z0-9])*")
_RULE = (
    "can only contain underscores and alphanumeric characters. It must be unique, begin with a"
    " letter, not include spaces, not end with an underscore, and not contain two consecutive"
    " underscores."
)


def check(part: Part, view: View) -> list[Problem]:
    """Return what is wrong with a new component's name."""
    if part.type not in _RULED or part.key in view.held:
        return []
    own = part.name.rsplit(".", 1)[-1]
    suffix = next((s for s in CUSTOM_SUFFIXES if own.lower().endswith(s)), "")
    own = own[: len(own) - len(suffix)]
    namespace, separator, rest = own.partition("__")
    if separator and _GOOD.fullmatch(namespace):
        own = rest if suffix or len(namespace) <= 15 else own  # a package's name
    if _GOOD.fullmatch(own):
        return []
    return [Problem(f"The {_words(part.type)} Name field {_RULE}", part.line, part.column)]


def _words(kind: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", kind)


def twins(chosen: list[Part]) -> Iterator[tuple[Part, Problem]]:
    """Yield components that a package brings twice: the later one is at fault."""
    seen: set[tuple[str, str]] = set()
    for part in chosen:
        if part.key in seen:
            text = f"Duplicate name specified: {part.type} {part.name}"
            yield part, Problem(text, part.line, part.column)
        seen.add(part.key)


def relationship(part: Part, view: View) -> list[Problem]:
    """Complain about a lookup whose child relationship has the name of another one."""
    element = part.element
    name = "" if element is None else element.value("relationshipName")
    if element is None or not name:
        return []
    for target in element.all("referenceTo"):
        owner = view.relationships().get((target.text.strip().lower(), name.lower()), set())
        if owner - {part.name.lower()}:
            text = f"There is already a Child Relationship named {name} on {target.text.strip()}."
            return [Problem(text, part.line, part.column)]
    return []
