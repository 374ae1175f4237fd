"""Answer a retrieve: by manifest, with `*`, folders, children, and everything recomposed."""

from dataclasses import dataclass, field
from typing import Any

from simulator import ids
from simulator.catalogue import archive, holdings, registry
from simulator.catalogue.archive import Manifest
from simulator.catalogue.holdings import Component
from simulator.catalogue.registry import MetadataType
from simulator.catalogue.standard import CANONICAL_OBJECTS, LISTED_OBJECTS, is_custom
from simulator.clock import soap_time
from simulator.world import World

UNPACKAGED = "unpackaged"
EPOCH_TEXT = "1970-01-01T00:00:00.000Z"


@dataclass(slots=True)
class Retrieved:
    """Files by path without a prefix, the properties of each component, what was not found."""

    files: dict[str, bytes] = field(default_factory=dict)
    properties: list[dict[str, Any]] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    listed: dict[str, list[str]] = field(default_factory=dict)


def retrieve(world: World, org: str, manifest: Manifest) -> Retrieved:
    """Collect what a manifest asks for."""
    return _Retrieval(world, org).run(manifest)


class _Retrieval:
    def __init__(self, world: World, org: str) -> None:
        self.world = world
        self.org = org
        self.held = holdings.of_org(world, org)
        self.found = Retrieved()
        # Parents by (type, name): whole, or only the children that were named.
        self.whole: dict[tuple[str, str], str] = {}
        self.partial: dict[tuple[str, str], list[Component]] = {}

    def run(self, manifest: Manifest) -> Retrieved:
        for kind, members in manifest.types.items():
            if not registry.is_known(kind):
                self.found.messages.append(f"Unknown type name '{kind}' specified in package.xml")
                continue
            for member in members:
                self.member(kind, member)
        self.write_parents()
        version = manifest.version or "67.0"
        self.found.files["package.xml"] = archive.write_manifest(self.found.listed, version)
        return self.found

    def member(self, kind: str, member: str) -> None:
        name = member.rstrip("/")
        if name == "*":
            self.everything(kind)
        elif kind in registry.parent_of():
            self.child(kind, name)
        elif not self.take(kind, name):
            self.missing(kind, name)

    def missing(self, kind: str, name: str) -> None:
        text = f"Entity of type '{kind}' named '{name}' cannot be found"
        self.found.messages.append(text)

    def everything(self, kind: str) -> None:
        """Take all of a type; standard objects and children of objects need their names."""
        if kind == "CustomLabel":
            for component in self.of_type(kind):
                self.child(kind, component.name)
            return
        if kind in registry.parent_of() or kind in ("Report", "Dashboard", "Document"):
            return
        for component in self.of_type(kind):
            if kind != "CustomObject" or is_custom(component.name):
                self.take(kind, component.name)

    def of_type(self, kind: str) -> list[Component]:
        found = [c for c in self.held.values() if c.type == kind]
        return sorted(found, key=lambda c: c.name)

    def take(self, kind: str, name: str) -> bool:
        component = self.held.get((kind, name.lower()))
        folder = registry.types()[kind].folder_type
        if component is None and kind == "Document":
            component = self.document(name)
        if component is None and folder:
            component = self.held.get((folder, name.lower()))
        if component is None:
            return self.standard_object(kind, name)
        self.found.listed.setdefault(kind, []).append(component.name)
        type_ = registry.types()[component.type]
        if type_.children:
            self.whole[(component.type, component.name)] = holdings.path_of(component)
        else:
            for own in (component, *self.contents(component)):
                for path, sha in own.files.items():
                    self.found.files[path] = self.world.store.get(sha)
                self.property(own, holdings.path_of(own))
        return True

    def contents(self, space: Component) -> list[Component]:
        """What is in an enhanced site; nothing for any other component."""
        if space.type != registry.SPACE:
            return []
        start = f"{space.name.lower()}."
        return [c for c in self.of_type(registry.CONTENT) if c.name.lower().startswith(start)]

    def document(self, name: str) -> Component | None:
        """Find a document by its name without suffix."""
        start = name.lower() + "."
        found = (c for k, c in self.held.items() if k[0] == "Document" and k[1].startswith(start))
        return next(found, None)

    def standard_object(self, kind: str, name: str) -> bool:
        if kind != "CustomObject" or name.lower() not in CANONICAL_OBJECTS:
            return False
        canonical = CANONICAL_OBJECTS[name.lower()]
        self.found.listed.setdefault(kind, []).append(canonical)
        self.whole[(kind, canonical)] = f"objects/{canonical}.object"
        return True

    def child(self, kind: str, name: str) -> None:
        component = self.held.get((kind, name.lower()))
        if component is None:
            self.missing(kind, name)
            return
        parent, child = registry.parent_of()[kind]
        parent_name = parent.name if child.bare else component.name.split(".", 1)[0]
        self.found.listed.setdefault(kind, []).append(component.name)
        self.partial.setdefault((parent.name, parent_name), []).append(component)

    def write_parents(self) -> None:
        for (kind, name), path in self.whole.items():
            type_ = registry.types()[kind]
            parent = self.held.get((kind, name.lower()))
            children = self.children(type_, name)
            self.found.files[path] = holdings.compose(self.world, type_, parent, children)
            if parent is not None:
                self.property(parent, path)
            else:
                self.found.properties.append(self.born_with(name, path))
        for (kind, name), children in self.partial.items():
            for child in children:
                self.property(child, holdings.path_of(child))
            if (kind, name) in self.whole or any(
                n.lower() == name.lower() and k == kind for k, n in self.whole
            ):
                continue
            type_ = registry.types()[kind]
            path = holdings.path_of(children[0])
            self.found.files[path] = holdings.compose(self.world, type_, None, children)

    def children(self, kind: MetadataType, name: str) -> list[Component]:
        bare = {child.name: child.bare for child in kind.children}
        prefix = name.lower() + "."
        found = [
            c
            for c in self.held.values()
            if c.type in bare and (bare[c.type] or c.name.lower().startswith(prefix))
        ]
        return sorted(found, key=lambda c: (c.type, c.name))

    def property(self, component: Component, path: str) -> None:
        self.found.properties.append(properties(self.world, component, path))

    def born_with(self, name: str, path: str) -> dict[str, Any]:
        return {
            "createdById": ids.numbered(ids.USER, 0),
            "createdByName": "Automated Process",
            "createdDate": EPOCH_TEXT,
            "fileName": path,
            "fullName": name,
            "id": "",
            "lastModifiedById": ids.numbered(ids.USER, 0),
            "lastModifiedByName": "Automated Process",
            "lastModifiedDate": EPOCH_TEXT,
            "type": "CustomObject",
        }


def properties(world: World, component: Component, path: str) -> dict[str, Any]:
    """Return a component's FileProperties."""
    return {
        "createdById": component.created_by,
        "createdByName": name_of(world, component.created_by),
        "createdDate": soap_time(component.created_at),
        "fileName": path,
        "fullName": component.name,
        "id": component.id,
        "lastModifiedById": component.modified_by,
        "lastModifiedByName": name_of(world, component.modified_by),
        "lastModifiedDate": soap_time(component.modified_at),
        "manageableState": "unmanaged",
        "type": registry.manifest_type(component.type),
    }


def name_of(world: World, identifier: str) -> str:
    """Return a user's name."""
    person = world.person(identifier)
    return "" if person is None else person.full_name


def listing(world: World, org: str, kind: str, folder: str) -> list[dict[str, Any]]:
    """Answer listMetadata for one type (and folder)."""
    type_ = registry.types().get(kind)
    found = []
    for component in holdings.of_type(world, org, kind):
        if type_ is not None and type_.in_folder and not component.name.startswith(f"{folder}/"):
            continue
        found.append(properties(world, component, holdings.path_of(component)))
    if kind == "CustomObject":
        held = {entry["fullName"].lower() for entry in found}
        retrieval = _Retrieval(world, org)
        found += [
            retrieval.born_with(name, f"objects/{name}.object")
            for name in LISTED_OBJECTS
            if name.lower() not in held
        ]
    return found
