"""Metadata types in people's words."""

from __future__ import annotations

import re

_SPECIAL = {
    "ApexClass": "Apex class",
    "ApexComponent": "Visualforce component",
    "ApexPage": "Visualforce page",
    "ApexTrigger": "Apex trigger",
    "AuraDefinitionBundle": "Aura component",
    "CustomApplication": "app",
    "CustomField": "field",
    "CustomLabel": "label",
    "CustomMetadata": "custom metadata record",
    "CustomObject": "object",
    "CustomObjectTranslation": "object translation",
    "CustomSite": "site",
    "CustomTab": "tab",
    "FlexiPage": "Lightning page",
    "GlobalValueSet": "global value set",
    "LightningComponentBundle": "Lightning web component",
    "Translations": "translation",
    "WebLink": "button or link",
    "Workflow": "workflow",
}
_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z0-9]+|[A-Z]+")


def singular(type_name: str) -> str:
    """One component of a type: ``field``, ``validation rule``, ``Apex class``."""
    known = _SPECIAL.get(type_name)
    if known:
        return known
    words = _WORD.findall(type_name) or [type_name]
    return " ".join(word if word.isupper() and len(word) > 1 else word.lower() for word in words)


def plural(type_name: str) -> str:
    """Several components of a type: ``fields``, ``Apex classes``, ``policies``."""
    word = singular(type_name)
    if word.endswith(("s", "x", "ch", "sh")):
        return word if type_name.endswith(("Rules", "Labels", "Settings")) else f"{word}es"
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return f"{word[:-1]}ies"
    return f"{word}s"


def counted(count: int, type_name: str) -> str:
    """``1 field``, ``12 fields``."""
    return f"{count} {singular(type_name) if count == 1 else plural(type_name)}"


def element(name: str) -> str:
    """An element's name as words: ``fieldPermissions`` is ``field permissions``."""
    return (
        " ".join(word if word.isupper() else word.lower() for word in _WORD.findall(name)) or name
    )
