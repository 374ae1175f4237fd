"""Put together what source format spreads over files: objects, translations, bots, labels.

A component may lie in several package directories; every part of it is taken. The official
converter keeps the first frame it meets and loses the others. Two frames may say the same thing
twice, and they may complete each other; where they contradict each other, the commit is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from lxml import etree

from core.errors import InvalidInput
from metadata import keys, xml
from metadata.convert import fragments
from metadata.convert.fragments import Child
from metadata.convert.places import Place, Role
from metadata.convert.writing import collation, document, fragment
from metadata.refusals import duplicate
from metadata.types import MetadataType
from metadata.xml import Element

WHOLE = frozenset(
    {
        "nonDecomposed",
        "decomposedLabels",
        "decomposedPermissionSet",
        "decomposeExternalServiceRegistration",
    }
)
"""Transformers of types whose parts are put together in a way of their own."""

_LABEL_NAME = re.compile(r"\n        <fullName>([^<&\s]+)</fullName>")

Parts = Sequence[tuple[Place, bytes]]
Parsed = Mapping[str, Child]
"""Children by path, parsed before; one of another content is passed over."""


def parses(place: Place) -> bool:
    """Whether a file is a child that is parsed by itself."""
    return place.role is Role.CHILD and place.type.transformer not in WHOLE


def child(place: Place, content: bytes) -> Child:
    """Parse a child's file; raises what ``xml.parse`` raises."""
    return fragments.read(content, place.path, place.child.unique if place.child else "")


def file_of(kind: MetadataType, name: str, parts: Parts, parsed: Parsed) -> tuple[str, bytes]:
    """Path and content of the one file that a component's parts make in metadata format."""
    if kind.transformer in ("nonDecomposed", "decomposedLabels"):
        return _labels(parts)
    if kind.transformer == "decomposedPermissionSet":
        return _pieces(kind, name, parts)
    if kind.transformer == "decomposeExternalServiceRegistration":
        return _registration(kind, name, parts)
    own = [(place.path, content) for place, content in parts if place.role is Role.PARENT]
    lines = fragments.plain(own[0][1], moved=False) if len(own) == 1 else ""
    children = _children(parts, parsed)
    if lines:
        return _target(kind, name), document(kind.name, [], [lines[1:], "\n", *children])
    return _target(kind, name), document(kind.name, frame(own), children)


def _target(kind: MetadataType, name: str) -> str:
    return f"{kind.directory}/{name}.{kind.suffix}"


def frame(files: Sequence[tuple[str, bytes]]) -> list[Element]:
    """The elements of one or several frames; equal ones once.

    Raises InvalidInput ``metadata.duplicate`` where two frames give one element different content.
    """
    roots = [(path, xml.parse(content, path)) for path, content in files]
    if len(roots) < 2:
        return [child for _path, root in roots for child in root]
    rule = keys.of_root(xml.local(roots[0][1]))
    known: dict[tuple[str, ...], tuple[bytes, str]] = {}
    found: list[Element] = []
    for path, root in roots:
        for child in xml.elements(root):
            written = etree.tostring(child, method="c14n", with_tail=False, exclusive=True)
            identity = _identity(child, rule, written)
            if identity not in known:
                known[identity] = (written, path)
                found.append(child)
            elif known[identity][0] != written:
                what = " ".join(part for part in identity if part)
                raise duplicate(f"“{what}” of {path.rsplit('/', 1)[-1]}", known[identity][1], path)
    return found


def _identity(child: Element, rule: keys.Rule, written: bytes) -> tuple[str, ...]:
    name = xml.local(child)
    elements = rule.keys.get(name)
    if elements is not None:
        return (
            name,
            *((child.text or "") if key == "." else xml.text_of(child, key) for key in elements),
        )
    return (name, written.decode()) if len(child) else (name,)


def _children(parts: Parts, parsed: Parsed) -> list[str]:
    """Children by element name, those of one name by their own, as they are written."""
    found: dict[str, dict[str, Child]] = {}
    for place, content in parts:
        kind = place.child
        if kind is None:
            continue
        own = parsed.get(place.path)
        if own is None or own.content is not content:
            own = child(place, content)
        name = own.name or place.child_name
        before = found.setdefault(kind.element, {}).setdefault(name, own)
        if before is not own and not before.same(own):
            raise duplicate(f"{kind.name} {place.name}.{name}", before.path, place.path)
    return [
        group[name].written(element)
        for element, group in sorted(found.items())
        for name in sorted(group, key=collation)
    ]


def _labels(parts: Parts) -> tuple[str, bytes]:
    """All labels of a project in the one file that metadata format has."""
    target = "labels/CustomLabels.labels"
    as_text = _labels_as_text(parts)
    if as_text:
        names = sorted(as_text, key=collation)
        return target, document("CustomLabels", [], [as_text[name] for name in names])
    found: dict[str, tuple[Element, str]] = {}
    for place, content in parts:
        root = xml.parse(content, place.path)
        listed = [root] if xml.local(root) == "CustomLabel" else xml.elements(root)
        for label in listed:
            name = xml.text_of(label, "fullName")
            if not name:
                raise InvalidInput(
                    "metadata.unnamed",
                    f"{place.path} has a label without fullName.",
                    path=place.path,
                )
            before = found.setdefault(name, (label, place.path))
            if before[0] is not label and not _same_label(before[0], label):
                raise duplicate(f"CustomLabel {name}", before[1], place.path)
    ordered = [found[name][0] for name in sorted(found, key=collation)]
    written = [fragment(label, "labels") for label in ordered]
    return target, document("CustomLabels", [], written)


def _labels_as_text(parts: Parts) -> dict[str, str]:
    """Labels by name, as they are written; empty where the whole files have to be parsed."""
    found: dict[str, str] = {}
    start = "\n    <labels>"
    for place, content in parts:
        head, *pieces = fragments.inside(content).split(start)
        if head or not pieces:
            return {}
        for piece in pieces:
            lines = fragments.lines_of(start + piece, moved=False)
            named = _LABEL_NAME.search(lines)
            written = {named[1]: f"{lines[1:]}\n"} if named else _odd_labels(place, start + piece)
            if not written or not found.keys().isdisjoint(written):
                return {}
            found |= written
    return found


def _odd_labels(place: Place, lines: str) -> dict[str, str]:
    """Labels with a comment or in another form; empty where they cannot be read by themselves."""
    try:
        root = xml.parse(document("CustomLabels", [], [lines[1:], "\n"]), place.path)
    except InvalidInput:
        return {}
    labels = xml.elements(root)
    found = {xml.text_of(label, "fullName"): fragment(label, "labels") for label in labels}
    return found if len(found) == len(labels) and "" not in found else {}


def _same_label(one: Element, two: Element) -> bool:
    def texts(label: Element) -> list[tuple[str, str]]:
        return [(xml.local(child), child.text or "") for child in xml.elements(label)]

    return texts(one) == texts(two)


def _pieces(kind: MetadataType, name: str, parts: Parts) -> tuple[str, bytes]:
    """A permission set whose files each hold some of its elements, its own file the last."""
    last_own = sorted(parts, key=lambda part: part[0].role is Role.PARENT)
    roots = [xml.parse(content, place.path) for place, content in last_own]
    return _target(kind, name), document(kind.name, xml.union(roots), [])


def _registration(kind: MetadataType, name: str, parts: Parts) -> tuple[str, bytes]:
    """An external service whose schema lies in a YAML file beside it."""
    own = [(place.path, content) for place, content in parts if place.role is Role.PARENT]
    schemas = [(place, content) for place, content in parts if place.role is Role.CHILD]
    if not own:
        path = schemas[0][0].path
        raise InvalidInput(
            "metadata.no_meta", f"{path} has no {name}.{kind.suffix}-meta.xml beside it.", path=path
        )
    elements = frame(own)
    if schemas and not any(xml.local(element) == "schema" for element in elements):
        form = next((e.text for e in elements if xml.local(e) == "schemaUploadFileExtension"), "")
        place, content = schemas[0]
        schema = xml.new("schema")
        schema.text = _schema(place.path, content, (form or "").strip())
        elements.append(schema)
    return _target(kind, name), document(kind.name, elements, [])


def _schema(path: str, content: bytes, form: str) -> str:
    if form == "json":
        from metadata.convert import schemas  # brings YAML, which next to no project needs

        return schemas.as_json(path, content)
    return content.decode("utf-8-sig").replace("\r\n", "\n")


def by_component(
    parts: Iterable[tuple[Place, bytes]],
) -> Mapping[tuple[str, str], list[tuple[Place, bytes]]]:
    """Parts of the same component together; all label files are one component."""
    grouped: dict[tuple[str, str], list[tuple[Place, bytes]]] = {}
    for place, content in parts:
        if place.type.transformer in ("nonDecomposed", "decomposedLabels"):
            grouped.setdefault(("customlabels", "CustomLabels"), []).append((place, content))
        else:
            grouped.setdefault((place.type.id, place.name), []).append((place, content))
    return grouped
