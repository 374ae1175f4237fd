"""Source-format files to metadata-format files, all types of the registry."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field

from core.errors import InvalidInput
from metadata.convert import recompose, static
from metadata.convert.fragments import Child
from metadata.convert.places import Place, Places, Role
from metadata.convert.recompose import Parsed
from metadata.refusals import duplicate
from metadata.search import Listing
from metadata.types import META, Registry


@dataclass(slots=True)
class Assembled:
    """Package files with the repository path of each, and what was passed over.

    ``made`` are those that were put together here, and are well-formed for that.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    passed_over: list[str] = field(default_factory=list)
    made: set[str] = field(default_factory=set)

    def add(self, target: str, content: bytes, origin: str) -> None:
        """Take a file; a second one for the same path has to be equal."""
        before = self.files.get(target)
        if before is None:
            self.files[target] = content
            self.origins[target] = origin
        elif before != content:
            raise duplicate(target, self.origins[target], origin)


class Found(dict[str, Place | None]):
    """What each file is, worked out when it is asked for; None for one that is passed over.

    Raises ``UnsupportedType``.
    """

    def __init__(self, places: Places) -> None:
        self._places = places

    def __missing__(self, path: str) -> Place | None:
        place = self[path] = self._places.of(path)
        return place


def find(paths: Collection[str], registry: Registry) -> Found:
    """Look at the files of a project."""
    return Found(Places(registry, Listing(paths)))


PLAIN = (Role.COPY, Role.CONTENT, Role.META)
"""These files go as they are."""

Pack = Callable[[str, bytes], None]


def taken(
    handed: Iterable[tuple[str, bytes]],
    placed: Callable[[str], Place | None],
    pack: Pack | None = None,
) -> tuple[dict[str, bytes], Parsed]:
    """Files by path, and those that are parts of others parsed while git unpacks the next ones.

    ``pack`` is given what goes as it is, unless something changes it afterwards.
    """
    contents: dict[str, bytes] = {}
    parsed: dict[str, Child] = {}
    for path, content in handed:
        contents[path] = content
        place = placed(path)
        if place is None:
            continue
        if recompose.parses(place):
            parsed[path] = recompose.child(place, content)
        elif pack is not None and place.role in PLAIN:
            pack(path, content)
    return contents, parsed


def assemble(
    contents: Mapping[str, bytes],
    places: Mapping[str, Place | None],
    registry: Registry,
    parsed: Parsed | None = None,
) -> Assembled:
    """Rewrite the files of a source project; ``parsed`` says what some contents were parsed to.

    Raises InvalidInput ``metadata.duplicate``, ``metadata.malformed_xml``, ``metadata.no_meta``,
    ``metadata.no_content`` and those of ``static`` and ``recompose``, each naming the file.
    """
    result = Assembled()
    sorted_out: dict[Role, list[tuple[Place, bytes]]] = {role: [] for role in Role}
    for path, content in contents.items():
        place = places[path]
        if place is None:
            result.passed_over.append(path)
        elif place.role is Role.COPY:
            result.add(place.target, content, path)
        else:
            sorted_out[place.role].append((place, content))
    _pairs(result, [*sorted_out[Role.CONTENT], *sorted_out[Role.META]])
    _documents(result, sorted_out[Role.DOCUMENT])
    _resources(result, sorted_out[Role.STATIC])
    parts = [*sorted_out[Role.PARENT], *sorted_out[Role.CHILD]]
    for (type_id, name), own in recompose.by_component(parts).items():
        kind = registry.by_id[type_id]
        target, content = recompose.file_of(kind, name, own, parsed or {})
        result.add(target, content, own[0][0].path)
        result.made.add(target)
    return result


def _resources(result: Assembled, parts: Iterable[tuple[Place, bytes]]) -> None:
    """The same resource in two package directories is two resources until they prove equal."""
    found: dict[tuple[str, str], list[tuple[Place, bytes]]] = {}
    for place, content in parts:
        where = place.path.removesuffix(place.target)
        found.setdefault((where, place.name), []).append((place, content))
    for (_where, name), own in found.items():
        for target, (content, origin) in static.files_of(name, own).items():
            result.add(target, content, origin)


def _pairs(result: Assembled, parts: Iterable[tuple[Place, bytes]]) -> None:
    """Content files and their meta files, each with the other."""
    pairs = {place.path: (place, content) for place, content in parts}
    for path, (place, content) in pairs.items():
        if place.role is Role.META:
            other = path.removesuffix(META)
            if other not in pairs:
                raise InvalidInput(
                    "metadata.no_content",
                    f"{path} has no {other.rsplit('/', 1)[-1]} beside it.",
                    path=path,
                )
        elif f"{path}{META}" not in pairs:
            raise InvalidInput(
                "metadata.no_meta",
                f"{path} has no {path.rsplit('/', 1)[-1]}{META} beside it.",
                path=path,
            )
        result.add(place.target, content, path)


def _documents(result: Assembled, documents: Iterable[tuple[Place, bytes]]) -> None:
    """Documents: the meta file takes the content's suffix, ``logo.png-meta.xml``."""
    listed = list(documents)
    contents = {
        (place.path.rpartition("/")[0], place.name): place
        for place, _content in listed
        if not place.path.endswith(META)
    }
    metas = {
        (place.path.rpartition("/")[0], place.name)
        for place, _content in listed
        if place.path.endswith(META)
    }
    for place, content in listed:
        key = (place.path.rpartition("/")[0], place.name)
        if place.path.endswith(META):
            if key not in contents:
                raise InvalidInput(
                    "metadata.no_content",
                    f"{place.path} has no content file beside it.",
                    path=place.path,
                )
            result.add(f"{contents[key].target}{META}", content, place.path)
        elif key not in metas:
            raise InvalidInput(
                "metadata.no_meta",
                f"{place.path} has no .document-meta.xml beside it.",
                path=place.path,
            )
        else:
            result.add(place.target, content, place.path)
