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
import hashlib
import importlib.machinery
import importlib.util
import io
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FORMAT = "gatehouse-evidence/2"
MANIFEST = "manifest.json"
SIGNATURE = "manifest.json.sig"
KEYS = "public_keys.json"
EVENTS = "events.jsonl"
UNLISTED = {MANIFEST, SIGNATURE}
PARTS = ("verify_history", "verify_stories")
UNREADABLE = (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError)
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
    if isinstance(sys.stdout, io.TextIOWrapper):  # a terminal that knows fewer letters than names
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        manifest = _manifest(given.folder)
        history, stories = (_part(name, given.folder, manifest) for name in PARTS)
    except Broken as broken:
        return _failed(str(broken))
    except UNREADABLE as error:
        return _failed(f"the list of files cannot be read ({type(error).__name__}: {error})")
    words = []
    try:
        for line in verify(given, manifest, history, stories):
            words.append(line)
    except (Broken, history.Broken, stories.Broken) as broken:
        return _failed(str(broken))
    except UNREADABLE as error:
        return _failed(f"the pack cannot be read ({type(error).__name__}: {error})")
    print("\n".join(["PASS", *words, *not_shown(given.key, given.checkpoints)]))
    return 0


def _failed(why: str) -> int:
    print(f"FAIL: {why}")
    return 1


def verify(given: Any, manifest: dict[str, Any], history: Any, stories: Any) -> Iterator[str]:
    """Yield a line per part that holds; raises Broken at the first that does not."""
    folder, outside = given.folder, given.checkpoints
    if not (folder / KEYS).is_file():
        raise Broken(KEYS, "is missing")
    keys = history.read_keys(folder, given.key)
    yield _signed(folder, history, keys)
    yield _files(folder, manifest, history)
    yield from _history(folder, history, keys, manifest, outside)
    yield from _stories(folder, manifest, stories)


def not_shown(key: str, outside: Path | None) -> Iterator[str]:
    """What a pass says nothing about, as long as you hold nothing of your own."""
    if not key:
        yield (
            "NOT SHOWN: who signed. No public key of your own was given (--key): the pack's own "
            "was believed, and somebody who made up the whole pack would have put his there"
        )
    if outside is None:
        yield (
            "NOT SHOWN: that the history was not rewritten as a whole, or cut off at its end, "
            "before the pack was made. No checkpoints of your own were given (--checkpoints)"
        )


class _Source(importlib.machinery.SourceFileLoader):
    """Reads the source and no compiled copy of it, nor leaves one."""

    def path_stats(self, path: Any) -> Any:
        """Say that nobody knows how old the source is, so that no copy is as old."""
        raise OSError(path)


def _part(name: str, folder: Path, manifest: dict[str, Any]) -> Any:
    """Load a part of this program that lies beside it.

    A compiled copy in __pycache__ could be another program and is never read. A part that came
    with the pack is compared with the list first: a damaged one could say anything.
    """
    path = Path(__file__).resolve().parent / f"{name}.py"
    listed = {entry["path"]: entry for entry in manifest["files"]}
    if path.parent == folder.resolve() and path.name in listed:
        _file(folder, path.name, listed[path.name])
    elif not path.is_file():
        raise Broken(path.name, "is missing beside verify.py")
    loader = _Source(name, str(path))
    spec = importlib.machinery.ModuleSpec(name, loader, origin=str(path))
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def _signed(folder: Path, history: Any, keys: dict[str, bytes]) -> str:
    raw = (folder / MANIFEST).read_bytes()
    place = folder / SIGNATURE
    if not place.is_file():
        raise Broken(SIGNATURE, "is missing")
    signed = history.read_json(place.read_bytes(), SIGNATURE)
    where = f"{SIGNATURE} (or {MANIFEST}, or {KEYS})"
    history.check_signature(keys, signed, b"gatehouse-manifest\n" + raw, where)
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
    first, last = history.check_events(folder / EVENTS, found)
    told = manifest["history"]
    if [first, last] != [told["first_position"], told["last_position"]]:
        raise Broken(EVENTS, f"holds positions {first} to {last}, not those of the manifest")
    sealed = max((position for position in found.at if first <= position <= last), default=0)
    newer = last - max(sealed, first - 1)
    claimed = told["covered_by_checkpoints_until"]
    if own and sealed < claimed:
        raise Broken("checkpoints.jsonl", f"ends before position {claimed} of the manifest")
    if claimed and not own:
        raise Broken("checkpoints.jsonl", "holds no checkpoint")
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
    if found.get("format") != FORMAT:
        raise Broken(MANIFEST, "is of another format than this program knows")
    return dict(found)


def _files(folder: Path, manifest: dict[str, Any], history: Any) -> str:
    listed = {entry["path"]: entry for entry in manifest["files"]}
    if len(listed) != len(manifest["files"]):
        raise Broken(MANIFEST, "lists a file twice")
    for path, entry in sorted(listed.items()):
        try:
            _file(folder, path, entry)
        except Broken:
            if path == EVENTS and (folder / path).is_file():
                history.check_events(folder / path, history.Checkpoints())  # names the row
            raise
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


def _stories(folder: Path, manifest: dict[str, Any], stories: Any) -> Iterator[str]:
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
    population = _population(folder, records, stories)
    yield from stories.compare(folder, manifest, sorted(records), population)


def _population(folder: Path, records: set[str], stories: Any) -> set[str]:
    """Every row has its record and every record its row; returns the ids of the attempts."""
    named, changes = set(), set()
    for number, row in enumerate(stories.rows_of(folder, "population.csv"), start=1):
        where = f"population.csv, row {number}"
        if row["record"] not in records:
            raise Broken(where, f"names {row['record']}, which is not in the pack")
        if row["record"] in named:
            raise Broken(where, f"names {row['record']} a second time")
        named.add(row["record"])
        changes.add(row["change"])
        _same(where, row, json.loads((folder / row["record"]).read_bytes()))
    if records - named:
        raise Broken(min(records - named), "is in no row of population.csv")
    return changes


def _same(where: str, row: dict[str, str], record: dict[str, Any]) -> None:
    pairs = (
        ("change", record["identity"]["change_id"]),
        ("outcome", record["identity"]["outcome_code"]),
        ("artefact", record["what"]["artefact"]["digest"]),
        ("started (UTC)", record["execution"]["started_at"] or ""),
        ("approvals", str(record["authorisation"]["obtained"])),
        ("subject digest", _bound(record)),
    )
    for column, told in pairs:
        if row[column] != told:
            raise Broken(where, f"says {column} {row[column]!r}, its record says {told!r}")


def _bound(record: dict[str, Any]) -> str:
    digest = record["execution"]["bound_subject_digest"]
    return "" if digest == "not recorded" else str(digest)


if __name__ == "__main__":
    sys.exit(main())
