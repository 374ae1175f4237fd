"""Convert a commit: what a deployment of it would send, in metadata format."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from core.errors import DomainError
from metadata import types
from metadata.convert import assembly, replacements, selection, ui_bundles
from metadata.identity import MANIFESTS
from metadata.later import Later
from metadata.objects import LINK, SUBMODULE, Tree
from metadata.projects import Layout, detect
from metadata.repository import Repository
from metadata.types import Registry


@dataclass(frozen=True, slots=True)
class Converted:
    """Metadata-format files by package path; ``origins`` names the repository's file of each.

    ``passed_over`` lists files that are no metadata, ``warnings`` sentences on what was not done,
    ``made`` files that were put together.
    ``package.xml`` is not among the files.
    """

    files: dict[str, bytes]
    origins: dict[str, str]
    passed_over: tuple[str, ...]
    warnings: tuple[str, ...]
    layout: Layout
    registry: Registry
    made: Collection[str] = ()


def convert(
    repository: Repository,
    rev: str,
    directories: Sequence[str] = (),
    pack: assembly.Pack | None = None,
    begun: Later[Tree] | None = None,
) -> Converted:
    """Convert a commit, or only the named package directories of it.

    ``pack`` is given paths and contents that the package will probably hold, as they are read.
    ``begun`` is the commit's tree, where git lists it already.

    Raises InvalidInput ``metadata.*`` naming file and reason, and ExternalFault ``git.*``.
    """
    sha = repository.resolve(rev)
    tree = begun.result() if begun else repository.tree(sha)

    def find(path: str) -> bytes | None:
        entry = tree.get(path)
        if entry is None or entry.mode in (LINK, SUBMODULE):
            return None
        return next(repository.blobs([entry.blob]))

    def read(path: str) -> bytes:
        return find(path) or b""

    with repository.session():
        layout = detect(tree, read)
        wanted = selection.directories_of(layout, directories)
        lacking = selection.lacking(wanted, tree)
        chosen = selection.selection(layout, wanted, find)
    entries = {path: tree[path] for path in sorted(chosen.kept(list(tree)))}
    selection.check({path: entry.mode for path, entry in entries.items()})
    if layout.name == "metadata":
        return _metadata(selection.reading(repository, list(entries.items())).result(), layout)
    registry = types.for_project(layout.presets, layout.customizations)
    places = assembly.find(entries, registry)
    handed = selection.contents(repository, list(entries.items()))
    try:
        found, parsed = assembly.taken(handed, places.__getitem__, pack)
    except DomainError:
        for path in entries:
            places[path]  # a file of no known type is told before what others hold
        raise
    contents = {path: found[path] for path in entries}
    ui_bundles.check(map(places.__getitem__, entries), tree, contents.__getitem__)
    contents, warnings = replacements.applied(contents, layout, tree, read)
    result = assembly.assemble(contents, places, registry, parsed)
    return Converted(
        result.files,
        result.origins,
        tuple(result.passed_over),
        tuple(dict.fromkeys([*lacking, *warnings])),
        layout,
        registry,
        result.made,
    )


def _metadata(contents: dict[str, bytes], layout: Layout) -> Converted:
    """A directory in metadata format is what it is, below its root."""
    start = len(layout.base) + 1 if layout.base else 0
    files: dict[str, bytes] = {}
    origins: dict[str, str] = {}
    passed_over: list[str] = []
    for path, content in contents.items():
        inner = path[start:]
        if "/" not in inner or any(part.startswith(".") for part in inner.split("/")):
            if inner not in MANIFESTS:
                passed_over.append(path)
            continue
        files[inner] = content
        origins[inner] = path
    return Converted(files, origins, tuple(passed_over), (), layout, types.standard())
