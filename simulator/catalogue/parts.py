"""Take files apart into components and put components together into files.

Children (fields, labels, workflow rules …) are components of their own: an object file that brings
two fields touches these two and leaves the org's other fields alone, and a retrieve of the object
gives one file with all that the org holds, grouped and sorted as the platform writes it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from simulator import xmltree
from simulator.catalogue import registry
from simulator.catalogue.registry import META, MetadataType
from simulator.sure import sure
from simulator.xmltree import XSI, Element, NotWellFormed

_WRAP = (
    f'<f xmlns="{xmltree.METADATA_NAMESPACE}" xmlns:xsi="{XSI}">'.encode(),
    b"</f>",
)
_TEXT_TYPES = {
    "ApexClass",
    "ApexTrigger",
    "ApexPage",
    "ApexComponent",
    "StaticResource",
    "Document",
}


@dataclass(slots=True)
class Part:
    """One component as a package brings it.

    `path` is the file that messages name; `files` are the contents to keep: whole files, or for a
    child the one element inside its parent's file.
    """

    type: str
    name: str
    path: str
    files: dict[str, bytes]
    parent: str = ""
    element: Element | None = None
    error: NotWellFormed | None = None
    unknown: bool = False
    line: int = 0
    column: int = 0
    position: dict[str, Element] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str]:
        """Type and lower-case name: names are case-insensitive on the platform."""
        return self.type, self.name.lower()


def split(files: Mapping[str, bytes]) -> list[Part]:
    """Return the components of a package's files, parents before their children."""
    grouped: dict[tuple[str, str], dict[str, bytes]] = {}
    kinds: dict[str, MetadataType] = {}
    parts: list[Part] = []
    for path in sorted(files):
        identity = registry.identify(path)
        if identity is None:
            parts.append(Part("", path, path, {path: files[path]}, unknown=True))
            continue
        kinds[identity.type.name] = identity.type
        grouped.setdefault((identity.type.name, identity.name), {})[path] = files[path]
    for (kind_name, name), own in grouped.items():
        parts += _parts(kinds[kind_name], name, own)
    return parts


def _parts(kind: MetadataType, name: str, files: dict[str, bytes]) -> list[Part]:
    path = _main_path(kind, name, files)
    part = Part(kind.name, name, path, files)
    if kind.bundle or (kind.meta_file and kind.name in _TEXT_TYPES):
        part.element = None
        _parse_meta(part)
        return [part]
    xml = next((p for p in files if p.endswith(META)), path) if kind.meta_file else path
    try:
        part.element = xmltree.parse(files[xml])
    except NotWellFormed as error:
        part.error, part.path = error, xml
        return [part]
    part.line, part.column = part.element.line, part.element.column
    return [part] if not kind.children else _decompose(kind, part)


def _parse_meta(part: Part) -> None:
    for path in part.files:
        if path.endswith(META):
            try:
                part.position[path] = xmltree.parse(part.files[path])
            except NotWellFormed as error:
                part.error, part.path = error, path


def _main_path(kind: MetadataType, name: str, files: dict[str, bytes]) -> str:
    if kind.bundle:
        for suffix in (".js", ".cmp", ".app", ".evt", ".intf", ".tokens", ".design"):
            found = f"{kind.directory}/{name}/{name}{suffix}"
            if found in files:
                return found
    return next((path for path in files if not path.endswith(META)), next(iter(files)))


def _decompose(kind: MetadataType, part: Part) -> list[Part]:
    root = sure(part.element, "the caller parsed the file")
    own, children = [], []
    for element in root.children:
        child = kind.child_for(element.name)
        name = "" if child is None else element.value(child.key)
        if child is None or not name:
            own.append(element)
            continue
        full = name if child.bare else f"{part.name}.{name}"
        children.append(
            Part(
                child.name,
                full,
                part.path,
                {part.path: xmltree.fragment(element)},
                parent=part.name,
                element=element,
                line=element.line,
                column=element.column,
            )
        )
    part.files = {part.path: _own_document(root.name, own)}
    part.element = Element(root.name, children=own, line=root.line, column=root.column)
    return [part, *children]


def _own_document(name: str, elements: list[Element]) -> bytes:
    return xmltree.document(name, elements) if elements else b""


def parse_fragment(content: bytes) -> Element:
    """Parse one kept child element."""
    return xmltree.parse(_WRAP[0] + content + _WRAP[1]).children[0]


def parse_own(content: bytes) -> list[Element]:
    """Parse the elements that belong to a parent itself."""
    return xmltree.parse(content).children if content else []


def recompose(kind: MetadataType, own: bytes, children: Iterable[tuple[str, bytes]]) -> bytes:
    """Write a parent's file from its own elements and its children's (type name, element).

    Elements stand in order of their names, children of one name in order of their key.
    """
    elements = list(parse_own(own))
    keys = {child.element: child.key for child in kind.children}
    elements += [parse_fragment(content) for _, content in children]
    elements.sort(key=lambda e: (e.name, e.value(keys[e.name]) if e.name in keys else ""))
    if kind.name != "CustomObject":
        return _with_namespaces(xmltree.document(kind.name, elements))
    return _with_namespaces(xmltree.document("CustomObject", elements))


def _with_namespaces(content: bytes) -> bytes:
    if b" xsi:" not in content:
        return content
    old = f'xmlns="{xmltree.METADATA_NAMESPACE}"'
    return content.replace(old.encode(), f'{old} xmlns:xsi="{XSI}"'.encode(), 1)
