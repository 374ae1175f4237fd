"""What an org will hold if a package goes through: the ground on which references are checked."""

from simulator.apex.references import references
from simulator.catalogue import holdings, parts
from simulator.catalogue.holdings import Component, Key
from simulator.catalogue.parts import Part
from simulator.catalogue.standard import STANDARD_OBJECTS, is_custom
from simulator.deploys import schema
from simulator.world import Org, World

#: Entities that show the custom fields of another one.
_SHARED_FIELDS = {
    "caseclose": "Case",
    "caseinteraction": "Case",
    "task": "Activity",
    "event": "Activity",
    "useralt": "User",
    "personaccount": "Account",
}


class View:
    """The org's components, less what is deleted first, plus the package's parts that hold up."""

    def __init__(self, world: World, org: Org, held: dict[Key, Component]) -> None:
        self.world = world
        self.org = org.id
        #: Namespaces of packages that the operator calls installed; what is in them is not checked.
        self.namespaces = frozenset(str(n).lower() for n in org.options.get("namespaces", []))
        self.held = held
        self.brought: dict[Key, Part] = {}
        self.gone: set[Key] = set()
        self.broken: dict[str, str] = {}
        self._declared: dict[str, set[str]] = {}
        self._relationships: dict[tuple[str, str], set[str]] | None = None
        #: The version of the package's manifest, and what is not known well enough to judge.
        self.version = schema.VERSION
        self.notes: dict[str, None] = {}

    def bring(self, parts: list[Part]) -> None:
        """Take a package's parts as coming."""
        self.brought = {part.key: part for part in parts}

    def fail(self, part: Part, problem: str = "") -> None:
        """Take a part out again: whatever names it fails too."""
        self.brought.pop(part.key, None)
        if part.type == "ApexClass":
            self.broken[part.name.lower()] = problem

    def remove(self, kind: str, name: str) -> None:
        """Take a component as deleted before the package is written."""
        self.gone.add((kind, name.lower()))

    def has(self, kind: str, name: str) -> bool:
        """Say whether a component will be there."""
        key = (kind, name.lower())
        if key in self.brought:
            return True
        return key in self.held and key not in self.gone

    def has_object(self, name: str) -> bool:
        """Say whether an object will be there, standard and packaged ones included."""
        if name.lower() in STANDARD_OBJECTS or self.has("CustomObject", name):
            return True
        return is_custom(name) and self.is_packaged(name)

    def has_field(self, sobject: str, name: str) -> bool:
        """Say whether a custom field will be there; standard ones are taken as there."""
        if not is_custom(name) or self.is_packaged(name):
            return True
        entity = _SHARED_FIELDS.get(sobject.lower(), sobject)
        if self.has("CustomField", f"{entity}.{name}"):
            return True
        # Person accounts carry a contact's fields with another suffix.
        return name.lower().endswith("__pc")

    def is_packaged(self, name: str) -> bool:
        """Say whether a name carries the namespace of an installed package."""
        return name.split("__", 1)[0].split(".", 1)[0].lower() in self.namespaces

    def names(self, kind: str) -> list[str]:
        """Return the names of a type's components that will be there."""
        found = {k[1]: c.name for k, c in self.held.items() if k[0] == kind and k not in self.gone}
        found |= {k[1]: p.name for k, p in self.brought.items() if k[0] == kind}
        return list(found.values())

    def is_child_relationship(self, name: str) -> bool:
        """Say whether some lookup field gives its target a list of that name (Lines__r)."""
        plain = name.lower().removesuffix("__r")
        return any(plain == known for _, known in self.relationships())

    def relationships(self) -> dict[tuple[str, str], set[str]]:
        """Return the lookup fields by (target, name of the child relationship), in lower case."""
        if self._relationships is None:
            self._relationships = {}
            for field in self.names("CustomField"):
                content = self.content("CustomField", field)
                if b"<relationshipName>" not in content:
                    continue
                element = parts.parse_fragment(content)
                name = element.value("relationshipName").lower()
                for target in element.all("referenceTo"):
                    key = (target.text.strip().lower(), name)
                    self._relationships.setdefault(key, set()).add(field.lower())
        return self._relationships

    def is_field_somewhere(self, name: str) -> bool:
        """Say whether any object will have a custom field of that name."""
        ending = f".{name.lower()}"
        return any(field.lower().endswith(ending) for field in self.names("CustomField"))

    def names_in_apex(self, what: str) -> set[str]:
        """Return all names that the org's and the package's classes declare (inner, declared)."""
        if what not in self._declared:
            found: set[str] = set()
            for name in self.names("ApexClass"):
                source = self.content("ApexClass", name).decode("utf-8", "replace")
                found |= getattr(references(source), what)
            self._declared[what] = found
        return self._declared[what]

    def text(self, kind: str, name: str) -> str:
        """Return all text files of a component that will be there, one after the other."""
        key = (kind, name.lower())
        if key in self.brought:
            contents = list(self.brought[key].files.values())
        else:
            contents = [self.world.store.get(sha) for sha in self.held[key].files.values()]
        return "\n".join(content.decode("utf-8", "replace") for content in contents)

    def note(self, text: str) -> None:
        """Note something that the simulator does not know well enough to judge."""
        self.notes[text] = None

    def content(self, kind: str, name: str) -> bytes:
        """Return the main file (or the element) of a component that will be there."""
        key = (kind, name.lower())
        if key in self.brought:
            part = self.brought[key]
            return part.files[part.path]
        component = self.held[key]
        return self.world.store.get(component.files[holdings.path_of(component)])
