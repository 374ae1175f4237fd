"""Read a commit, in source or metadata format, into the normal form."""

from __future__ import annotations

from collections.abc import Mapping

import pathspec

from core.errors import InvalidInput
from metadata import decompose, layout, static, xml
from metadata.components import ComponentKey
from metadata.layout import META, UnsupportedType
from metadata.mirrors import Mirror, TreeEntry
from metadata.normal import CHILD, Files, NormalForm
from metadata.types import MetadataType, registry

ALWAYS_IGNORED = (
    "**/*.dup",
    "**/.*",
    "**/package2-descriptor.json",
    "**/package2-manifest.json",
)
LFS = b"version https://git-lfs.github.com/spec/v1"
SYMLINK, SUBMODULE = "120000", "160000"


def read_commit(mirror: Mirror, sha: str) -> NormalForm:
    """The normal form of everything that a commit would deploy.

    Raises InvalidInput ``metadata.*``: no metadata, an unsupported type by name, malformed XML
    with its line, a component defined twice, a symbolic link, a Git LFS pointer.
    """
    shape = mirror.format(sha)
    tree = mirror.tree(sha)
    chosen: dict[str, TreeEntry] = {}
    for directory in shape.directories:
        prefix = f"{directory}/" if directory else ""
        chosen.update({path: entry for path, entry in tree.items() if path.startswith(prefix)})
    ignored = _ignored(mirror, tree) if shape.name == "source" else None
    paths = [path for path in sorted(chosen) if ignored is None or not ignored.match_file(path)]
    for path in paths:
        _plain_file(path, chosen[path])
    contents = dict(zip(paths, mirror.blobs(chosen[p].blob for p in paths), strict=True))
    for path, content in contents.items():
        if content.startswith(LFS):
            raise InvalidInput(
                "metadata.lfs", f"{path} is a Git LFS pointer; Gatehouse reads plain files only."
            )
    if shape.name == "metadata":
        prefix = f"{shape.directories[0]}/" if shape.directories[0] else ""
        form = layout.read({path[len(prefix) :]: data for path, data in contents.items()})
    else:
        form = read_source(contents)
    if not form:
        raise InvalidInput("metadata.none", "The commit has no Salesforce metadata to deploy.")
    return form


def _plain_file(path: str, entry: TreeEntry) -> None:
    if entry.mode in (SYMLINK, SUBMODULE):
        kind = "symbolic link" if entry.mode == SYMLINK else "submodule"
        raise InvalidInput("metadata.link", f"{path} is a {kind}; Gatehouse reads plain files.")
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        raise InvalidInput("metadata.path", f"{path!r} is not a UTF-8 path.") from None


def _ignored(mirror: Mirror, tree: Mapping[str, TreeEntry]) -> pathspec.GitIgnoreSpec:
    lines = list(ALWAYS_IGNORED)
    if ".forceignore" in tree:
        text = next(mirror.blobs([tree[".forceignore"].blob])).decode("utf-8-sig", "replace")
        lines += text.splitlines()
    return pathspec.GitIgnoreSpec.from_lines(lines)


def read_source(contents: Mapping[str, bytes]) -> NormalForm:
    """The normal form of source-format files by repository path."""
    entries: dict[ComponentKey, Files] = {}
    loose: dict[str, Files] = {}
    for path, content in contents.items():
        found = place(path)
        if found is None:
            continue
        kind, anchor, rest = found
        if kind.name == "CustomObject":
            layout.add(entries, _object_part(kind, rest, content, path), path)
        elif decompose.splits(kind):
            name = rest.split("/")[-1].split(".")[0]
            more = decompose.split(kind, name, content, path)
            layout.add(entries, more, path)
        elif kind.name == "StaticResource":
            loose.setdefault(anchor, {})[rest] = content
        else:
            key, target = _whole(kind, rest, path)
            files = entries.setdefault(key, {})
            if target in files:
                raise InvalidInput("metadata.duplicate", f"{key} is defined twice, also by {path}.")
            files[target] = layout.canonical(kind, target, content)
    for anchor, files in loose.items():
        layout.add(entries, static.resources(files, anchor), anchor)
    return NormalForm(entries)


def place(path: str) -> tuple[MetadataType, str, str] | None:
    """Type of a source path, the directory of that type, and the path below it.

    ``None`` for a file that is no metadata, such as a README or a Jest mock: the official tools
    pass over it too. A ``-meta.xml`` file of an unknown type is refused by name.
    """
    parts = path.split("/")
    for index, part in enumerate(parts[:-1]):
        kind = registry().strict.get(part)
        if kind is not None and index + 1 < len(parts):
            return kind, "/".join(parts[: index + 1]), "/".join(parts[index + 1 :])
    name = parts[-1].removesuffix(META)
    kind = registry().by_suffix.get(name.rsplit(".", 1)[-1])
    if not parts[-1].endswith(META):
        if kind is None or kind.adapter != "matchingContentFile":
            return None
    elif kind is None:
        raise UnsupportedType(path, "an unknown metadata type")
    return kind, "/".join(parts[:-1]), parts[-1]


def _whole(kind: MetadataType, rest: str, path: str) -> tuple[ComponentKey, str]:
    """Key and metadata-format path of a file that belongs to a whole component."""
    if kind.adapter == "bundle":
        name = rest.split("/", 1)[0]
        if "/" not in rest:
            raise UnsupportedType(path, "not part of a bundle")
        return ComponentKey(kind.name, name), f"{kind.directory}/{rest}"
    if kind.in_folder or kind.folder_type or kind.adapter not in ("", "matchingContentFile"):
        raise UnsupportedType(path, kind.name)
    file_name = rest.split("/")[-1]
    name = file_name.removesuffix(META).removesuffix(f".{kind.suffix}")
    if kind.adapter == "":
        file_name = f"{name}.{kind.suffix}"
    return ComponentKey(kind.name, name), f"{kind.directory}/{file_name}"


def _object_part(
    kind: MetadataType, rest: str, content: bytes, path: str
) -> dict[ComponentKey, Files]:
    """The entry of one decomposed file below ``objects/``."""
    parts = rest.split("/")
    name = parts[0]
    if len(parts) == 2 and parts[1] == f"{name}.{kind.suffix}{META}":
        return decompose.split(kind, name, content, path)
    if len(parts) == 3:
        for child in kind.children.values():
            if child.directory == parts[1] and parts[2].endswith(f".{child.suffix}{META}"):
                root = xml.parse(content, path)
                key = decompose.child_key(name, child, root, path)
                return {key: {CHILD: xml.canonical(root)}}
    raise UnsupportedType(path, "not part of a custom object")
