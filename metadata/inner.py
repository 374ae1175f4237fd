"""Compare the children inside files that hold several, and read single components of a commit."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from metadata import layout
from metadata.components import ComponentKey
from metadata.convert import assembly
from metadata.normal import NormalForm
from metadata.sides import Pair, Side
from metadata.units import whole


def compared(
    both: Pair, units: Collection[ComponentKey]
) -> tuple[set[ComponentKey], set[ComponentKey]]:
    """What differs inside the files of some units: what is other or new, and what is gone."""
    old, new = (side.contents(side.paths_of(units)) for side in (both.before, both.after))
    before = form(both.before, old).component_digests()
    after = form(both.after, new).component_digests()
    changed = {key for key, digest in after.items() if before.get(key) != digest}
    return changed, set(before) - set(after)


def form(side: Side, contents: Mapping[str, bytes]) -> NormalForm:
    """The normal form of some files of a commit."""
    if side.layout.name == "metadata":
        start = len(side.layout.base) + 1 if side.layout.base else 0
        return layout.read(
            {path[start:]: content for path, content in contents.items()},
            {path[start:]: path for path in contents},
        )
    places = {path: side.units.places.of(path) for path in contents}
    made = assembly.assemble(contents, places, side.registry)
    return layout.read(made.files, made.origins)


def form_of(side: Side, keys: Collection[ComponentKey]) -> NormalForm:
    """The normal form of the named components of a commit, without reading the others."""
    wanted = {whole(key) for key in keys} | set(keys)
    found = form(side, side.contents(side.paths_of(wanted))).only(keys)
    missing = {whole(key) for key in keys if key not in found}
    if not missing:
        return found
    # A child is called as its content says, which need not be as its file is called.
    paths = [path for path in side.paths if _whole_of(side, path) in missing]
    return NormalForm({**found, **form(side, side.contents(paths)).only(keys)})


def _whole_of(side: Side, path: str) -> ComponentKey | None:
    unit = side.units.of(path)
    return None if unit is None else whole(unit)
