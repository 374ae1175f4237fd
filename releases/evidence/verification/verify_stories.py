"""The part of the verifier that holds records and tables against the chained history.

What a record or a table leaves out, the history still tells: attempts, answers of people, roles
given and taken. ``verify.py`` loads this file; it needs Python's standard library only.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

ANSWERS = {"approval.approved": "approve", "approval.rejected": "reject"}
ATTEMPTS = ("deployment.planned", "deployment.started")
MEMBERSHIPS = {"membership.granted": "granted", "membership.revoked": "revoked"}
EDGE = timedelta(seconds=2)
"""An event is written a moment after its row; at the very edge of a period that may tell."""


class Broken(Exception):
    """The first thing that does not match: where, and what."""

    def __init__(self, where: str, what: str) -> None:
        super().__init__(f"{where}: {what}")


def compare(
    folder: Path, manifest: dict[str, Any], records: list[str], population: set[str]
) -> Iterator[str]:
    """Read the history once and yield what was found; raises Broken at the first fault."""
    facts = Facts(folder, records, _policies(folder, manifest))
    attempts = Attempts(folder, manifest)
    access = Access(folder, manifest)
    with (folder / "events.jsonl").open("rb") as opened:
        for line in opened:
            event = json.loads(line)
            body = json.loads(event["body"])
            for part in (facts, attempts, access):
                part.hear(event, body)
    facts.end()
    counted, later = attempts.end(population), len(manifest["planned_here_began_later"])
    access.end()
    yield f"{len(records)} records, {facts.told} of their events and all tables tell the same story"
    yield f"{counted} attempts of the history in this scope: each has its row in population.csv"
    if later:
        yield f"{later} more were planned in the period and began after it (manifest.json)"
    yield f"{facts.answers} answers of people in the history: each is in its record as given"
    yield f"{access.told} roles given and taken: each is in access.csv as the history has it"
    if access.beyond:
        yield f"{access.beyond} more were given or taken outside of the history in this pack"
    if access.unnamed:
        yield f"ASK ABOUT {access.unnamed} roles in access.csv that no event of the history gave"


def _policies(folder: Path, manifest: dict[str, Any]) -> dict[str, str]:
    """Digest of each policy version by its file, computed again from what it says."""
    found = {}
    for entry in manifest["files"]:
        if entry["path"].startswith("policies/"):
            told = json.loads((folder / entry["path"]).read_bytes())
            number = int(told["policy"].split("-")[1])
            content = {"policy": number, "number": told["version"], "body": told["rules"]}
            text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
            digest = "sha256:" + hashlib.sha256(text.encode("utf-8")).hexdigest()
            if digest != told["digest"]:
                raise Broken(entry["path"], "its rules are not those of its digest")
            found[entry["path"]] = digest
    return found


class Facts:
    """The events that records name, and the answers of people, against the history."""

    def __init__(self, folder: Path, records: list[str], policies: dict[str, str]) -> None:
        self.told = self.answers = 0
        self._digests: dict[int, tuple[str, str]] = {}
        self._answers: dict[tuple[int, str], dict[str, Any]] = {}
        self._asked: dict[str, list[str]] = {}
        for path in records:
            record = json.loads((folder / path).read_bytes())
            for event in record["integrity"]["events"]:
                number = int(event["event"].split("-")[1])
                known = self._digests.setdefault(number, (path, event["body_digest"]))
                if known[1] != event["body_digest"]:
                    raise Broken(path, f"has another digest of event H-{number} than {known[0]}")
            self._authorised(path, record["authorisation"], policies)

    def _authorised(self, path: str, told: dict[str, Any], policies: dict[str, str]) -> None:
        policy = told["policy"]
        if isinstance(policy, dict) and policies.get(policy["file"]) != policy["digest"]:
            raise Broken(path, f"names another digest of its policy than {policy['file']}")
        if told["request"] is None:
            return
        self._asked.setdefault(told["request"]["id"], []).append(path)
        for answer in told["decisions"]:
            # One whose event has no place in the chain yet: when it has, the history asks for it.
            if answer["event"].startswith("H-"):
                self._answers[int(answer["event"].split("-")[1]), path] = answer

    def hear(self, event: dict[str, Any], body: dict[str, Any]) -> None:
        """Compare one event."""
        number = int(event["id"])
        if number in self._digests:
            path, digest = self._digests.pop(number)
            if "sha256:" + hashlib.sha256(event["body"].encode("utf-8")).hexdigest() != digest:
                raise Broken(path, f"has another digest of event H-{number} than events.jsonl")
            self.told += 1
        if body["event"] not in ANSWERS:
            return
        for path in self._asked.get(body["subject"]["ref"], ()):
            answer = self._answers.pop((number, path), None)
            if answer is None:
                raise Broken(path, f"leaves out an answer: H-{number}, {body['sentence']}")
            told = (answer["person"]["id"], answer["verdict"], answer["role_that_counted"])
            said = (body["actor"]["id"], ANSWERS[body["event"]], body["facts"]["role"])
            if told != said or answer["subject_digest_shown"] != body["facts"]["digest"]:
                raise Broken(path, f"has another answer than H-{number}: {body['sentence']}")
            self.answers += 1

    def end(self) -> None:
        """Refuse what no event told of."""
        if self._digests:
            number, (path, _) = min(self._digests.items())
            raise Broken(path, f"names event H-{number}, which events.jsonl does not have")
        if self._answers:
            number, path = min(self._answers)
            raise Broken(path, f"has an answer that the history does not have: H-{number}")


class Attempts:
    """Attempts on the scope's environments that the history knows: the population must be them."""

    def __init__(self, folder: Path, manifest: dict[str, Any]) -> None:
        self._scope = manifest["scope"]
        self._places = {row["environment"] for row in rows_of(folder, "environments.csv")}
        self._later = {each["change"] for each in manifest["planned_here_began_later"]}
        self._moments: dict[str, tuple[int, str]] = {}

    def hear(self, event: dict[str, Any], body: dict[str, Any]) -> None:
        """Compare one event."""
        related = body["related"]
        if body["event"] not in ATTEMPTS or not self._places.intersection(related):
            return
        if self._scope["release"] is None or self._scope["release"] in related:
            # An attempt belongs to the moment it began; until then to the one it was planned.
            self._moments[body["subject"]["ref"]] = (int(event["id"]), body["at"])

    def end(self, population: set[str]) -> int:
        """Refuse an attempt that the population leaves out; returns how many it has."""
        count = 0
        for name, (number, at) in self._moments.items():
            if name in population:
                count += 1
            elif name not in self._later and self._inside(at):
                raise Broken("population.csv", f"has no row for {name}, which H-{number} tells of")
        return count

    def _inside(self, at: str) -> bool:
        if self._scope["release"] is not None:
            return True
        since, until = _moment(self._scope["since"]), _moment(self._scope["until"])
        return since + EDGE <= _moment(at) < until - EDGE


class Access:
    """Roles given and taken in the period, against access.csv, both ways."""

    def __init__(self, folder: Path, manifest: dict[str, Any]) -> None:
        self.told = self.unnamed = self.beyond = 0
        self._first = self._last = 0
        told = manifest["scope"]["speaks_about"]
        self._since, self._until = _moment(told["since"]), _moment(told["until"])
        self._roles = set(manifest["roles_told_in_access"])
        self._rows: dict[tuple[str, str], tuple[int, dict[str, str]]] = {}
        for number, row in enumerate(rows_of(folder, "access.csv"), start=1):
            if row["when"] not in MEMBERSHIPS.values():
                continue
            if row["event"]:
                self._rows[row["event"], row["when"]] = (number, row)
            else:
                self.unnamed += 1

    def hear(self, event: dict[str, Any], body: dict[str, Any]) -> None:
        """Compare one event."""
        number = int(event["id"])
        self._first, self._last = min(self._first or number, number), max(self._last, number)
        word = MEMBERSHIPS.get(body["event"])
        if word is None or body["facts"].get("role") not in self._roles:
            return
        name = f"H-{event['id']}"
        number, row = self._rows.pop((name, word), (0, {}))
        if not row:
            if self._since + EDGE <= _moment(body["at"]) < self._until - EDGE:
                raise Broken("access.csv", f"has no row for {name}: {body['sentence']}")
            return
        said = (str(body["subject"]["id"]), body["facts"]["role"], body["facts"]["team"])
        # A cell that a spreadsheet would run begins with an apostrophe.
        if (row["person id"], row["role"], row["team"].removeprefix("'")) != said:
            raise Broken(f"access.csv, row {number}", f"differs from {name}: {body['sentence']}")
        self.told += 1

    def end(self) -> None:
        """Refuse what no event told of."""
        for number, row in self._rows.values():
            if self._first <= int(row["event"].split("-")[1]) <= self._last:
                where = f"access.csv, row {number}"
                raise Broken(where, f"names {row['event']}, which events.jsonl does not have")
            self.beyond += 1


def rows_of(folder: Path, name: str) -> Iterator[dict[str, str]]:
    """The rows of a table of the pack."""
    with (folder / name).open(encoding="utf-8", newline="") as opened:
        yield from csv.DictReader(opened)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
