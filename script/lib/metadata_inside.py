"""Work without a command of its own, for ``script/bench metadata``: prints wall and CPU seconds."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable
from pathlib import Path

from metadata import collisions, radar
from metadata.components import ComponentKey
from metadata.compose import Candidate, compose
from metadata.normal import Files, NormalForm
from metadata.repository import Repository
from script.lib import metadata_sample as sample

Entries = dict[ComponentKey, Files]


def main(arguments: list[str]) -> None:
    """Prepare one piece of work, then do it with the clock running."""
    works: dict[str, Callable[[], Callable[[], object]]] = {
        "branches": _branches,
        "merges": _merges,
        "collisions": lambda: _collisions(arguments[1]),
    }
    run = works[arguments[0]]()
    gc.freeze()
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    print(time.perf_counter() - wall, time.process_time() - cpu)


def _branches() -> Callable[[], object]:
    production = _classes(4_000)
    candidates = []
    for team in range(24):
        own = _copied(production)
        for number in range(team * 100, team * 100 + 60):
            own[ComponentKey("ApexClass", f"C{number:05}")] = {"classes/a.cls": b"%d" % team}
        candidates.append(Candidate(f"team {team:02}", "1", NormalForm(own)))
    form = NormalForm(production)
    return lambda: compose(form, candidates)


def _merges() -> Callable[[], object]:
    production = {**_classes(19_950), **_permission_sets(range(0))}
    candidates = []
    for team in range(5):
        own = {**_copied(production), **_permission_sets(range(team * 10, team * 10 + 3))}
        candidates.append(Candidate(f"team {team}", "1", NormalForm(own)))
    form = NormalForm(production)
    return lambda: compose(form, candidates)


def _collisions(path: str) -> Callable[[], object]:
    if not Path(path).exists():
        sample.repository(Path(path), history=0, branches=24)
    repository = Repository(Path(path))
    found = repository.refs()
    tips = {name: sha for name, sha in found.branches.items() if name != "main"}
    base = found.tags["base"]
    return lambda: collisions.matrix(collisions.find(radar.works(repository, base, tips)))


def _classes(count: int) -> Entries:
    return {
        ComponentKey("ApexClass", f"C{number:05}"): {
            f"classes/C{number:05}.cls": b"public class C%05d {%s}" % (number, b" " * 900)
        }
        for number in range(count)
    }


def _copied(entries: Entries) -> Entries:
    """The same contents in other memory, as if they were read from another artefact."""
    return {
        key: {path: bytes(bytearray(content)) for path, content in files.items()}
        for key, files in entries.items()
    }


def _permission_sets(editable: range) -> Entries:
    entry = (
        "    <fieldPermissions>\n        <editable>{}</editable>\n"
        "        <field>Account.F{:04}__c</field>\n        <readable>true</readable>\n"
        "    </fieldPermissions>\n"
    )
    rows = "".join(entry.format(str(n in editable).lower(), n) for n in range(300))
    name = "PermissionSet"
    text = f"{sample.HEAD}<{name} {sample.NS}>\n{rows}    <label>P</label>\n</{name}>\n"
    return {
        ComponentKey(name, f"P{n}"): {f"permissionsets/P{n}.permissionset": text.encode()}
        for n in range(50)
    }


if __name__ == "__main__":
    main(sys.argv[1:])
