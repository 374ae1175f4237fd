"""sfdx-git-delta over ranges of public projects.

``GATEHOUSE_SGD`` names its directory, or several with ``:`` between (version 6 and version 7, say);
Node and projects are those of ``official``.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from core.errors import DomainError
from metadata import manifest
from metadata.manifest import Manifest
from metadata.objects import Change, changes
from metadata.projects import Layout
from metadata.repository import Repository
from tests.metadata.differential import official

SCRIPT = Path(__file__).with_name("delta.mjs")
HISTORY = 800
STEPS = ((1, 0), (5, 0), (20, 0), (100, 0))
"""How many commits back a range begins and ends, besides those all along the history."""

Member = tuple[str, str]


@dataclass(frozen=True)
class Range:
    """Two commits in source format; ``directories`` are the package directories of either."""

    old: str
    new: str
    directories: tuple[str, ...]


@dataclass(frozen=True)
class Answer:
    """What the peer lists."""

    changed: frozenset[Member]
    removed: frozenset[Member]


def missing() -> str:
    """Why the comparison cannot run here; empty when it can."""
    if not tools():
        return "GATEHOUSE_SGD names no directory of sfdx-git-delta"
    if not official.projects():
        return "GATEHOUSE_PROJECTS names no directory of bare repositories"
    return ""


def tools() -> list[Path]:
    """Installed versions of sfdx-git-delta."""
    named = os.environ.get("GATEHOUSE_SGD", "").split(":")
    return [Path(name) for name in named if name and (Path(name) / "package.json").is_file()]


def ranges(repository: Repository) -> list[Range]:
    """Ranges along the first parents of the main branch."""
    head = official.head(repository)
    if not head:
        return []
    log = repository.run.text(
        "log", "--first-parent", f"--max-count={HISTORY}", "--format=%H", head
    )
    line = log.split()
    spread = [(len(line) * n // 11 + 7, len(line) * n // 11) for n in range(11)]
    found: dict[Range, None] = {}
    for old, new in (*STEPS, *spread):
        if old < len(line):
            both = [_layout(repository, line[index]) for index in (old, new)]
            if all(layout and layout.name == "source" for layout in both):
                held = [own for layout in both if layout for own in layout.directories]
                found[Range(line[old], line[new], tuple(dict.fromkeys(held)))] = None
    return list(found)


def _layout(repository: Repository, sha: str) -> Layout | None:
    try:
        return repository.format(sha)
    except DomainError:
        return None


def run(tool: Path, bare: Path, wanted: Sequence[Range], place: Path) -> dict[Range, Answer]:
    """The peer's manifests; a range that it gives up on is left out.

    The peer keeps things in mind from one range to the next, so a difference counts only when the
    range alone shows it.
    """
    place.mkdir(exist_ok=True)
    work = place / "work"
    clone = ["git", "clone", "-q", "--shared", "--no-checkout", str(bare), str(work)]
    subprocess.run(clone, check=True)
    repository = Repository(bare)
    (work / "sfdx-project.json").write_text("{}")
    asked = [_asked(repository, one, place / f"range-{n}") for n, one in enumerate(wanted)]
    ranges = place / "ranges"
    ranges.write_text("\n".join(map(json.dumps, asked)))
    done = subprocess.run(
        [official.node(), str(SCRIPT), str(tool), str(work), str(ranges)],
        env={**os.environ, "HOME": str(place)},
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
    )
    told = [json.loads(line) for line in done.stdout.splitlines()]
    found: dict[Range, Answer] = {}
    for number, (one, failure) in enumerate(zip(wanted, told, strict=True)):
        held = place / f"range-{number}"
        if failure is None:
            found[one] = Answer(
                _members(held / "package" / "package.xml"),
                _members(held / "destructiveChanges" / "destructiveChanges.xml"),
            )
    return found


def _asked(repository: Repository, one: Range, output: Path) -> dict[str, object]:
    """What the peer is told about a range; its ``.forceignore`` is the newer commit's."""
    output.mkdir()
    ignored = output / ".forceignore"
    ignored.write_bytes(repository.file(one.new, ".forceignore") or b"")
    return {
        "from": one.old,
        "to": one.new,
        "source": [own or "." for own in one.directories],
        "ignore": str(ignored),
        "output": str(output),
    }


def _members(path: Path) -> frozenset[Member]:
    return members(manifest.read(path.read_bytes(), str(path))[0])


@cache
def _registry(tool: Path) -> str:
    """What a peer knows of types, as it is written there."""
    own = [*tool.glob("lib/metadata/*.js")]
    registry = "node_modules/@salesforce/source-deploy-retrieve/lib/src/registry"
    official_one = tool.glob(f"{registry}/metadataRegistry.json")
    return "".join(path.read_text() for path in (*own, *official_one))


def knows(tool: Path, kind: str) -> bool:
    """Whether a peer has heard of a type."""
    return re.search(rf"""["']{kind}["']""", _registry(tool)) is not None


def members(listed: Manifest) -> frozenset[Member]:
    """A manifest as pairs, without the blank that version 6 leaves behind ``CustomIndex``."""
    return frozenset((name.strip(), one) for name, held in listed.items() for one in held)


def touched(repository: Repository, one: Range) -> list[Change]:
    """Every path that differs in a range."""
    return list(changes(repository.run, one.old, one.new).values())
