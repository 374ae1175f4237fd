"""Figures of the metadata engine: ``script/bench metadata`` (docs/metadata.md says what they mean).

``GATEHOUSE_BENCH_REPO`` names a Git repository of a Salesforce project, ``GATEHOUSE_BENCH_RANGE``
two of its commits (``FROM..TO``); without them a large project is generated. ``GATEHOUSE_SDR``
names a ``node_modules`` with the official converter, ``GATEHOUSE_SGD`` directories of
sfdx-git-delta (``:`` between them), which are then run on the same work (``GATEHOUSE_NODE``: a Node
that runs them).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from script.lib import metadata_sample as sample

ROUNDS = 5
MEGABYTES = 200
OURS = [sys.executable, "-m", "metadata"]
PEERS = Path(__file__).parents[2] / "tests/metadata/differential"
INSIDE = [sys.executable, "-m", "script.lib.metadata_inside"]


@dataclass(frozen=True)
class Figure:
    """The best wall and processor time of several runs in new processes, and the largest memory."""

    wall: float
    cpu: float
    megabytes: float


@dataclass(frozen=True)
class Work:
    """One line of the table; ``peers`` are other tools' commands for the same work."""

    name: str
    command: Sequence[str]
    target: float
    peers: Mapping[str, Sequence[str]] = field(default_factory=dict)
    ends: int = 0
    """The exit code: 2 for input that has to be refused."""
    times: Mapping[str, float] = field(default_factory=dict)
    """How many times quicker than a peer it has to be, by how the peer's name begins."""


def main() -> int:
    """Print the table; 1 when a target is not met."""
    with tempfile.TemporaryDirectory(prefix="gatehouse-bench-") as directory:
        place = Path(directory)
        repository, old, new = _repository(place)
        print(f"{repository}: {old[:12]}..{new[:12]}, best of {ROUNDS} new processes each")
        busy, processors = os.getloadavg()[0], os.cpu_count()
        print(f"{processors} processors, of which {busy:.1f} were busy before; {MEGABYTES} MB each")
        head = f"{'work':46}{'wall s':>8}{'cpu s':>8}{'MB':>6}{'target s':>10}{'':10}"
        print(f"{head}peers, wall s")
        met = [_line(work, place) for work in _works(repository, old, new, place)]
    return int(not all(met))


def _repository(place: Path) -> tuple[Path, str, str]:
    named = os.environ.get("GATEHOUSE_BENCH_REPO")
    if not named:
        return _sample(place / "sample.git", 2_000)
    repository = Path(named)
    inner = repository / ".git" if (repository / ".git").exists() else repository
    old, _, new = os.environ.get("GATEHOUSE_BENCH_RANGE", "HEAD~100..HEAD").partition("..")
    one, two = (sample.git(inner, "rev-parse", f"{rev}^{{commit}}") for rev in (old, new))
    return inner, one, two


def _sample(path: Path, history: int) -> tuple[Path, str, str]:
    _apart(f"s.repository(s.Path({str(path)!r}), {history})")
    return path, sample.git(path, "rev-parse", "base"), sample.git(path, "rev-parse", "main")


def _apart(made: str) -> None:
    """Make a sample in a process of its own: a child counts the memory of its parent, too."""
    command = f"import script.lib.metadata_sample as s; {made}"
    subprocess.run([sys.executable, "-c", command], check=True)


def _works(repository: Path, old: str, new: str, place: Path) -> list[Work]:
    at = ["--repo", str(repository)]
    delta = [*OURS, "delta", *at, "--from", old, "--to", new, "--output", str(place / "delta")]
    young, first, last = _sample(place / "young.git", 0)
    old_one, then, now = _sample(place / "old.git", 5_000)
    short = [str(young), "--from", first, "--to", last]
    long = [str(old_one), "--from", then, "--to", now]
    huge = place / "huge.git"
    _apart(f"s.huge(s.Path({str(huge)!r}), 500_000)")
    many = ["--repo", str(huge), "--from", "main", "--to", "main"]
    tail = ["--output", str(place / "delta"), "--no-zip"]
    convert = [*OURS, "convert", *at, "--commit", new, "--output", str(place / "out.zip")]
    converters, deltas, copies = _peers(repository, old, new, place)
    return [
        Work("delta, manifest", [*delta, "--no-zip"], 0.15, deltas, times={"sgd 6": 25, "sgd": 10}),
        Work("delta, with its zip", delta, 1.0, copies),
        Work("conversion of a commit to a zip", convert, 0.9, converters),
        Work("composition of 24 branches", [*INSIDE, "branches"], 0.5),
        Work("composition, 20,000 files, 50 XML merges of 5", [*INSIDE, "merges"], 3.0),
        Work("collisions of 24 branches", [*INSIDE, "collisions", str(place / "24.git")], 0.3),
        Work("delta, generated, no history", [*OURS, "delta", "--repo", *short, *tail], 0.15),
        Work("delta, generated, 5,000 commits", [*OURS, "delta", "--repo", *long, *tail], 0.15),
        Work("500,000 files, refused", [*OURS, "delta", *many, *tail], 2.0, ends=2),
    ]


def _line(work: Work, place: Path) -> bool:
    """Measure one work, print it, and say whether its target is met."""
    found = _best(work.command, place, ROUNDS, work.ends)
    met = found.wall <= work.target and found.megabytes <= MEGABYTES
    peer = ""
    for name, command in work.peers.items():
        other = _best(command, place, 2)
        times = other.wall / found.wall
        least = next((work.times[own] for own in work.times if name.startswith(own)), 0)
        asked = f" of {least:.0f}" if least else ""
        met = met and times >= least
        peer += f"{name}: {other.wall:.2f} ({times:.0f}{asked} times, {other.megabytes:.0f} MB)  "
    print(
        f"{work.name:46}{found.wall:8.3f}{found.cpu:8.3f}{found.megabytes:6.0f}{work.target:10.2f}"
        f"  {'met' if met else 'not met':8}{peer}",
        flush=True,
    )
    return met


def _best(command: Sequence[str], place: Path, rounds: int, ends: int = 0) -> Figure:
    """Run a command; a program in the section that is measured prints its own seconds."""
    figures = [_once(command, place, ends) for _ in range(rounds)]
    return Figure(
        min(figure.wall for figure in figures),
        min(figure.cpu for figure in figures),
        max(figure.megabytes for figure in figures),
    )


def _once(command: Sequence[str], place: Path, ends: int) -> Figure:
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(place / "bytecode")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    started = time.perf_counter()
    quiet = subprocess.DEVNULL if ends else None
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=quiet)
    told = process.stdout.read().decode() if process.stdout else ""
    _pid, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != ends:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    cpu = used.ru_utime + used.ru_stime
    if command[: len(INSIDE)] == INSIDE:
        wall, cpu = (float(text) for text in told.split())
    return Figure(wall, cpu, used.ru_maxrss / 1024)


Commands = dict[str, Sequence[str]]


def _peers(
    repository: Path, old: str, new: str, place: Path
) -> tuple[Commands, Commands, Commands]:
    """Other tools' commands: conversion, delta manifest, and delta with its files."""
    modules = os.environ.get("GATEHOUSE_SDR")
    tools = [Path(name) for name in os.environ.get("GATEHOUSE_SGD", "").split(":") if name]
    converters: Commands = {}
    manifests: Commands = {}
    copies: Commands = {}
    if not modules and not tools:
        return converters, manifests, copies
    node = os.environ.get("GATEHOUSE_NODE", "node")
    project = place / "project"
    subprocess.run(["git", "clone", "-q", "--shared", str(repository), str(project)], check=True)
    sample.git(project / ".git", f"--work-tree={project}", "checkout", "-q", "--detach", new)
    if modules:
        output = str(place / "sdr")
        program = str(PEERS / "convert.cjs")
        converters["sdr"] = [node, program, modules, str(project), output, "force-app"]
    for tool in tools:
        version = json.loads((tool / "package.json").read_text())["version"]
        call = [node, str(PEERS / "delta.mjs"), str(tool), str(project)]
        for with_files, found in ((False, manifests), (True, copies)):
            if with_files and version.startswith("6."):
                continue  # starts one git for each file: minutes
            asked = place / f"{version}-{with_files}"
            output = str(place / f"{version}-{with_files}-out")
            about = {"from": old, "to": new, "source": ["."], "output": output}
            asked.write_text(json.dumps({**about, "generateDelta": with_files}))
            found[f"sgd {version}"] = [*call, str(asked)]
    return converters, manifests, copies


if __name__ == "__main__":
    sys.exit(main())
