"""Globs of ``replacements`` mean what they mean to the official tools, in bounded time."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from core.errors import InvalidInput
from metadata.convert import globs
from metadata.convert.commit import convert
from metadata.mirrors import Mirror
from tests.metadata.repositories import BASE, CLASS_META, PROJECT, Repo

MEANT = {
    "{a,b}.cls": (["x/a.cls", "b.cls"], ["x/c.cls", "{a,b}.cls"]),
    "{One,Two}/**/*.{cls,page}": (["One/x/y.cls", "p/Two/y.page"], ["One/y.trigger", "y.cls"]),
    "{a,{b,c}d}.cls": (["a.cls", "bd.cls", "cd.cls"], ["d.cls", "b.cls"]),
    "{a{b,c}}.cls": (["{ab}.cls", "{ac}.cls"], ["ab.cls"]),
    "{a}{b,c}.cls": (["{a}b.cls"], ["ab.cls"]),
    "x{,y}.cls": (["x.cls", "xy.cls"], ["y.cls"]),
    "{**/a,b}.cls": (["q/a.cls", "q/b.cls"], ["q.cls"]),
    "a{1..3}.cls": (["a2.cls"], ["a4.cls", "a{1..3}.cls"]),
    "a{3..1..2}.cls": (["a3.cls", "a1.cls"], ["a2.cls"]),
    "a{01..10}.cls": (["a02.cls", "a10.cls"], ["a2.cls"]),
    "a{b..d}.cls": (["ac.cls"], ["ae.cls"]),
    r"a\{b,c\}.cls": (["a{b,c}.cls"], ["ab.cls"]),
    "${a,b}.cls": (["${a,b}.cls"], ["$a.cls"]),
    "{}.cls": (["{}.cls"], ["a.cls"]),
    "{a.cls": (["{a.cls"], ["a.cls"]),
    "[!a]b.cls": (["xb.cls"], ["ab.cls"]),
    "a/../b/*.cls": (["b/x.cls"], ["a/b.cls"]),
    "./a.cls": ([], ["a.cls"]),
    "a/": ([], ["a/b.cls", "a"]),
    "*.cls": (["a.cls"], [".a.cls", ".x/a.cls", "A.CLS"]),
    ".x/*.cls": ([".x/a.cls"], ["x/a.cls"]),
}
"""Each glob with paths that it means and paths that it does not, as minimatch 9 says."""


@pytest.mark.parametrize(("glob", "paths"), MEANT.items(), ids=MEANT.keys())
def test_glob_means_what_the_official_tools_take_it_for(
    glob: str, paths: tuple[list[str], list[str]]
) -> None:
    matches = globs.matcher(glob)
    meant, other = paths
    assert [path for path in meant if not matches(path)] == []
    assert [path for path in other if matches(path)] == []


@pytest.mark.parametrize(
    "glob",
    [
        "{a,b}" * 60,
        "{1..999999999}",
        f"{{1..{'9' * 300}}}",
        "{{1..150},{1..150}}",
        "{{1..20},x}{1..20}",
        "a" * 501,
    ],
)
def test_glob_that_stands_for_too_many_is_refused_at_once(glob: str) -> None:
    began = time.process_time()
    with pytest.raises(InvalidInput) as refusal:
        globs.matcher(glob)
    assert refusal.value.code == "metadata.replacement"
    assert time.process_time() - began < 1


@pytest.mark.parametrize("glob", ["{" * 450, "{" * 200 + "}" * 200, "{,}" * 7 + "," * 400])
def test_glob_full_of_braces_is_read_at_once(glob: str) -> None:
    began = time.process_time()
    assert not globs.matcher(glob)("force-app/classes/A.cls")
    assert time.process_time() - began < 1


def test_replacement_is_made_in_files_that_a_glob_with_braces_names(tmp_path: Path) -> None:
    project = json.loads(PROJECT)
    entry = {"stringToReplace": "@X@", "replaceWithFile": "value.txt"}
    project["replacements"] = [
        {**entry, "glob": "**/{A,B}.cls"},
        {**entry, "glob": "**/@(C|D).cls"},
    ]
    repo = Repo(tmp_path / "r")
    files: dict[str, str | bytes | None] = {
        "sfdx-project.json": json.dumps(project),
        "value.txt": "made",
    }
    for name in "ABC":
        files[f"{BASE}/classes/{name}.cls"] = "@X@"
        files[f"{BASE}/classes/{name}.cls-meta.xml"] = CLASS_META
    made = convert(Mirror(repo.path / ".git"), repo.commit(files))
    held = [made.files[f"classes/{name}.cls"] for name in "ABC"]
    assert held == [b"made", b"made", b"@X@"]
    [warning] = made.warnings
    assert "round brackets; use braces" in warning
