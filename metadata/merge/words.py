"""A conflict in people's words: what is fought about, and what each side says."""

from __future__ import annotations

import re
from collections.abc import Iterable

from core.errors import InvalidInput
from metadata import wording, xml
from metadata.components import ComponentKey
from metadata.merge.conflicts import ElementConflict, Kind

MAX_TEXT = 60
SHOWN = 3
_STEP = re.compile(r"([A-Za-z_][\w.-]*)(?:\[((?:[^\]]|\](?!/|$))*)\])?(?:/|$)")
BYTES = re.compile(r"[\d,]+ bytes, SHA-256 [0-9a-f]{64}")
"""What stands for a content that is no text."""
_LINES = re.compile(r"(?s)(.*):(\d+)(?:-(\d+))?")
_PLURALS = (("ies", "y"), ("sses", "ss"), ("s", ""))


def component(key: ComponentKey) -> str:
    """``Profile Admin``."""
    spoken = wording.singular(key.type)
    return f"{spoken[:1].upper()}{spoken[1:]} {key.name}"


def place(conflict: ElementConflict) -> str:
    """What is fought about: ``field permission Account.Region__c``, or "" for the component."""
    if conflict.kind == Kind.REMOVAL:
        return ""
    if conflict.kind == Kind.FILE:
        return conflict.path.rpartition("/")[2]
    if conflict.kind == Kind.LINES:
        return _lines_of(conflict.path)
    if conflict.kind == Kind.NAME:
        own = conflict.path.rpartition("/")[2]
        return f"upper and lower case of {own if own != conflict.path else 'the name'}"
    inner = conflict.path.partition("/")[2].removesuffix(" (order)")
    steps = [_step(name, key) for name, key in _STEP.findall(inner) if name]
    told = ", ".join(steps)
    return f"order of {told}" if conflict.kind == Kind.ORDER else told


def says(conflict: ElementConflict, content: str) -> str:
    """What one side says, beside what the others do: ``says editable``."""
    if content == "":
        if conflict.kind == Kind.LINES:
            return "removes the lines"
        if conflict.kind in (Kind.REMOVAL, Kind.FILE) or conflict.base:
            return "removes it"
        return "does not have it"
    if conflict.kind == Kind.REMOVAL:
        return "keeps it as production has it" if content == conflict.base else "changes it"
    if conflict.kind == Kind.FILE:
        if BYTES.fullmatch(content):
            return f"has {content.partition(' bytes')[0]} bytes of its own"
        count = len(content.splitlines())
        return f"has {count} {'line' if count == 1 else 'lines'} of its own"
    if conflict.kind == Kind.LINES:
        return _quoted(conflict.base, content)
    if conflict.kind in (Kind.ORDER, Kind.NAME):
        return f"says {_cut(content)}"
    try:
        return f"says {_element(conflict, content)}"
    except InvalidInput:
        return f"says {_cut(content)}"


def sentence(key: ComponentKey, conflict: ElementConflict) -> str:
    """The whole conflict: who says what about which part of which component."""
    told = place(conflict)
    sides = ", ".join(
        f"{teams(side.labels)} {says(conflict, side.content)}" for side in conflict.sides
    )
    return f"{component(key)}: {told + ': ' if told else ''}{sides}"


def teams(labels: Iterable[str]) -> str:
    """``team Sales``, ``teams Sales and Service``, ``production``."""
    named = [label for label in labels if label != "production"]
    if not named:
        return "production"
    return f"{'team' if len(named) == 1 else 'teams'} {' and '.join(named)}"


def readable(content: str) -> str:
    """XML without the namespace that every metadata file has, laid out line by line."""
    return content.replace(f' xmlns="{xml.NAMESPACE}"', "")


def _lines_of(path: str) -> str:
    """``Pricing.cls, lines 3 to 7``, counted in what production holds."""
    found = _LINES.fullmatch(path.rpartition("/")[2])
    if found is None:
        return path
    name, first, last = found.groups()
    if last is None:
        return f"{name}, after line {first}" if first != "0" else f"{name}, before line 1"
    return f"{name}, line {first}" if first == last else f"{name}, lines {first} to {last}"


def _quoted(base: str, content: str) -> str:
    """The first line that production does not have, and how many more there are."""
    held = {line.strip() for line in base.splitlines()}
    lines = [line for line in content.splitlines() if line.strip()]
    fresh = [line for line in lines if line.strip() not in held] or lines or [""]
    more = f" and {len(fresh) - 1} more" if len(fresh) > 1 else ""
    return f"says “{_cut(fresh[0])}”{more}"


def _step(name: str, key: str) -> str:
    spoken = wording.element(name)
    if not key:
        return spoken
    for ending, instead in _PLURALS:
        if spoken.endswith(ending):
            spoken = spoken[: -len(ending)] + instead
            break
    return f"{spoken} {' '.join(key.split())}"


def _element(conflict: ElementConflict, content: str) -> str:
    """An element by what tells it from the others."""
    if conflict.kind == Kind.LIST:
        root = xml.parse(f"<all>{content}</all>".encode(), "a side")
        return _cut(", ".join(_plain(child) for child in xml.elements(root)))
    node = xml.parse(content.encode(), "a side")
    inner = xml.elements(node)
    if not inner:
        return f"“{_cut(node.text or '')}”"
    if xml.local(node) == "fieldPermissions":
        return _access(node)
    others = [_parts(side.content) for side in conflict.sides if side.content != content]
    own = _parts(content)
    differing = [
        f"{wording.element(name)} {_cut(text)}"
        for name, text in own.items()
        if any(other.get(name) != text for other in others)
    ]
    more = f" and {len(differing) - SHOWN} more" if len(differing) > SHOWN else ""
    return ", ".join(differing[:SHOWN]) + more or "the same with parts left out"


def _access(node: xml.Element) -> str:
    if xml.text_of(node, "editable") == "true":
        return "editable"
    return "read-only" if xml.text_of(node, "readable") == "true" else "no access"


def _parts(content: str) -> dict[str, str]:
    if not content:
        return {}
    found: dict[str, str] = {}
    for child in xml.elements(xml.parse(content.encode(), "a side")):
        name = xml.local(child)
        found[name] = f"{found[name]}, {_plain(child)}" if name in found else _plain(child)
    return found


def _plain(node: xml.Element) -> str:
    return " ".join("".join(str(text) for text in node.itertext()).split())


def _cut(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= MAX_TEXT else f"{flat[:MAX_TEXT].rstrip()}…"
