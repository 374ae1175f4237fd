"""Check Aura bundles: well-formed markup, the controller's class, the components that it uses."""

import re
from collections.abc import Iterator
from xml.parsers import expat

from simulator.catalogue.parts import Part
from simulator.deploys.problems import Problem
from simulator.deploys.view import View

_MARKUP = (".cmp", ".app", ".evt", ".intf", ".design", ".tokens", ".auradoc")
_ENTITY = re.compile(rb"&(?!(?:amp|lt|gt|quot|apos);)[A-Za-z]+;")
_OWN = "c:"
_COMPONENTS = ("AuraDefinitionBundle", "LightningComponentBundle")


def check(part: Part, view: View) -> list[Problem]:
    """Return what is wrong with a bundle's markup."""
    found = []
    for path in sorted(part.files):
        if path.endswith(_MARKUP):
            for text, line, column in _file(part, part.files[path], view):
                found.append(Problem(text, line, column + 1, path))
    return found


def _file(part: Part, content: bytes, view: View) -> Iterator[tuple[str, int, int]]:
    # Names of namespaces are not declared in this markup, so prefixes stay parts of the names.
    parser = expat.ParserCreate()
    found: list[tuple[str, int, int]] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        place = parser.CurrentLineNumber, parser.CurrentColumnNumber
        for text in _uses(name, attributes, view):
            found.append((f"{text} found : [markup://c:{part.name}]", *place))

    def refuse(*_: object) -> None:
        raise expat.ExpatError("DOCTYPE is not allowed")

    parser.StartElementHandler = start
    parser.StartDoctypeDeclHandler = refuse
    try:
        # Entities of HTML are known there; blanks of their length keep the places.
        parser.Parse(_ENTITY.sub(lambda match: b" " * len(match.group()), content), True)
    except expat.ExpatError as error:
        line, column = parser.ErrorLineNumber, parser.ErrorColumnNumber
        words = f"ParseError at [row,col]:[{line},{column + 1}] Message: {error}"
        yield f"Invalid definition for markup://c:{part.name}: {words}", line, column
        return
    yield from found


def _uses(name: str, attributes: dict[str, str], view: View) -> Iterator[str]:
    """Yield what an element names and the org does not hold."""
    controller = attributes.get("controller", "")
    if name in ("aura:component", "aura:application") and controller:
        plain = controller.removeprefix("c.")
        if not view.has("ApexClass", plain) and not view.is_packaged(plain) and "." not in plain:
            yield f"No CONTROLLER named apex://{controller}"
    if name.startswith(_OWN):
        own = name[len(_OWN) :]
        if not any(view.has(kind, own) for kind in _COMPONENTS):
            yield f"No COMPONENT named markup://{name}"
