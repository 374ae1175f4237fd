"""Compare the children inside files that hold several, and read single components of a commit."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from metadata import blocks, layout
from metadata.components import ComponentKey
from metadata.convert import assembly
from metadata.convert.assembly import Assembled, Pack
from metadata.convert.recompose import Parsed
from metadata.normal import Files, NormalForm
from metadata.package import package_files
from metadata.sides import Pair, Side
from metadata.types import standard
from metadata.units import compound, whole


def compared(
    both: Pair, units: Collection[ComponentKey]
) -> tuple[set[ComponentKey], set[ComponentKey]]:
    """What differs inside the files of some units: what is other or new, and what is gone."""
    old, new = (side.contents(side.paths_of(units)) for side in (both.before, both.after))
    before = form(both.before, old).component_digests()
    after = form(both.after, new).component_digests()
    changed = {key for key, digest in after.items() if before.get(key) != digest}
    return changed, set(before) - set(after)


def form(
    side: Side, contents: Mapping[str, bytes], wanted: Collection[ComponentKey] | None = None
) -> NormalForm:
    """The normal form of some files of a commit, or of the wanted components in them."""
    made = assembled(side, contents, {})
    found = layout.read(made.files, made.origins, wanted=wanted)
    return found if wanted is None else found.only(wanted)


def assembled(side: Side, contents: Mapping[str, bytes], parsed: Parsed) -> Assembled:
    """Some files of a commit in metadata format."""
    if side.layout.name == "metadata":
        start = len(side.layout.base) + 1 if side.layout.base else 0
        return Assembled(
            {path[start:]: content for path, content in contents.items()},
            {path[start:]: path for path in contents},
        )
    places = {path: side.place(path) for path in contents}
    return assembly.assemble(contents, places, side.registry, parsed)


def files_of(side: Side, keys: Collection[ComponentKey], pack: Pack | None = None) -> Files:
    """Package files of just the named components of a commit, written as ``convert`` writes them.

    ``pack`` is given paths and contents that the package will probably hold, as they are read.

    A file that holds other components too is cut down to the named ones by way of the normal form.
    """
    wanted = set(keys)
    contents, parsed = _taken(side, side.paths_of({whole(key) for key in keys} | wanted), pack)
    mixed: set[ComponentKey] = set()
    plain: dict[str, bytes] = {}
    held: dict[str, ComponentKey] = {}
    for path, content in contents.items():
        unit = side.units.of(path)
        if unit is None:
            continue
        if compound(unit.type) and not _alone(unit, content):
            mixed.add(unit)
        elif unit in wanted:
            plain[path] = content
            held[path] = unit
    mixed |= {whole(key) for key in wanted.difference(held.values())}
    plain = {path: content for path, content in plain.items() if whole(held[path]) not in mixed}
    files = dict(assembled(side, plain, parsed).files)
    rest = [key for key in keys if whole(key) in mixed]
    return files | package_files(form_of(side, rest)) if rest else files


def _taken(
    side: Side, paths: Sequence[str], pack: Pack | None
) -> tuple[Mapping[str, bytes], Parsed]:
    """Contents of files, and what was parsed of them while git unpacked the next ones."""
    if side.layout.name == "metadata":
        return side.contents(paths), {}
    contents, parsed = assembly.taken(side.handed(paths), side.place, pack)
    return {path: contents[path] for path in paths}, parsed


def _alone(unit: ComponentKey, content: bytes) -> bool:
    """Whether the file of a type that may hold children holds none."""
    found = blocks.keys(standard().by_name[unit.type], unit.name, content)
    return found is not None and set(found) == {unit}


def form_of(side: Side, keys: Collection[ComponentKey]) -> NormalForm:
    """The normal form of the named components of a commit, without reading the others."""
    units = {whole(key) for key in keys} | set(keys)
    found = form(side, side.contents(side.paths_of(units)), set(keys))
    missing = {whole(key) for key in keys if key not in found}
    if not missing:
        return found
    # A child is called as its content says, which need not be as its file is called.
    paths = [path for path in side.paths if _whole_of(side, path) in missing]
    return NormalForm({**found, **form(side, side.contents(paths), set(keys))})


def _whole_of(side: Side, path: str) -> ComponentKey | None:
    unit = side.units.of(path)
    return None if unit is None else whole(unit)
