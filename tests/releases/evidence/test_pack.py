"""A pack: complete, verifiable with nothing but itself, and it names what was bent."""

from __future__ import annotations

import csv
import importlib.util
import json
import py_compile
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from releases.models import Deployment, EvidencePack
from tests.releases.evidence import forging
from tests.releases.evidence.conftest import Unpack, verify


def rows(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / name).open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


def test_untouched_pack_passes_with_only_the_pack_in_hand(
    period_pack: EvidencePack, unpack: Unpack
) -> None:
    assert period_pack.state == "ready", period_pack.message
    folder = unpack(period_pack)
    code, said = verify(folder)
    assert (code, said.splitlines()[0]) == (0, "PASS"), said
    assert not (folder / "__pycache__").exists()
    manifest = json.loads((folder / "manifest.json").read_text())
    assert {entry["path"] for entry in manifest["files"]} >= {
        "README.txt",
        "access.csv",
        "checkpoints.jsonl",
        "events.jsonl",
        "exceptions.csv",
        "population.csv",
        "public_keys.json",
        "reconciliation.csv",
        "requests.csv",
        "verify.py",
    }


def test_population_is_every_attempt_on_protected_environments(
    period_pack: EvidencePack, unpack: Unpack
) -> None:
    listed = {row["change"] for row in rows(unpack(period_pack), "population.csv")}
    production = Deployment.objects.filter(environment__track__kind="production")
    assert listed == {row.public_id for row in production}
    assert listed


Bend = Callable[[Path], None]


def replace(name: str, old: bytes, new: bytes) -> Bend:
    def bend(folder: Path) -> None:
        content = (folder / name).read_bytes()
        assert old in content
        (folder / name).write_bytes(content.replace(old, new, 1))

    return bend


def lines(name: str, change: Callable[[list[bytes]], list[bytes]]) -> Bend:
    def bend(folder: Path) -> None:
        found = (folder / name).read_bytes().splitlines(keepends=True)
        (folder / name).write_bytes(b"".join(change(found)))

    return bend


def first_change(folder: Path) -> Path:
    return min((folder / "changes").glob("*.json"))


def change_a_record(folder: Path) -> None:
    path = first_change(folder)
    path.write_text(path.read_text().replace('"succeeded"', '"cancelled"', 1))


def add_a_document(folder: Path) -> None:
    (folder / "changes" / "D-9999.pdf").write_bytes(b"%PDF")


BENT: dict[str, tuple[Bend, str]] = {
    "a byte of a table": (
        replace("population.csv", b"succeeded", b"cancelled"),
        "population.csv, row 1: was changed",
    ),
    "a row taken out": (
        lines("population.csv", lambda rows: [*rows[:2], *rows[3:]]),
        "population.csv, row 2: was changed, moved or taken out",
    ),
    "the last row taken out": (
        lines("access.csv", lambda rows: rows[:-1]),
        "access.csv, row",
    ),
    "a row added": (
        lines("requests.csv", lambda rows: [*rows, rows[-1]]),
        "requests.csv, row 2: was added",
    ),
    "two rows swapped": (
        lines("population.csv", lambda rows: [rows[0], rows[2], rows[1], *rows[3:]]),
        "population.csv, row 1",
    ),
    "an event dropped": (
        lines("events.jsonl", lambda rows: [*rows[:3], *rows[4:]]),
        "position 5): follows position 3",
    ),
    "a word of an event": (
        lines("events.jsonl", lambda rows: [*rows[:6], rows[6].replace(b"a", b"e", 1), *rows[7:]]),
        "events.jsonl line 7",
    ),
    "a part of the program": (
        replace("verify_stories.py", b"def hear", b"def near"),
        "verify_stories.py: was changed",
    ),
    "the keys": (
        lambda folder: (folder / "public_keys.json").unlink(),
        "public_keys.json: is missing",
    ),
    "a record": (change_a_record, "changes/D-"),
    "a file removed": (lambda folder: first_change(folder).unlink(), "is missing"),
    "a file added": (
        add_a_document,
        "changes/D-9999.pdf: is not listed in the manifest",
    ),
    "the manifest": (replace("manifest.json", b'"made_for"', b'"made_For"'), "manifest.json.sig"),
    "no signature": (lambda folder: (folder / "manifest.json.sig").unlink(), "manifest.json.sig"),
}


def test_verifier_names_the_first_thing_that_was_bent(
    period_pack: EvidencePack, unpack: Unpack, tmp_path: Path
) -> None:
    folder = unpack(period_pack)
    wrong = {}
    for name, (bend, named) in BENT.items():
        copy = tmp_path / "bent"
        shutil.copytree(folder, copy)
        bend(copy)
        code, said = verify(copy)
        if code != 1 or not said.startswith("FAIL") or named not in said:
            wrong[name] = said
        shutil.rmtree(copy)
    assert wrong == {}


def test_i35_the_broken_row_is_named_on_a_terminal_that_knows_ascii_alone(
    period_pack: EvidencePack, unpack: Unpack
) -> None:
    folder = unpack(period_pack)
    replace("access.csv", "Novák".encode(), "Nowák".encode())(folder)
    command = [sys.executable, "-S", str(folder / "verify.py")]
    plain = {"PYTHONIOENCODING": "ascii", "TZ": "Asia/Kathmandu", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=plain)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("FAIL: access.csv, row ")
    assert "Now\\xe1k" in done.stdout


def test_i35_a_compiled_copy_in_the_pack_is_not_the_program_that_runs(
    period_pack: EvidencePack, unpack: Unpack
) -> None:
    """Python prefers one that says of itself that nobody need compare it with its source."""
    folder = unpack(period_pack)
    for name in ("verify_history", "verify_stories"):
        bent = folder / f"{name}.txt"
        bent.write_text('print("PASS"); raise SystemExit(0)')
        place = importlib.util.cache_from_source(str(folder / f"{name}.py"))
        unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
        py_compile.compile(str(bent), place, invalidation_mode=unchecked)
        bent.unlink()
    code, said = verify(folder)
    assert (code, "is not listed in the manifest" in said) == (1, True)
    assert said.startswith("FAIL: __pycache__")


def test_list_rewritten_without_signing_it_fails(period_pack: EvidencePack, unpack: Unpack) -> None:
    """Whoever rewrites files and the list of their digests still cannot sign the list."""
    folder = unpack(period_pack)
    kept = (folder / "manifest.json.sig").read_bytes()
    keys = (folder / "public_keys.json").read_bytes()
    points = (folder / "checkpoints.jsonl").read_bytes()
    replace("access.csv", b"Ana Keller", b"Eve Keller")(folder)
    forging.sign_anew(folder)
    for name, content in (
        ("manifest.json.sig", kept),
        ("public_keys.json", keys),
        ("checkpoints.jsonl", points),
    ):
        (folder / name).write_bytes(content)
    where = "manifest.json.sig (or manifest.json, or public_keys.json)"
    assert verify(folder) == (1, f"FAIL: {where}: the signature does not fit\n")


def test_access_tells_who_could_do_what_and_each_change(
    period_pack: EvidencePack, unpack: Unpack
) -> None:
    told = rows(unpack(period_pack), "access.csv")
    assert {row["when"] for row in told} == {"granted", "at the end"}
    ana = next(row for row in told if row["person"] == "Ana Keller" and row["when"] == "at the end")
    assert "Production v1" in ana["may approve under"]
    assert (ana["may deploy"], ana["role"]) == ("no", "board member")
    marek = next(
        row for row in told if row["person"] == "Marek Novák" and row["when"] == "at the end"
    )
    assert "Production v1" not in marek["may approve under"]
    assert all(row["by"] and row["role held since (UTC)"] for row in told)
    assert not any(row["person"] == "Lena Vogt" for row in told)


def test_memory_does_not_grow_with_the_table(tmp_path: Path) -> None:
    """A file of 200,000 rows is written in the memory of one row, but for 16 digits each."""
    import tracemalloc

    from releases.evidence.archive import Archive

    with (tmp_path / "big.zip").open("wb") as target, Archive(target, "x") as archive:
        tracemalloc.start()
        archive.lines(
            "events.jsonl", ({"id": number, "body": "x" * 900} for number in range(40_000))
        )
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 3_000_000
