#!/usr/bin/env python3
"""Verify the evidence pack that this file lies in. Needs Python 3.9 or later and nothing else.

    python3 verify.py [FOLDER] [--key BASE64] [--checkpoints FILE_OR_FOLDER]

Checks, in this order: the signature of the manifest; that every file listed is there, is the one
that was written, and that none was added; the chain of the history and its signed checkpoints;
that tables, records and history tell the same story. Prints PASS and ends with 0, or names the
first file or row that does not match and ends with 1.

Give the public key (--key) and the checkpoints (--checkpoints) that you received at the time:
without them a pack that somebody made up as a whole would pass.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import importlib.util
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MANIFEST = "manifest.json"
SIGNATURE = "manifest.json.sig"
HISTORY_PART = "verify_history.py"
UNLISTED = {MANIFEST, SIGNATURE}
ROW_DIGITS = 16
BLOCK = 1 << 20


class Broken(Exception):
    """The first thing that does not match: where, and what."""

    def __init__(self, where: str, what: str) -> None:
        super().__init__(f"{where}: {what}")


def main(arguments: list[str] | None = None) -> int:
    """Verify and say what came of it."""
    parser = argparse.ArgumentParser(description="Verify an evidence pack of Gatehouse.")
    here = Path(__file__).resolve().parent
    parser.add_argument("folder", nargs="?", type=Path, default=here)
    parser.add_argument("--key", default="", help="the public key that you noted, in base64")
    parser.add_argument("--checkpoints", type=Path, help="checkpoints that you keep yourself")
    given = parser.parse_args(arguments)
    history = _history_part(given.folder)
    words = []
    try:
        for line in verify(given.folder, history, given.key, given.checkpoints):
            words.append(line)
    except (Broken, history.Broken) as broken:
        print(f"FAIL: {broken}")
        return 1
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        print(f"FAIL: the pack cannot be read ({type(error).__name__}: {error})")
        return 1
    print("\n".join(["PASS", *words]))
    return 0


def verify(folder: Path, history: Any, key: str, outside: Path | None) -> Iterator[str]:
    """Yield a line per part that holds; raises Broken at the first that does not."""
    manifest = _manifest(folder)
    keys = history.read_keys(folder, key)
    yield _signed(folder, history, keys)
    yield _files(folder, manifest)
    yield from _history(folder, history, keys, manifest, outside)
    yield _stories(folder, manifest)
    if not key:
        yield "no public key of your own was given (--key): the pack's own was believed"
    if outside is None:
        yield "no checkpoints of your own were given (--checkpoints)"


def _history_part(folder: Path) -> Any:
    """Load the program for the chain that lies beside this one."""
    path = Path(__file__).resolve().parent / HISTORY_PART
    spec = importlib.util.spec_from_file_location("verify_history", path)
    if not path.is_file() or spec is None or spec.loader is None:
        print(f"FAIL: {HISTORY_PART} is missing beside verify.py")
        sys.exit(1)
    sys.dont_write_bytecode = True
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def _signed(folder: Path, history: Any, keys: dict[str, bytes]) -> str:
    raw = (folder / MANIFEST).read_bytes()
    place = folder / SIGNATURE
    if not place.is_file():
        raise Broken(SIGNATURE, "is missing")
    signed = history.read_json(place.read_bytes(), SIGNATURE)
    history.check_signature(keys, signed, b"gatehouse-manifest\n" + raw, SIGNATURE)
    return f"manifest.json is signed with key {signed['key']}"


def _history(
    folder: Path,
    history: Any,
    keys: dict[str, bytes],
    manifest: dict[str, Any],
    outside: Path | None,
) -> Iterator[str]:
    """The chain of the stretch that the pack carries, held against every checkpoint there is."""
    found = history.Checkpoints()
    history.check_checkpoints(folder / "checkpoints.jsonl", keys, found)
    own = found.count
    if outside is not None:
        history.check_outside(outside, keys, found)
    first, last = history.check_events(folder / "events.jsonl", found)
    told = manifest["history"]
    if [first, last] != [told["first_position"], told["last_position"]]:
        raise Broken(
            "events.jsonl", f"holds positions {first} to {last}, not those of the manifest"
        )
    sealed = max((position for position in found.at if first <= position <= last), default=0)
    newer = last - max(sealed, first - 1)
    yield f"the history is whole from position {first} to {last}; {own} checkpoints in the pack"
    if outside is not None:
        inside = sum(1 for position in found.at if first <= position <= last)
        yield f"{found.count - own} checkpoints given by you; {inside} positions compared"
    if newer:
        yield f"{newer} events are newer than the last checkpoint that covers them"


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / MANIFEST).read_bytes())
    except (OSError, ValueError) as error:
        raise Broken(MANIFEST, f"cannot be read ({error})") from None
    if found.get("format") != "gatehouse-evidence/1":
        raise Broken(MANIFEST, "is of another format than this program knows")
    return dict(found)


def _files(folder: Path, manifest: dict[str, Any]) -> str:
    listed = {entry["path"]: entry for entry in manifest["files"]}
    if len(listed) != len(manifest["files"]):
        raise Broken(MANIFEST, "lists a file twice")
    for path, entry in sorted(listed.items()):
        _file(folder, path, entry)
    present = {
        str(Path(where, name).relative_to(folder)).replace(os.sep, "/")
        for where, _, names in os.walk(folder)
        for name in names
    }
    added = sorted(present - set(listed) - UNLISTED)
    if added:
        raise Broken(added[0], "is not listed in the manifest: it was added later")
    return f"{len(listed)} files are the ones that were written"


def _file(folder: Path, path: str, entry: dict[str, Any]) -> None:
    if ".." in path.split("/") or path.startswith("/"):
        raise Broken(MANIFEST, f"lists a path outside of the pack: {path}")
    where = folder / path
    if where.is_symlink() or not where.is_file():
        raise Broken(path, "is missing")
    digest = hashlib.sha256()
    with where.open("rb") as opened:
        for piece in iter(lambda: opened.read(BLOCK), b""):
            digest.update(piece)
    if digest.hexdigest() == entry["sha256"]:
        return
    if "row_digests" in entry:
        _first_row(where, path, entry["row_digests"])
    raise Broken(path, f"was changed: its SHA-256 is {digest.hexdigest()}")


def _first_row(where: Path, path: str, expected: list[str]) -> None:
    number = -1
    for number, row in enumerate(csv_rows(where)):
        name = f"row {number}" if number else "the head"
        if number >= len(expected):
            raise Broken(f"{path}, {name}", f"was added: {_shown(row)}")
        if hashlib.sha256(row).hexdigest()[:ROW_DIGITS] != expected[number]:
            raise Broken(f"{path}, {name}", f"was changed, moved or taken out: {_shown(row)}")
    if number + 1 < len(expected):
        raise Broken(f"{path}, row {number + 1}", "is missing")


def csv_rows(where: Path) -> Iterator[bytes]:
    """The rows of a CSV file as bytes; a line end inside quotes belongs to its row."""
    row, quotes = b"", 0
    with where.open("rb") as opened:
        for line in opened:
            row += line
            quotes += line.count(b'"')
            if quotes % 2 == 0 and line.endswith(b"\r\n"):
                yield row
                row, quotes = b"", 0
    if row:
        yield row


def _shown(row: bytes) -> str:
    text = row.decode("utf-8", "replace").strip()
    return text if len(text) < 100 else f"{text[:100]}…"


def _stories(folder: Path, manifest: dict[str, Any]) -> str:
    """Tables, records and history must name each other completely."""
    for path, number in manifest["counts"].items():
        entry: dict[str, Any] = next(
            (each for each in manifest["files"] if each["path"] == path), {}
        )
        if entry.get("rows") != number:
            raise Broken(path, f"has {entry.get('rows')} rows, the manifest counts {number}")
    records = {
        entry["path"]
        for entry in manifest["files"]
        if entry["path"].startswith("changes/") and entry["path"].endswith(".json")
    }
    wanted = _event_digests(folder, sorted(records))
    told = 0
    with (folder / "events.jsonl").open("rb") as opened:
        for line in opened:
            told += _told(line, wanted)
    if wanted:
        number, (path, _) = min(wanted.items())
        raise Broken(path, f"names event H-{number}, which events.jsonl does not have")
    _population(folder, records)
    return f"{len(records)} records, {told} of their events and all tables tell the same story"


def _event_digests(folder: Path, records: list[str]) -> dict[int, tuple[str, str]]:
    found: dict[int, tuple[str, str]] = {}
    for path in records:
        record = json.loads((folder / path).read_bytes())
        for event in record["integrity"]["events"]:
            number = int(event["event"].split("-")[1])
            known = found.setdefault(number, (path, event["body_digest"]))
            if known[1] != event["body_digest"]:
                raise Broken(path, f"has another digest of event H-{number} than {known[0]}")
    return found


def _told(line: bytes, wanted: dict[int, tuple[str, str]]) -> int:
    event = json.loads(line)
    number = int(event["id"])
    if number not in wanted:
        return 0
    path, digest = wanted.pop(number)
    if "sha256:" + hashlib.sha256(event["body"].encode("utf-8")).hexdigest() != digest:
        raise Broken(path, f"has another digest of event H-{number} than events.jsonl")
    return 1


def _population(folder: Path, records: set[str]) -> None:
    named = set()
    with (folder / "population.csv").open(encoding="utf-8", newline="") as opened:
        for number, row in enumerate(csv.DictReader(opened), start=1):
            where = f"population.csv, row {number}"
            if row["record"] not in records:
                raise Broken(where, f"names {row['record']}, which is not in the pack")
            if row["record"] in named:
                raise Broken(where, f"names {row['record']} a second time")
            named.add(row["record"])
            _same(where, row, json.loads((folder / row["record"]).read_bytes()))
    if records - named:
        raise Broken(min(records - named), "is in no row of population.csv")


def _same(where: str, row: dict[str, str], record: dict[str, Any]) -> None:
    pairs = (
        ("change", record["identity"]["change_id"]),
        ("outcome", record["identity"]["outcome_code"]),
        ("artefact", record["what"]["artefact"]["digest"]),
        ("started (UTC)", record["execution"]["started_at"] or ""),
    )
    for column, told in pairs:
        if row[column] != told:
            raise Broken(where, f"says {column} {row[column]!r}, its record says {told!r}")


if __name__ == "__main__":
    sys.exit(main())
