"""What somebody could do to a pack who signs whatever he likes with a key of his own."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nacl.signing import SigningKey

Bend = Callable[[Path], None]
OWN = SigningKey(bytes(range(32)))
KEY = "mine"


def signed(word: bytes, message: bytes) -> str:
    return base64.b64encode(OWN.sign(word + b"\n" + message).signature).decode()


def sign_anew(folder: Path) -> None:
    """Make list, counts, key and signature fit whatever now lies in the folder."""
    public = base64.b64encode(bytes(OWN.verify_key)).decode()
    (folder / "public_keys.json").write_text(json.dumps({KEY: public}))
    again(folder / "checkpoints.jsonl", checkpoint_by_own_key)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"] = [each for each in manifest["files"] if (folder / each["path"]).is_file()]
    for entry in manifest["files"]:
        content = (folder / entry["path"]).read_bytes()
        entry.update(sha256=hashlib.sha256(content).hexdigest(), size=len(content))
        if entry["path"] in manifest["counts"]:
            rows = table_rows(content) if entry["path"].endswith(".csv") else content.count(b"\n")
            entry["rows"] = manifest["counts"][entry["path"]] = rows
            entry.pop("row_digests", None)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    signature = signed(b"gatehouse-manifest", (folder / "manifest.json").read_bytes())
    (folder / "manifest.json.sig").write_text(json.dumps({"key": KEY, "signature": signature}))


def table_rows(content: bytes) -> int:
    return len(list(csv.reader(io.StringIO(content.decode(), newline="")))) - 1


def checkpoint_by_own_key(row: dict[str, Any]) -> dict[str, Any]:
    signature = signed(b"gatehouse-checkpoint", row["body"].encode())
    return {**row, "key": KEY, "signature": signature}


def again(path: Path, change: Callable[[dict[str, Any]], dict[str, Any] | None]) -> None:
    """Write a file of JSON lines again; a line that becomes None is left out."""
    rows = [change(json.loads(line)) for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows if row is not None))


def without_rows(folder: Path, name: str, unwanted: Callable[[dict[str, str]], bool]) -> None:
    """Take rows out of a table."""
    with (folder / name).open(encoding="utf-8", newline="") as opened:
        table = csv.DictReader(opened)
        kept = [row for row in table if not unwanted(row)]
    with (folder / name).open("w", encoding="utf-8", newline="") as opened:
        writer = csv.DictWriter(opened, list(table.fieldnames or ()), lineterminator="\r\n")
        writer.writeheader()
        writer.writerows(kept)


def decided(folder: Path) -> Path:
    """The record of an attempt that people answered about."""
    for path in sorted((folder / "changes").glob("*.json")):
        if json.loads(path.read_text())["authorisation"]["decisions"]:
            return path
    raise AssertionError("nobody decided anything in this pack")


def edit(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    record = json.loads(path.read_text())
    change(record)
    path.write_text(json.dumps(record))


def drop_attempt(folder: Path) -> None:
    """An execution, its row and its papers are gone; what happened stays told."""
    name = decided(folder).stem
    for end in ("json", "pdf"):
        (folder / f"changes/{name}.{end}").unlink()
    without_rows(folder, "population.csv", lambda row: row["change"] == name)
    without_rows(folder, "reconciliation.csv", lambda row: row["change"] == name)


def drop_attempt_and_events(folder: Path) -> None:
    """The same, and the history is written anew without it, hashes and checkpoints fitting."""
    name = decided(folder).stem
    drop_attempt(folder)
    again(
        folder / "events.jsonl",
        lambda row: None if name in json.loads(row["body"])["related"] else row,
    )
    forget_events(folder)
    rebuild_chain(folder)


def forget_events(folder: Path) -> None:
    """Other records no longer name what the history no longer has."""
    known = {
        f"H-{json.loads(line)['id']}" for line in (folder / "events.jsonl").read_text().splitlines()
    }
    for path in sorted((folder / "changes").glob("*.json")):
        edit(
            path,
            lambda record: record["integrity"].update(
                events=[each for each in record["integrity"]["events"] if each["event"] in known]
            ),
        )


def rebuild_chain(folder: Path) -> None:
    """Number and link the events again, and have every checkpoint seal what is there now."""
    rows = [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]
    previous, first = bytes.fromhex(rows[0]["previous"]), rows[0]["position"]
    hashes = {}
    for position, row in enumerate(rows, start=first):
        body = hashlib.sha256(row["body"].encode()).digest()
        places = position.to_bytes(8, "big") + row["id"].to_bytes(8, "big")
        own = hashlib.sha256(previous + places + body).digest()
        row.update(position=position, previous=previous.hex(), hash=own.hex())
        hashes[position], previous = own.hex(), own
    last = first + len(rows) - 1
    (folder / "events.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    linked = ""

    def seal(row: dict[str, Any]) -> dict[str, Any]:
        nonlocal linked
        body = json.loads(row["body"])
        place = min(body["position"], last)
        body |= {"position": place, "hash": hashes[place], "previous": linked or body["previous"]}
        text = json.dumps(body)
        linked = "sha256:" + hashlib.sha256(text.encode()).hexdigest()
        return {**row, "body": text}

    again(folder / "checkpoints.jsonl", seal)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["history"].update(last_position=last, covered_by_checkpoints_until=last)
    (folder / "manifest.json").write_text(json.dumps(manifest))


def drop_answer(folder: Path) -> None:
    """A rejection, or any answer, that the record no longer has."""

    def change(record: dict[str, Any]) -> None:
        counted = record["authorisation"]["decisions"].pop(0)["verdict"] == "approve"
        record["authorisation"]["obtained"] -= counted

    path = decided(folder)
    edit(path, change)
    obtained = json.loads(path.read_text())["authorisation"]["obtained"]
    change_row(folder, "population.csv", "change", path.stem, approvals=str(obtained))


def other_approver(folder: Path) -> None:
    """Somebody else is said to have approved."""
    edit(
        decided(folder),
        lambda record: record["authorisation"]["decisions"][0]["person"].update(id=99, name="Eve"),
    )


def change_row(folder: Path, name: str, column: str, value: str, **cells: str) -> None:
    with (folder / name).open(encoding="utf-8", newline="") as opened:
        table = csv.DictReader(opened)
        rows = [{**row, **cells} if row[column] == value else row for row in table]
    with (folder / name).open("w", encoding="utf-8", newline="") as opened:
        writer = csv.DictWriter(opened, list(table.fieldnames or ()), lineterminator="\r\n")
        writer.writeheader()
        writer.writerows(rows)


def drop_grant(folder: Path) -> None:
    """Nobody shall see that a role was given."""
    found: list[dict[str, str]] = []

    def unwanted(row: dict[str, str]) -> bool:
        if row["when"] == "granted" and row["event"] and not found:
            found.append(row)
            return True
        return False

    without_rows(folder, "access.csv", unwanted)
    assert found


def weaken_policy(folder: Path) -> None:
    """The rule that held is told as a weaker one."""
    path = min(
        path
        for path in (folder / "policies").glob("*.json")
        if json.loads(path.read_text())["rules"]["approvals"]
    )
    edit(path, lambda told: told["rules"]["approvals"][0].update(number=0))


def drop_question(folder: Path) -> None:
    """A question was put, and the list of questions does not have it."""
    name = json.loads(decided(folder).read_text())["authorisation"]["request"]["id"]
    without_rows(folder, "requests.csv", lambda row: row["request"] == name)


def other_end(folder: Path) -> None:
    """What was carried out is said to have come to nothing."""
    change_row(folder, "requests.csv", "state", "used", state="expired")


def drop_refusals(folder: Path) -> None:
    """Nothing was ever refused."""
    before = (folder / "refusals.csv").stat().st_size
    without_rows(folder, "refusals.csv", lambda row: True)
    assert (folder / "refusals.csv").stat().st_size < before


def other_outcome(folder: Path) -> None:
    """What reached production is said to have failed, in table and record."""
    path = decided(folder)
    edit(path, lambda record: record["identity"].update(outcome_code="failed"))
    change_row(folder, "population.csv", "change", path.stem, outcome="failed")


def drop_environment(folder: Path) -> None:
    """The pack shall not speak about production."""
    without_rows(folder, "environments.csv", lambda row: row["stage"] == "PRD")


def no_checkpoints(folder: Path) -> None:
    (folder / "checkpoints.jsonl").write_text("")


def swap_and_rebuild(folder: Path) -> None:
    """Two events change places and everything after them is computed again."""
    path = folder / "events.jsonl"
    rows = path.read_text().splitlines(keepends=True)
    path.write_text("".join([*rows[:1], rows[2], rows[1], *rows[3:]]))
    rebuild_chain(folder)


BY_THE_PACK: dict[str, tuple[Bend, str]] = {
    "an attempt without its events": (drop_attempt, "population.csv: has no row for D-"),
    "an answer": (drop_answer, "leaves out an answer: H-"),
    "another approver": (other_approver, "has another answer than H-"),
    "a role given": (drop_grant, "access.csv: has no row for H-"),
    "a weaker rule": (weaken_policy, "its rules are not those of its digest"),
    "a question": (drop_question, "requests.csv: has no row for A-"),
    "another end of a question": (other_end, "says expired of A-"),
    "refusals": (drop_refusals, "refusals.csv: has no row for H-"),
    "another outcome": (other_outcome, "the history says succeeded"),
    "an environment": (drop_environment, "environments.csv: has no row for Production"),
    "no checkpoints": (no_checkpoints, "checkpoints.jsonl: holds no checkpoint"),
}
"""Found with the pack alone, though its signature fits."""

FROM_OUTSIDE: dict[str, Bend] = {
    "the attempt with its events": drop_attempt_and_events,
    "events swapped, chain rebuilt": swap_and_rebuild,
}
"""Agrees with itself; found only by what somebody else kept."""

Verify = Callable[..., tuple[int, str]]


def unnoticed(folder: Path, scratch: Path, verify: Verify) -> dict[str, str]:
    """Forge the pack in every way; returns what the verifier said where it said too little."""
    noted = next(iter(json.loads((folder / "public_keys.json").read_text()).values()))
    own = scratch / "own.jsonl"
    shutil.copy(folder / "checkpoints.jsonl", own)
    again(own, checkpoint_by_own_key)
    public = base64.b64encode(bytes(OWN.verify_key)).decode()
    wrong = {}
    bends = {**BY_THE_PACK, **{name: (bend, "") for name, bend in FROM_OUTSIDE.items()}}
    for name, (bend, named) in bends.items():
        copy = scratch / "forged"
        shutil.copytree(folder, copy)
        bend(copy)
        sign_anew(copy)
        code, said = verify(copy)
        alone = (code == 1 and named in said) if named else said.count("NOT SHOWN") == 2
        if not alone:
            wrong[name] = said
        code, said = verify(copy, "--key", noted)
        if code != 1 or "does not hold the key that you gave" not in said:
            wrong[f"{name}, with the key"] = said
        # Were the true key in the forger's hands, only what lies outside would tell.
        code, said = verify(copy, "--key", public, "--checkpoints", str(own))
        if code != 1 or (not named and "own.jsonl line" not in said):
            wrong[f"{name}, with checkpoints"] = said
        shutil.rmtree(copy)
    return wrong
