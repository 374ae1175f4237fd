"""Salesforce's own converter and public projects, where this machine has them.

``GATEHOUSE_SDR`` names a ``node_modules`` with @salesforce/source-deploy-retrieve,
``GATEHOUSE_NODE`` a Node that runs it (22 or later; default ``node``), ``GATEHOUSE_PROJECTS`` a
directory of bare Git repositories (``<name>/repo`` or ``<name>.git``).
"""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from metadata.mirrors import Mirror
from metadata.objects import LINK, SUBMODULE
from metadata.repository import Repository

SCRIPT = Path(__file__).with_name("convert.cjs")
ASKED = {"SF_APPLY_REPLACEMENTS_ON_CONVERT": "true"}
BRANCHES = ("main", "master")


@dataclass(frozen=True)
class Official:
    """What the official converter made."""

    files: dict[str, bytes]
    manifest: dict[str, set[str]]


def missing() -> str:
    """Why the comparison cannot run here; empty when it can."""
    if not os.environ.get("GATEHOUSE_SDR"):
        return "GATEHOUSE_SDR names no node_modules with @salesforce/source-deploy-retrieve"
    if not projects():
        return "GATEHOUSE_PROJECTS names no directory of bare repositories"
    return ""


def projects() -> list[Path]:
    """Bare repositories to compare."""
    root = os.environ.get("GATEHOUSE_PROJECTS")
    if not root:
        return []
    found = [*Path(root).glob("*/repo"), *Path(root).glob("*.git")]
    return sorted(path for path in found if (path / "HEAD").is_file())


def head(mirror: Repository) -> str:
    """The main branch of a project."""
    branches = mirror.refs().branches
    return next((branches[name] for name in BRANCHES if name in branches), "")


def check_out(mirror: Mirror, sha: str, target: Path) -> bool:
    """Write a commit's files but links and submodules; whether the snapshot lacks contents."""
    found = mirror.tree(sha)
    asked = "".join(f"{entry.blob}\n" for entry in found.values()).encode()
    held = mirror.run.text("cat-file", "--batch-check", given=asked).splitlines()
    lost = {path for path, line in zip(found, held, strict=True) if line.endswith("missing")}
    tree = {
        path: entry
        for path, entry in found.items()
        if entry.mode not in (LINK, SUBMODULE) and path not in lost
    }
    contents = mirror.blobs(entry.blob for entry in tree.values())
    for path, content in zip(tree, contents, strict=True):
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        (target / path).write_bytes(content)
    return any(found[path].mode != SUBMODULE for path in lost)


def committed(project: Path, target: Path) -> tuple[Mirror, str]:
    """The files of a directory as a commit of their own repository."""
    git = ["git", f"--git-dir={target}", f"--work-tree={project}"]
    person = ["-c", "user.name=Dana Fox", "-c", "user.email=dana@northwind.example"]
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(target)], check=True)
    (target / "info" / "attributes").write_text("* -text -filter -ident\n")
    subprocess.run([*git, "add", "--all", "--force"], check=True)
    subprocess.run([*git, *person, "commit", "-q", "-m", "what the snapshot holds"], check=True)
    mirror = Mirror(target)
    return mirror, head(mirror)


def node() -> str:
    """The Node that runs the peers."""
    return os.environ.get("GATEHOUSE_NODE", "node")


def convert(project: Path, output: Path, directories: tuple[str, ...]) -> Official:
    """Run the official converter; raises RuntimeError with its words when it refuses."""
    done = subprocess.run(
        [
            node(),
            str(SCRIPT),
            os.environ["GATEHOUSE_SDR"],
            str(project),
            str(output),
            *directories,
        ],
        env={**os.environ, **ASKED, "HOME": str(output.parent)},
        capture_output=True,
        check=True,
        timeout=300,
    )
    answer = json.loads(done.stdout)
    if answer["failure"]:
        raise RuntimeError(answer["failure"])
    files = {
        str(path.relative_to(output)): path.read_bytes()
        for path in output.rglob("*")
        if path.is_file() and path != output / "package.xml"
    }
    return Official(files, {name: set(members) for name, members in answer["manifest"].items()})
