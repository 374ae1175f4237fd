"""Convert a commit: what a deployment of it would send, in metadata format."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.errors import InvalidInput
from metadata import types
from metadata.convert import assembly, replacements, selection
from metadata.layout import MANIFESTS
from metadata.mirrors import Mirror
from metadata.projects import Layout, detect
from metadata.types import Registry


@dataclass(frozen=True, slots=True)
class Converted:
    """Metadata-format files by package path; ``origins`` names the repository's file of each.

    ``passed_over`` lists files that are no metadata, ``warnings`` sentences on what was not done.
    ``package.xml`` is not among the files.
    """

    files: dict[str, bytes]
    origins: dict[str, str]
    passed_over: tuple[str, ...]
    warnings: tuple[str, ...]
    layout: Layout
    registry: Registry


def convert(mirror: Mirror, rev: str, directories: Sequence[str] = ()) -> Converted:
    """Convert a commit, or only the named package directories of it.

    Raises InvalidInput ``metadata.*`` naming file and reason, and ExternalFault ``git.*``.
    """
    sha = mirror.resolve(rev)
    tree = mirror.tree(sha)

    def read(path: str) -> bytes:
        return next(mirror.blobs([tree[path].blob]))

    layout = detect(tree, read)
    wanted = chosen_directories(layout, directories)
    paths = selection.paths(tree, layout, wanted, read)
    reading = selection.Reading(mirror, [tree[path].blob for path in paths])
    if layout.name == "metadata":
        return _metadata(_contents(paths, reading), layout)
    registry = types.for_project(layout.presets, layout.customizations)
    places = assembly.find(paths, registry)
    contents, warnings = replacements.applied(_contents(paths, reading), layout, tree, read)
    result = assembly.assemble(contents, places, registry)
    return Converted(
        result.files,
        result.origins,
        tuple(result.passed_over),
        tuple(warnings),
        layout,
        registry,
    )


def _contents(paths: Sequence[str], reading: selection.Reading) -> dict[str, bytes]:
    contents = dict(zip(paths, reading.result(), strict=True))
    selection.refuse_pointers(contents.items())
    return contents


def chosen_directories(layout: Layout, asked: Sequence[str]) -> Sequence[str]:
    """The package directories to look at: all, or the asked ones among them.

    Raises InvalidInput ``metadata.no_directory``.
    """
    if not asked:
        return layout.directories
    clean = [directory.strip("/").removeprefix("./") for directory in asked]
    known = layout.directories
    for directory in clean:
        if not any(
            directory == own or directory.startswith(f"{own}/") or own == "" for own in known
        ):
            raise InvalidInput(
                "metadata.no_directory",
                f"“{directory}” is not one of the project's package directories "
                f"({', '.join(own or '.' for own in known)}).",
            )
    return clean


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
