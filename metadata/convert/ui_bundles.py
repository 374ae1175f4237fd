"""What a UI bundle's descriptor names has to be in the commit: the platform refuses it otherwise.

The official tool checks the same before it sends anything. A descriptor is optional; what it says
about routing and headers beyond files is left to the org.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable

from core.errors import InvalidInput
from metadata.convert.places import Place

DESCRIPTOR = "ui-bundle.json"


def check(
    places: Iterable[Place | None], paths: Collection[str], read: Callable[[str], bytes]
) -> None:
    """Raise InvalidInput ``metadata.ui_bundle`` for a bundle whose built files are not there."""
    for place in places:
        if place is None or place.type.adapter != "uiBundles":
            continue
        if place.target == f"{place.type.directory}/{place.name}/{DESCRIPTOR}":
            _check(place.path, read(place.path), paths)


def _check(path: str, content: bytes, paths: Collection[str]) -> None:
    try:
        said = json.loads(content)
    except ValueError as fault:
        raise _refusal(path, f"is no JSON: {fault}") from None
    if not isinstance(said, dict):
        raise _refusal(path, "holds no object")
    base = path.rpartition("/")[0]
    if "outputDir" in said:
        name = _inner(path, "outputDir", said["outputDir"])
        base = f"{base}/{name}"
        if not any(own.startswith(f"{base}/") for own in paths):
            raise _refusal(
                path,
                f"says that its built files are in “{name}”, and the commit has none there. Build "
                "the bundle and commit what comes of it, or name another directory",
            )
    routing = said.get("routing")
    routing = routing if isinstance(routing, dict) else {}
    rewrites = routing.get("rewrites")
    named = [("routing.fallback", routing.get("fallback"))]
    named += [
        ("routing.rewrites", row.get("rewrite"))
        for row in (rewrites if isinstance(rewrites, list) else ())
        if isinstance(row, dict)
    ]
    for what, value in named:
        if value is not None and f"{base}/{_inner(path, what, value)}" not in paths:
            raise _refusal(path, f"names “{value}” as {what}, and the commit has no such file")


def _inner(path: str, what: str, value: object) -> str:
    """A path below the bundle, without slashes around it."""
    inner = value.strip("/").removeprefix("./") if isinstance(value, str) else ""
    if not inner or inner == "." or ".." in inner.split("/"):
        raise _refusal(path, f"has no path inside the bundle as {what}")
    return inner


def _refusal(path: str, why: str) -> InvalidInput:
    return InvalidInput("metadata.ui_bundle", f"{path} {why}.", path=path)
