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
ENDED = ("used", "rejected", "withdrawn", "superseded", "expired")
SETTLED = ("succeeded", "failed", "cancelled", "superseded")
BEGUN = ("held", "running")
REFUSED = ("approval.rejected", "deployment.held", "release.decisions_voided")
DEPARTED = ("canary.allowed", "canary.silent", "database.changed")
DEPLOYMENT = "0Af"
"""How Salesforce begins the id of a deployment, whether it writes or only checks."""
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
    _complete(folder)
    facts = Facts(folder, records, _policies(folder, manifest))
    attempts = Attempts(folder, manifest)
    access = Access(folder, manifest)
    asked = Questions(folder, manifest)
    refused = Refusals(folder, manifest)
    with (folder / "events.jsonl").open("rb") as opened:
        for line in opened:
            event = json.loads(line)
            body = json.loads(event["body"])
            for part in (facts, attempts, access, asked, refused):
                part.hear(event, body)
    facts.end()
    counted, later = attempts.end(population), len(manifest["planned_here_began_later"])
    access.end()
    asked.end()
    refused.end()
    yield f"{len(records)} records, {facts.told} of their events and all tables tell the same story"
    yield f"{counted} attempts of the history in this scope: each has its row in population.csv"
    if later:
        yield f"{later} more were planned in the period and began after it (manifest.json)"
    yield f"{facts.answers} answers of people in the history: each is in its record as given"
    yield f"{asked.told} questions of the history: each is in requests.csv, ended as it ended there"
    yield f"{refused.told} refusals and departures: each is in refusals.csv or exceptions.csv"
    yield f"{access.told} roles given and taken: each is in access.csv as the history has it"
    if access.beyond:
        yield f"{access.beyond} more were given or taken outside of the history in this pack"
    if access.unnamed:
        yield f"ASK ABOUT {access.unnamed} roles in access.csv that no event of the history gave"


def _complete(folder: Path) -> None:
    """Each attempt ran in an environment of the pack, and what it sent stands beside the org's."""
    places = {row["name"] for row in rows_of(folder, "environments.csv")}
    listed = {row["id in the org"] for row in rows_of(folder, "reconciliation.csv")}
    for row in rows_of(folder, "population.csv"):
        if row["environment"] not in places:
            where = f"{row['environment']}, where {row['change']} ran"
            raise Broken("environments.csv", f"has no row for {where}")
        for sent in row["ids in the org"].split():
            if sent.startswith(DEPLOYMENT) and sent not in listed:
                what = f"has no row for {sent}, which {row['change']} sent"
                raise Broken("reconciliation.csv", what)


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
        self._made = _moment(manifest["made_at"]) - EDGE
        self._outcomes = {
            row["change"]: (number, row["outcome"])
            for number, row in enumerate(rows_of(folder, "population.csv"), start=1)
        }
        self._ended: dict[str, str] = {}

    def hear(self, event: dict[str, Any], body: dict[str, Any]) -> None:
        """Compare one event."""
        related = body["related"]
        subject = body["subject"]
        if subject["kind"] == "deployment":
            # What moved while the pack was made may stand in it before or after.
            late = _moment(body["at"]) >= self._made
            self._ended[subject["ref"]] = "" if late else subject.get("state", "")
        if body["event"] not in ATTEMPTS or not self._places.intersection(related):
            return
        if self._scope["release"] is None or self._scope["release"] in related:
            # An attempt belongs to the moment it began; until then to the one it was planned.
            self._moments[body["subject"]["ref"]] = (int(event["id"]), body["at"])

    def end(self, population: set[str]) -> int:
        """Refuse an attempt that the population leaves out; returns how many it has."""
        count = 0
        for name, (row, outcome) in self._outcomes.items():
            ended = self._ended.get(name, "")
            if ended != outcome and (
                ended in SETTLED or (outcome == "succeeded" and ended in BEGUN)
            ):
                where = f"population.csv, row {row}"
                raise Broken(where, f"says {outcome} of {name}, the history says {ended}")
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


class Questions:
    """Questions put to people: each that the history tells of has its row, ended as it ended."""

    def __init__(self, folder: Path, manifest: dict[str, Any]) -> None:
        self.told = 0
        self._release = manifest["scope"]["release"]
        told = manifest["scope"]["speaks_about"]
        self._since, self._until = _moment(told["since"]), _moment(told["until"])
        self._made = _moment(manifest["made_at"]) - EDGE
        self._rows = {
            row["request"]: (number, row)
            for number, row in enumerate(rows_of(folder, "requests.csv"), start=1)
        }
        self._opened: dict[str, tuple[int, dict[str, Any]]] = {}
        self._ended: dict[str, tuple[int, str, datetime]] = {}
        self._answers: dict[str, list[tuple[int, str]]] = {}
        self._late: set[str] = set()

    def hear(self, event: dict[str, Any], body: dict[str, Any]) -> None:
        """Remember what became of a question."""
        subject, at = body["subject"], _moment(body["at"])
        if subject["kind"] != "approvalrequest":
            return
        name, number = subject["ref"], int(event["id"])
        if at >= self._made:  # it moved while the pack was made
            self._late.add(name)
            return
        if body["event"] == "approval.opened":
            self._opened[name] = (number, body)
        elif body["event"] in ANSWERS:
            self._answers.setdefault(name, []).append((number, body["actor"]["name"]))
        if subject.get("state") in (*ENDED, "satisfied"):
            self._ended[name] = (number, subject["state"], at)

    def end(self) -> None:
        """Refuse a question that is left out, or ended otherwise."""
        for name, (number, body) in self._opened.items():
            if name not in self._rows:
                if self._inside(name, body):
                    raise Broken(
                        "requests.csv", f"has no row for {name}, which H-{number} tells of"
                    )
                continue
            at, row = self._rows[name]
            where = f"requests.csv, row {at}"
            if row["subject digest"] != body["facts"]["digest"]:
                raise Broken(where, f"says that {name} was about something else than H-{number}")
            if name not in self._late:
                self._same_end(where, name, row)
            self.told += 1

    def _inside(self, name: str, body: dict[str, Any]) -> bool:
        if self._release is not None:
            return self._release in body["related"]
        _, state, ended = self._ended.get(name, (0, "", self._until))
        before = state in ENDED and ended < self._since + EDGE
        return _moment(body["at"]) < self._until - EDGE and not before

    def _same_end(self, where: str, name: str, row: dict[str, str]) -> None:
        number, state, _ = self._ended.get(name, (0, "open", self._until))
        claims = row["state"] in ("satisfied", "used") and state not in ("satisfied", "used")
        if (state in ENDED or claims) and row["state"] != state:
            raise Broken(where, f"says {row['state']} of {name}, the history says {state}")
        told = "; ".join(row[each] for each in ("approved by", "rejected by", "withdrawn by"))
        for number, person in self._answers.get(name, ()):
            if person not in told:
                raise Broken(where, f"leaves out the answer of {person}, H-{number}")


class Refusals:
    """What was refused, and what went past every control: each event has its row."""

    def __init__(self, folder: Path, manifest: dict[str, Any]) -> None:
        self.told = 0
        told = manifest["scope"]["speaks_about"]
        self._since, self._until = _moment(told["since"]), _moment(told["until"])
        self._refused = {
            row["event"]: (number, row)
            for number, row in enumerate(rows_of(folder, "refusals.csv"), start=1)
        }
        self._departed = {row["object"] for row in rows_of(folder, "exceptions.csv")}
        self._first = self._last = 0

    def hear(self, event: dict[str, Any], body: dict[str, Any]) -> None:
        """Compare one event."""
        number, word = int(event["id"]), body["event"]
        self._first, self._last = min(self._first or number, number), max(self._last, number)
        name = f"H-{number}"
        inside = self._since + EDGE <= _moment(body["at"]) < self._until - EDGE
        if word in DEPARTED and inside and name not in self._departed:
            raise Broken("exceptions.csv", f"has no row for {name}: {body['sentence']}")
        if word.startswith("security.") or "refused" in word or word in REFUSED:
            at, row = self._refused.pop(name, (0, {}))
            if not row and inside:
                raise Broken("refusals.csv", f"has no row for {name}: {body['sentence']}")
            if row and (row["event type"], _plain(row["what"])) != (word, _plain(body["sentence"])):
                raise Broken(f"refusals.csv, row {at}", f"differs from {name}: {body['sentence']}")
            self.told += bool(row)

    def end(self) -> None:
        """Refuse what no event told of."""
        for name, (number, _) in self._refused.items():
            if self._first <= int(name.split("-")[1]) <= self._last:
                where = f"refusals.csv, row {number}"
                raise Broken(where, f"names {name}, which the history does not call a refusal")


def _plain(text: str) -> str:
    """A cell without the apostrophe before what a spreadsheet would run."""
    return text.removeprefix("'").strip()


def rows_of(folder: Path, name: str) -> Iterator[dict[str, str]]:
    """The rows of a table of the pack."""
    with (folder / name).open(encoding="utf-8", newline="") as opened:
        yield from csv.DictReader(opened)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
