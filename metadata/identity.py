"""Metadata format: which component a package path belongs to."""

from __future__ import annotations

from metadata.components import ComponentKey
from metadata.refusals import UnsupportedType
from metadata.types import META, MetadataType, standard

MANIFESTS = frozenset(
    {
        "package.xml",
        "destructiveChanges.xml",
        "destructiveChangesPre.xml",
        "destructiveChangesPost.xml",
    }
)


def identify(path: str, origin: str | None = None) -> tuple[MetadataType, ComponentKey]:
    """The type whose file a package path is, and the component that it belongs to.

    The component is of that type, or one of its children that has files of its own (the contents
    of an enhanced site). Raises ``UnsupportedType``.
    """
    directory, _, rest = path.partition("/")
    kinds = standard().of_directory(directory)
    if not kinds or not rest:
        raise UnsupportedType(origin or path, "in no folder of a known metadata type")
    if rest.endswith(META) and "." not in rest.removesuffix(META).rpartition("/")[2]:
        folder = standard().folder_of(directory)
        if folder is not None:
            return folder, ComponentKey(folder.name, rest.removesuffix(META))
    if directory == "territory2Models":
        return _territory(origin or path, rest)
    for kind in kinds:
        if kind.adapter == "digitalExperience":
            return kind, _experience(kind, rest, origin or path)
        name = _name(kind, rest)
        if name:
            return kind, ComponentKey(kind.name, name)
    raise UnsupportedType(origin or path, f"of no known type in {directory}")


def _experience(kind: MetadataType, rest: str, path: str) -> ComponentKey:
    """A site or workspace, or one content in it: ``site/Shop.sfdc_cms__view/home``."""
    parts = rest.split("/")
    if len(parts) < 3:
        raise UnsupportedType(path, f"no part of a {kind.name}")
    space = "/".join(parts[:2])
    if len(parts) < 5:
        return ComponentKey(kind.name, space)
    child = next(iter(kind.children.values()))
    return ComponentKey(child.name, f"{space}.{parts[2]}/{parts[3]}")


def _name(kind: MetadataType, rest: str) -> str:
    """The full name that a path below a type's directory has for that type, or an empty text."""
    base = rest.removesuffix(META)
    if kind.bundle:
        return rest.partition("/")[0] if "/" in rest else ""
    if kind.adapter == "mixedContent" and kind.transformer != "staticResource":
        return _mixed_name(kind, rest)
    if kind.fixed_name:
        return kind.name if base.endswith(f".{kind.suffix}") else ""
    for suffix in (kind.suffix, kind.legacy_suffix):
        if suffix and base.endswith(f".{suffix}"):
            return base[: -len(suffix) - 1]
    return ""


def _mixed_name(kind: MetadataType, rest: str) -> str:
    """A document by folder and file name without suffix; a site by its directory or meta file."""
    base = rest.removesuffix(META)
    if kind.in_folder:
        folder, _, name = base.rpartition("/")
        return f"{folder}/{name.rpartition('.')[0] or name}" if folder else ""
    return base.split("/")[0].split(".")[0]


def _territory(path: str, rest: str) -> tuple[MetadataType, ComponentKey]:
    """A territory model, or a rule or territory inside its folder."""
    by_id = standard().by_id
    model = rest.split("/")[0]
    stem, _, suffix = rest.rpartition("/")[2].rpartition(".")
    for type_id in ("territory2model", "territory2", "territory2rule"):
        if suffix == by_id[type_id].suffix:
            name = stem if type_id == "territory2model" else f"{model}.{stem}"
            return by_id[type_id], ComponentKey(by_id[type_id].name, name)
    raise UnsupportedType(path, "of no known type in territory2Models")
