"""What an org holds: its components, the standard objects it was born with, its files."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from simulator.catalogue import parts, registry
from simulator.catalogue.parts import Part
from simulator.ids import prefix_of
from simulator.store import Row
from simulator.sure import sure
from simulator.world import World

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Component:
    """One component that an org holds; files are path → content hash."""

    type: str
    name: str
    id: str
    files: dict[str, str]
    created_at: float
    created_by: str
    modified_at: float
    modified_by: str
    revision: int

    @property
    def key(self) -> Key:
        """Type and lower-case name."""
        return self.type, self.name.lower()


def of_org(world: World, org: str) -> dict[Key, Component]:
    """Return everything that an org holds."""
    sql = "select * from component where org = ? and deleted = 0"
    found = (_component(row) for row in world.store.rows(sql, org))
    return {component.key: component for component in found}


def of_type(world: World, org: str, kind: str) -> list[Component]:
    """Return an org's components of one type in order of name."""
    sql = "select * from component where org = ? and type = ? and deleted = 0 order by name"
    return [_component(row) for row in world.store.rows(sql, org, kind)]


def one(world: World, org: str, kind: str, name: str) -> Component | None:
    """Return one component."""
    sql = "select * from component where org = ? and type = ? and name = ? and deleted = 0"
    row = world.store.row(sql, org, kind, name)
    return None if row is None else _component(row)


def _component(row: Row) -> Component:
    return Component(
        type=row["type"],
        name=row["name"],
        id=row["id"],
        files=json.loads(row["files"]),
        created_at=row["created_at"],
        created_by=row["created_by"],
        modified_at=row["modified_at"],
        modified_by=row["modified_by"],
        revision=row["revision"],
    )


def put(world: World, org: str, person: str, changes: Iterable[Part]) -> int:
    """Write components into an org; return how many were new or differ from what was there."""
    now, touched = world.clock.now(), 0
    with world.store.transaction():
        revision = next_revision(world, org)
        for part in changes:
            files = {path: world.store.put(data) for path, data in part.files.items()}
            touched += put_hashes(world, (org, person, now, revision), part.type, part.name, files)
    return touched


def put_hashes(
    world: World, stamp: tuple[str, str, float, int], kind: str, name: str, files: dict[str, str]
) -> int:
    """Write one component whose contents are kept already; 1 if that changed anything."""
    org, person, now, revision = stamp
    listing = json.dumps(files, sort_keys=True, separators=(",", ":"))
    old = world.store.row(
        "select files, deleted from component where org = ? and type = ? and name = ?",
        org, kind, name,
    )  # fmt: skip
    if old is not None and old["files"] == listing and not old["deleted"]:
        return 0
    if old is None:
        world.store.run(
            "insert into component (org, type, name, id, files, created_at, created_by,"
            " modified_at, modified_by, revision) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            org, kind, name, world.store.new_id(prefix_of(kind)), listing, now, person, now, person,
            revision,
        )  # fmt: skip
    else:
        world.store.run(
            "update component set files = ?, modified_at = ?, modified_by = ?, revision = ?,"
            " deleted = 0 where org = ? and type = ? and name = ?",
            listing, now, person, revision, org, kind, name,
        )  # fmt: skip
    return 1


def copy(world: World, source: str, target: str) -> None:
    """Give an org without metadata everything that another one holds."""
    world.store.run(
        "insert into component (org, type, name, id, files, created_at, created_by, modified_at,"
        " modified_by, revision) select ?, type, name, id, files, created_at, created_by,"
        " modified_at, modified_by, 0 from component where org = ? and deleted = 0",
        target,
        source,
    )


def delete(world: World, org: str, person: str, kind: str, name: str) -> bool:
    """Delete a component and its children; say whether it was there."""
    with world.store.transaction():
        revision = next_revision(world, org)
        sql = (
            "update component set deleted = 1, modified_at = ?, modified_by = ?, revision = ?"
            " where org = ? and deleted = 0 and type = ? and name = ?"
        )
        stamp = (world.clock.now(), person, revision, org)
        found = world.store.run(sql, *stamp, kind, name)
        below = name.replace("_", "\\_") + ".%"
        inner = {
            child.name: "%" if child.bare else below
            for child in (registry.types()[kind].children if kind in registry.types() else ())
        }
        if kind == registry.SPACE:
            inner[registry.CONTENT] = below
        sql_children = sql.replace("name = ?", "name like ? escape '\\'")
        for child_name, pattern in inner.items():
            found += world.store.run(sql_children, *stamp, child_name, pattern)
    return bool(found)


def next_revision(world: World, org: str) -> int:
    """Count up and return the org's revision of its metadata."""
    world.store.run("update org set revision = revision + 1 where id = ?", org)
    row = world.store.row("select revision from org where id = ?", org)
    return int(sure(row, "callers name an existing org")["revision"])


def load_files(world: World, org: str, person: str, files: dict[str, bytes]) -> int:
    """Put plain files into an org without any check (seeds, changes behind the back)."""
    wanted = [part for part in parts.split(files) if not part.unknown]
    kept = []
    for part in wanted:
        if part.error is not None:
            raise ValueError(f"{part.path}: {part.error.message}")
        if not any(part.files.values()) and one(world, org, part.type, part.name):
            continue  # an object file with children only does not empty the object itself
        kept.append(part)
    return put(world, org, person, kept)


def file_of(world: World, org: str, component: Component) -> dict[str, bytes]:
    """Return a component's files as a retrieve gives them (a parent with all of its children)."""
    kind = registry.types().get(component.type)
    if kind is None or not kind.children:
        return {path: world.store.get(sha) for path, sha in component.files.items()}
    children = [
        child
        for child_type in kind.children
        for child in of_type(world, org, child_type.name)
        if child_type.bare or child.name.lower().startswith(component.name.lower() + ".")
    ]
    return {path_of(component): compose(world, kind, component, children)}


def compose(
    world: World,
    kind: registry.MetadataType,
    parent: Component | None,
    children: list[Component],
) -> bytes:
    """Write the file of a parent (or of no parent's own elements) with the given children."""
    own = b"" if parent is None else world.store.get(next(iter(parent.files.values())))
    return parts.recompose(
        kind, own, [(c.type, world.store.get(next(iter(c.files.values())))) for c in children]
    )


def path_of(component: Component) -> str:
    """Return the path of a component's (first) file."""
    plain = [path for path in component.files if not path.endswith(registry.META)]
    return plain[0] if plain else next(iter(component.files))
