"""What an org will hold if a package goes through: the ground on which references are checked."""

from simulator.catalogue import holdings
from simulator.catalogue.holdings import Component, Key
from simulator.catalogue.parts import Part
from simulator.catalogue.standard import STANDARD_OBJECTS, STANDARD_PROFILES
from simulator.world import World


class View:
    """The org's components, less what is deleted first, plus the package's parts that hold up."""

    def __init__(self, world: World, org: str, held: dict[Key, Component]) -> None:
        self._world = world
        self.org = org
        self.held = held
        self.brought: dict[Key, Part] = {}
        self.gone: set[Key] = set()
        self.unchecked: set[str] = set()

    def bring(self, parts: list[Part]) -> None:
        """Take a package's parts as coming."""
        self.brought = {part.key: part for part in parts}

    def fail(self, part: Part) -> None:
        """Take a part out again: whatever names it fails too."""
        self.brought.pop(part.key, None)

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
        """Say whether an object will be there, standard ones included."""
        return name.lower() in STANDARD_OBJECTS or self.has("CustomObject", name)

    def has_profile(self, name: str) -> bool:
        """Say whether a profile will be there, the ones from birth included."""
        return name in STANDARD_PROFILES or self.has("Profile", name)

    def names(self, kind: str) -> list[str]:
        """Return the names of a type's components that will be there."""
        found = {k[1]: c.name for k, c in self.held.items() if k[0] == kind and k not in self.gone}
        found |= {k[1]: p.name for k, p in self.brought.items() if k[0] == kind}
        return list(found.values())

    def content(self, kind: str, name: str) -> bytes:
        """Return the main file (or the element) of a component that will be there."""
        key = (kind, name.lower())
        if key in self.brought:
            part = self.brought[key]
            return part.files[part.path]
        component = self.held[key]
        return self._world.store.get(component.files[holdings.path_of(component)])

    def note(self, message: str) -> None:
        """Remember something that was not checked."""
        self.unchecked.add(message)
