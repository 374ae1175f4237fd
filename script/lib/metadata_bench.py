"""Figures of the metadata engine: ``script/bench metadata`` (docs/metadata.md says what they mean).

``GATEHOUSE_BENCH_REPO`` names a Git repository of a Salesforce project, ``GATEHOUSE_BENCH_RANGE``
two of its commits (``FROM..TO``); without them a large project is generated. ``GATEHOUSE_SDR``
names a ``node_modules`` with the official converter and sfdx-git-delta 6, which are then run on the
same work (``GATEHOUSE_NODE``: a Node that runs them).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from script.lib import metadata_sample as sample

ROUNDS = 5
MEGABYTES = 200
OURS = [sys.executable, "-m", "metadata"]
INSIDE = [sys.executable, "-m", "script.lib.metadata_inside"]


@dataclass(frozen=True)
class Figure:
    """The best wall and processor time of several runs in new processes, and the largest memory."""

    wall: float
    cpu: float
    megabytes: float


@dataclass(frozen=True)
class Work:
    """One line of the table; ``peer`` is another tool's command for the same work."""

    name: str
    command: Sequence[str]
    target: float
    peer: Sequence[str] = ()


def main() -> int:
    """Print the table; 1 when a target is missed."""
    with tempfile.TemporaryDirectory(prefix="gatehouse-bench-") as directory:
        place = Path(directory)
        repository, old, new = _repository(place)
        print(f"{repository}: {old[:12]}..{new[:12]}, best of {ROUNDS} new processes each")
        print(f"{'work':44}{'wall s':>8}{'cpu s':>8}{'MB':>6}{'target':>8}  peer")
        missed = [_line(work, place) for work in _works(repository, old, new, place)]
    return int(any(missed))


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
    """Made by a process of its own: a child counts the memory of the one that starts it."""
    made = f"import script.lib.metadata_sample as s; s.repository(s.Path({str(path)!r}), {history})"
    subprocess.run([sys.executable, "-c", made], check=True)
    return path, sample.git(path, "rev-parse", "base"), sample.git(path, "rev-parse", "main")


def _works(repository: Path, old: str, new: str, place: Path) -> list[Work]:
    at = ["--repo", str(repository)]
    delta = [*OURS, "delta", *at, "--from", old, "--to", new, "--output", str(place / "delta")]
    young, first, last = _sample(place / "young.git", 0)
    old_one, then, now = _sample(place / "old.git", 5_000)
    short = [str(young), "--from", first, "--to", last]
    long = [str(old_one), "--from", then, "--to", now]
    tail = ["--output", str(place / "delta"), "--no-zip"]
    convert = [*OURS, "convert", *at, "--commit", new, "--output", str(place / "out.zip")]
    peers = _peers(repository, old, new, place)
    return [
        Work("delta, manifest", [*delta, "--no-zip"], 0.15, peers.get("delta", ())),
        Work("delta, with its zip", delta, 1.0),
        Work("conversion of a commit to a zip", convert, 0.9, peers.get("convert", ())),
        Work("composition of 24 branches", [*INSIDE, "branches"], 0.5),
        Work("composition, 20,000 files, 50 XML merges of 5", [*INSIDE, "merges"], 3.0),
        Work("collisions of 24 branches", [*INSIDE, "collisions", str(place / "24.git")], 0.3),
        Work("delta, generated, no history", [*OURS, "delta", "--repo", *short, *tail], 0.15),
        Work("delta, generated, 5,000 commits", [*OURS, "delta", "--repo", *long, *tail], 0.15),
    ]


def _line(work: Work, place: Path) -> bool:
    found = _best(work.command, place, ROUNDS)
    peer = ""
    if work.peer:
        other = _best(work.peer, place, 2)
        peer = f"{other.wall:.2f} s, {other.wall / found.wall:.0f} times"
    missed = found.wall > work.target or found.megabytes > MEGABYTES
    print(
        f"{work.name:44}{found.wall:8.3f}{found.cpu:8.3f}{found.megabytes:6.0f}{work.target:8.2f}"
        f"  {peer}{'  MISSED' if missed else ''}"
    )
    return missed


def _best(command: Sequence[str], place: Path, rounds: int) -> Figure:
    """Run a command; a program in the section that is measured prints its own seconds."""
    figures = [_once(command, place) for _ in range(rounds)]
    return Figure(
        min(figure.wall for figure in figures),
        min(figure.cpu for figure in figures),
        max(figure.megabytes for figure in figures),
    )


def _once(command: Sequence[str], place: Path) -> Figure:
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(place / "bytecode")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    started = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE)
    told = process.stdout.read().decode() if process.stdout else ""
    _pid, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    cpu = used.ru_utime + used.ru_stime
    if command[: len(INSIDE)] == INSIDE:
        wall, cpu = (float(text) for text in told.split())
    return Figure(wall, cpu, used.ru_maxrss / 1024)


def _peers(repository: Path, old: str, new: str, place: Path) -> dict[str, list[str]]:
    """Commands of the official tools for the same work, where they are installed."""
    modules = os.environ.get("GATEHOUSE_SDR")
    if not modules:
        return {}
    node = os.environ.get("GATEHOUSE_NODE", "node")
    project = place / "project"
    subprocess.run(["git", "clone", "-q", "--shared", str(repository), str(project)], check=True)
    sample.git(project / ".git", f"--work-tree={project}", "checkout", "-q", "--detach", new)
    script = Path(__file__).parents[2] / "tests/metadata/differential/convert.cjs"
    found = {"convert": [node, str(script), modules, str(project), str(place / "sdr"), "force-app"]}
    if (Path(modules) / "sfdx-git-delta").is_dir():
        shutil.rmtree(place / "sgd", ignore_errors=True)
        (place / "sgd").mkdir()
        call = (
            f"const made = require({modules + '/sfdx-git-delta'!r}); (made.default || made)("
            f"{{from: {old!r}, to: {new!r}, repo: {str(project)!r}, output: {str(place / 'sgd')!r},"
            "source: ['.'], apiVersion: 60})"
        )
        found["delta"] = [node, "-e", call]
    return found


if __name__ == "__main__":
    sys.exit(main())
