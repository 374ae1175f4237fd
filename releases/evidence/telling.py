"""A change record as people read it: sections of facts and tables, for the page and for the PDF.

Both show the same words; neither knows the form of a record.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from releases.evidence.record import GROUPS, NOT_RECORDED

MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z")
NOTHING = "–"
SHOWN = 40

Row = tuple[str, ...]
Facts = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows below heads; ``more`` counts those that are only in the JSON."""

    title: str
    head: Row
    rows: list[Row]
    more: int = 0

    @property
    def cells(self) -> list[list[tuple[str, str]]]:
        """Each row as pairs of head and cell."""
        return [list(zip(self.head, row, strict=True)) for row in self.rows]


@dataclass(frozen=True, slots=True)
class Section:
    """One group of facts."""

    key: str
    number: int
    title: str
    facts: Facts = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    text: str = ""


def text_of(value: Any) -> str:
    """Write a value of a record for people; moments lose their fraction and say UTC."""
    if value is None or value == "" or value == [] or value == {}:
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        if set(value) == {"id", "name"}:
            return str(value["name"])
        return "; ".join(f"{_label(key)}: {text_of(item)}" for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return "; ".join(text_of(item) for item in value)
    return MOMENT.sub(r"\1 \2 UTC", str(value))


def sections(record: Mapping[str, Any]) -> list[Section]:
    """The eleven groups in order."""
    tellers = {
        "identity": _identity,
        "what": _what,
        "risk": _risk,
        "tests": _tests,
        "authorisation": _authorisation,
        "segregation": _segregation,
        "windows": _windows,
        "execution": _execution,
        "override": _override,
        "after": _after,
        "integrity": _integrity,
    }
    found = []
    for number, (key, title) in enumerate(GROUPS.items(), start=1):
        facts, tables, text = tellers[key](record[key])
        found.append(Section(key, number, title, facts, tables, text))
    return found


Told = tuple[Facts, list[Table], str]


def _label(key: str) -> str:
    words = key.replace("_", " ")
    return words[:1].upper() + words[1:]


def _facts(group: Mapping[str, Any], *keys: str, **labels: str) -> Facts:
    """Facts by key; ``labels`` rename some."""
    return [(labels.get(key) or _label(key), text_of(group.get(key))) for key in keys]


def _table(title: str, columns: Mapping[str, str], rows: Any) -> list[Table]:
    """A table of a list of mappings; none when there is no list."""
    if not isinstance(rows, list) or not rows:
        return []
    shown = [tuple(text_of(row.get(key)) for key in columns) for row in rows[:SHOWN]]
    return [Table(title, tuple(columns.values()), shown, max(0, len(rows) - SHOWN))]


def _identity(group: Mapping[str, Any]) -> Told:
    environment = group["environment"]
    place = f"{environment['name']} ({environment['id']}, {environment['stage']})"
    facts = _facts(group, "change_id", "release_id", "title", "version", "type", "purpose")
    facts += _facts(group, "reason", "tickets", "business_service")
    facts += [("Environment", place), ("Organisation", environment["organization_id"] or NOTHING)]
    facts += _facts(group, "criticality", "requested_by", "planned_at", "outcome", "message")
    return facts, [], ""


def _what(group: Mapping[str, Any]) -> Told:
    artefact = group["artefact"]
    size = f"{artefact['components']} components in {artefact['files']} files"
    facts = [("Artefact", f"{artefact['digest']} ({size}, API {artefact['api_version']})")]
    facts += _facts(
        group,
        "integration_commit",
        "provenance",
        "composed_against_snapshot",
        "plan",
        "plan_digest",
        "baseline_digest",
        baseline_digest="What the target held before (digest)",
    )
    columns = {
        "team": "Team",
        "tag": "Tag",
        "commit": "Commit",
        "commits_since_production": "Commits",
        "build": "Build",
        "repository": "Repository",
    }
    tables = _table("Where it comes from", columns, group["sources"])
    difference = group["differs_from_what_ran_before"]
    if isinstance(difference, Mapping):
        words = f"{difference['components']} components, {difference['new']} of them new"
        facts.append(("Differs from what ran before in", words))
        columns = {
            "type": "Type",
            "name": "Component",
            "kind": "Change",
            "teams": "Teams",
            "inside": "What changed inside",
            "risk": "Risk",
        }
        tables += _table("What differs", columns, difference["list"])
    return facts, tables, ""


def _risk(group: Mapping[str, Any]) -> Told:
    facts = _facts(
        group,
        "impact",
        "security_impact",
        "data_impact",
        "affected_parties",
        "score",
        "score_rule",
        "high_risk_components",
        "back_out_plan",
        "last_proven_back_out",
        score_rule="How the score is found",
    )
    return facts, [], ""


def _tests(group: Mapping[str, Any]) -> Told:
    builds = {"team": "Team", "commit": "Commit", "build": "Build", "result": "Result", "at": "At"}
    user = {
        "team": "Team",
        "result": "Result",
        "tested_by": "Tested by",
        "at": "At",
        "tester_is_no_author": "Tester is no author",
        "note": "Note",
    }
    runs = {
        "id": "Run",
        "purpose": "Purpose",
        "environment": "Environment",
        "result": "Result",
        "tests_run": "Tests run",
        "test_failures": "Failures",
        "coverage_percent": "Coverage %",
        "finished_at": "Ended",
    }
    outside = {"name": "Check", "commit": "Commit", "result": "Result", "at": "At", "url": "Link"}
    tables = [
        *_table("Builds of the commits", builds, group["builds"]),
        *_table("User tests", user, group["user_tests"]),
        *_table("Runs of this very artefact", runs, group["runs_of_this_artefact"]),
        *_table("Results of other systems", outside, group.get("results_of_other_systems")),
    ]
    return _facts(group, "accepted_exceptions"), tables, ""


def _authorisation(group: Mapping[str, Any]) -> Told:
    policy = group["policy"]
    facts = []
    if isinstance(policy, Mapping):
        named = f"{policy['id']} {policy['name']}, version {policy['version']}"
        facts += [("Policy", named), ("Policy digest", policy["digest"])]
    else:
        facts.append(("Policy", policy))
    facts += _facts(group, "required", "obtained")
    request = group["request"]
    if request is None:
        return [*facts, ("Approval request", NOTHING)], _earlier(group), ""
    facts += [
        ("Approval request", f"{request['id']}, {request['state']} by now"),
        ("Carried out under it", text_of(group["carried_out_under_it_at"])),
        ("Bound to (subject digest)", request["subject_digest"]),
        ("Asked by", text_of(request["requester"])),
        ("Asked", text_of(request["opened_at"])),
        ("Would expire", text_of(request["expires_at"])),
        ("Closed", text_of(request["closed_at"])),
    ]
    columns = {
        "person": "Person",
        "role_that_counted": "As",
        "roles_held_at_that_moment": "Roles held then",
        "verdict": "Answer",
        "decided_at": "At",
        "authentication": "Signed in by",
        "comment": "Comment",
        "event": "Event",
        "withdrawn_at": "Taken back",
    }
    tables = _table("Decisions", columns, group["decisions"])
    columns = {"at": "At", "what": "What", "event": "Event"}
    columns["after_it_was_carried_out"] = "After it was carried out"
    voided = _table("Voided, expired, reset", columns, group["voided_expired_or_reset"])
    return facts, [*tables, *voided, *_earlier(group)], ""


def _earlier(group: Mapping[str, Any]) -> list[Table]:
    columns = {
        "id": "Request",
        "state": "Ended as",
        "opened_at": "Asked",
        "closed_at": "Closed",
        "note": "Why",
    }
    return _table("Earlier requests about this release", columns, group["earlier_requests"])


def _segregation(group: Mapping[str, Any]) -> Told:
    conflicts = group["conflicts"]
    verdict = "none" if not conflicts else text_of(conflicts)
    facts = [("Conflicts", verdict)]
    facts += _facts(group, "requester", "composer", "builder", "approvers", "executor")
    facts += _facts(group, "addresses_without_a_known_person")
    authors = {"team": "Team", "name": "Name in the commit", "person": "Person"}
    shut_out = {"person": "Person", "reason": "Why"}
    tables = _table("Authors of the commits", authors, group["code_authors"])
    tables += _table("Shut out of the decision", shut_out, group["shut_out_of_the_decision"])
    return facts, tables, ""


def _windows(group: Mapping[str, Any]) -> Told:
    facts = _facts(
        group, "not_before", "not_after", "started_at", "started_inside_the_planned_window"
    )
    asked = group["consulted_at_claim"]
    words: list[Row] = [(text_of(item),) for item in asked] if isinstance(asked, list) else []
    tables = [Table("What the gate consulted when it let the change begin", ("Rule",), words)]
    columns = {"at": "At", "what": "What", "event": "Event"}
    tables += _table("Held because", columns, group["held_because"])
    calendar = {
        "id": "Id",
        "kind": "Kind",
        "name": "Name",
        "from": "From",
        "until": "Until",
        "recurs": "Recurs",
        "lifted_at": "Lifted",
    }
    over = group["freezes_and_stops"]
    tables += _table("Freezes and stops over this environment", calendar, over)
    return facts, [table for table in tables if table.rows], ""


def _execution(group: Mapping[str, Any]) -> Told:
    facts = _facts(
        group,
        "attempt",
        "state",
        "approved_at",
        "started_at",
        "finished_at",
        "gate_right_before_the_call",
        "bound_subject_digest",
        "idempotency",
        "cancel_requested_at",
        "cancel_requested_by",
        "settled_by_a_person",
        "artefact_after",
        artefact_after="Found running afterwards",
    )
    columns = {
        "step": "Step",
        "state": "State",
        "worker": "Worker",
        "fence": "Fence",
        "intended_at": "Intended",
        "finished_at": "Ended",
        "org_id_of_the_call": "Id in the org",
        "note": "What the org said",
    }
    tables = _table("Steps", columns, group["steps"])
    said = [message for step in group["steps"] for message in step["messages_list"]]
    columns = {"kind": "Kind", "type": "Type", "name": "Name", "line": "Line", "problem": "Problem"}
    tables += _table("Messages of the org", columns, said)
    return facts, tables, ""


def _override(group: Mapping[str, Any] | None) -> Told:
    if group is None:
        return [], [], "None: the change went the ordinary way."
    return _facts(group, *group), [], ""


def _after(group: Mapping[str, Any]) -> Told:
    reviews = group["post_implementation_review"]
    facts = _facts(group, "verification", "related_incidents", "rollback")
    if not isinstance(reviews, list):
        facts += _facts(group, "post_implementation_review")
    found = {
        "outcome": "How it went",
        "review": "What came of it",
        "reviewed_by": "Reviewed by",
        "reviewer_had_no_hand_in_it": "Had no hand in it",
        "at": "At",
    }
    columns = {"org_id": "Id in the org", "at": "At"}
    later = group["unexplained_deployments_since"]
    steps = {"text": "Manual step", "phase": "When", "owner": "Owner", "done_at": "Done"}
    tables = _table("Post-implementation reviews", found, reviews)
    tables += _table("Manual steps", steps, group.get("runbook"))
    return facts, [*tables, *_table("Unexplained changes in the org since", columns, later)], ""


def _integrity(group: Mapping[str, Any]) -> Told:
    facts = _facts(group, "first_position", "last_position", "covering_checkpoint", "export")
    columns = {"event": "Event", "position": "Position", "what": "What", "hash": "Hash"}
    return facts, _table("Events of this change in the chain", columns, group["events"]), ""


def missing(told: Iterable[Section]) -> list[str]:
    """What a record says is not recorded, by group."""
    return [
        f"{section.title}: {label.lower()}"
        for section in told
        for label, value in section.facts
        if value == NOT_RECORDED
    ]
