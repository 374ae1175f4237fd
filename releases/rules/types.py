"""Names of metadata types as people say them."""

from __future__ import annotations

import re

_SPOKEN = {
    "ApexClass": "Apex class",
    "ApexComponent": "Visualforce component",
    "ApexPage": "Visualforce page",
    "ApexTrigger": "Apex trigger",
    "AuraDefinitionBundle": "Aura component",
    "CustomApplication": "App",
    "CustomField": "Field",
    "CustomLabel": "Label",
    "CustomLabels": "Labels",
    "CustomObject": "Object",
    "CustomTab": "Tab",
    "FlexiPage": "Lightning page",
    "LightningComponentBundle": "Lightning web component",
    "WebLink": "Button or link",
}
_WORDS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")


def spoken(type_name: str) -> str:
    """``PermissionSet`` as ``Permission set``; well-known types by their usual names."""
    if type_name in _SPOKEN:
        return _SPOKEN[type_name]
    words = _WORDS.findall(type_name)
    rest = [word if word.isupper() and len(word) > 1 else word.lower() for word in words[1:]]
    return " ".join([*words[:1], *rest])


def counted(type_name: str, number: int) -> str:
    """``1 field``, ``3 Apex classes``: a number of components of a type, within a sentence."""
    name = spoken(type_name)
    if not name.startswith(("Apex", "Aura", "Lightning", "Visualforce")):
        name = name[:1].lower() + name[1:]
    if number == 1 or (name.endswith("s") and not name.endswith("ss")):
        return f"{number:,} {name}"
    if name.endswith("y") and name[-2] not in "aeiou":
        return f"{number:,} {name[:-1]}ies"
    return f"{number:,} {name}{'es' if name.endswith(('s', 'x', 'ch')) else 's'}"
