"""Lay components out as the files of a repository: source format or metadata format.

Both functions are pure: the same components give the same bytes, so a commit that changes one
field changes one file.
"""

from __future__ import annotations

import io
import zipfile
from collections import defaultdict
from collections.abc import Mapping

from demo.content.components import (
    API_VERSION,
    DOCUMENTS,
    FILE_FOLDERS,
    OBJECT_CHILDREN,
    Components,
    Declared,
    Filed,
)
from demo.content.xml import Body, Element, Value, document

FOLDER_OF_FILES: Mapping[str, str] = {type_: folder for folder, type_ in FILE_FOLDERS.items()}
LABELS = "CustomLabels"
FIXED_TIME = (1980, 1, 1, 0, 0, 0)


def source_format(components: Components, package: str) -> dict[str, bytes]:
    """Lay out in source format below `<package>/main/default`."""
    base = f"{package}/main/default"
    files: dict[str, bytes] = {}
    for component in components.values():
        if isinstance(component, Filed):
            folder = FOLDER_OF_FILES[component.key.type]
            files |= {f"{base}/{folder}/{path}": body for path, body in component.files.items()}
        elif component.key.type != "CustomLabel":
            files[f"{base}/{_source_path(component)}"] = document(
                component.key.type, component.body
            )
    if labels := _labels(components):
        files[f"{base}/labels/{LABELS}.labels-meta.xml"] = labels
    return files


def metadata_format(components: Components) -> dict[str, bytes]:
    """Lay out in metadata format, with its package.xml; the paths start at the package's root."""
    files: dict[str, bytes] = {"package.xml": manifest(components)}
    objects: dict[str, list[Element]] = defaultdict(list)
    for component in components.values():
        type_, name = component.key.type, component.key.name
        if isinstance(component, Filed):
            files |= _metadata_files(component)
        elif type_ == "CustomObject":
            objects[name] += component.body
        elif type_ in OBJECT_CHILDREN:
            parent = name.split(".", 1)[0]
            objects[parent].append((OBJECT_CHILDREN[type_][0], component.body))
        elif type_ != "CustomLabel":
            folder, suffix = DOCUMENTS[type_]
            files[f"{folder}/{name}.{suffix}"] = document(type_, component.body)
    for name, elements in objects.items():
        files[f"objects/{name}.object"] = document("CustomObject", _ordered(elements))
    if labels := _labels(components):
        files[f"labels/{LABELS}.labels"] = labels
    return files


def manifest(components: Components) -> bytes:
    """Write the package.xml that names every component."""
    members: dict[str, list[str]] = defaultdict(list)
    for key in sorted(components):
        members[key.type].append(key.name)
    types: Body = tuple(
        ("types", (*(("members", name) for name in members[type_]), ("name", type_)))
        for type_ in sorted(members)
    )
    return document("Package", (*types, ("version", API_VERSION)))


def _source_path(component: Declared) -> str:
    type_, name = component.key.type, component.key.name
    if type_ == "CustomObject":
        return f"objects/{name}/{name}.object-meta.xml"
    if type_ in OBJECT_CHILDREN:
        _, folder, suffix = OBJECT_CHILDREN[type_]
        parent, child = name.split(".", 1)
        return f"objects/{parent}/{folder}/{child}.{suffix}-meta.xml"
    folder, suffix = DOCUMENTS[type_]
    return f"{folder}/{name}.{suffix}-meta.xml"


def _labels(components: Components) -> bytes | None:
    labels = (one for _, one in sorted(components.items()) if one.key.type == "CustomLabel")
    bodies: Body = tuple(("labels", one.body) for one in labels if isinstance(one, Declared))
    return document(LABELS, bodies) if bodies else None


def _ordered(elements: list[Element]) -> Body:
    """Order an object's elements by name and, among equals, by what they name."""
    return tuple(sorted(elements, key=lambda element: (element[0], _full_name(element[1]))))


def _full_name(value: Value) -> str:
    if not isinstance(value, tuple):
        return ""
    return next((str(text) for name, text in value if name == "fullName"), "")


def _metadata_files(component: Filed) -> dict[str, bytes]:
    folder = FOLDER_OF_FILES[component.key.type]
    if component.key.type == "Flow":
        return {
            f"{folder}/{path.removesuffix('-meta.xml')}": body
            for path, body in component.files.items()
        }
    if component.key.type == "StaticResource":
        return _resource_files(component)
    return {f"{folder}/{path}": body for path, body in component.files.items()}


def _resource_files(component: Filed) -> dict[str, bytes]:
    name = component.key.name
    meta = f"{name}.resource-meta.xml"
    content = {path: body for path, body in component.files.items() if path != meta}
    inside = {path.removeprefix(f"{name}/"): body for path, body in content.items()}
    folder = any(path.startswith(f"{name}/") for path in content)
    body = zip_of(inside) if folder else next(iter(content.values()))
    return {
        f"staticresources/{name}.resource": body,
        f"staticresources/{meta}": component.files[meta],
    }


def zip_of(files: Mapping[str, bytes]) -> bytes:
    """Pack files with fixed times, modes and order: equal contents give equal bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for path in sorted(files, key=str.encode):
            entry = zipfile.ZipInfo(path, FIXED_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            entry.create_system = 3
            archive.writestr(entry, files[path])
    return buffer.getvalue()
