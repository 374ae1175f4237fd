"""Faults by rule: for an org, for a call, for the nth time, with a probability that has a seed.

A rule is {"call": "deploy.start", "kind": "timeout_after", …}. `call` may end in * ("deploy.*").
`skip` lets so many matching calls pass first, `times` ends the rule after so many hits.
"""

import json
import random
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from simulator.sure import sure
from simulator.world import World

KINDS = {
    "expired_session": "the session dies and the call answers so",
    "status": "an HTTP status with an errorCode and message",
    "timeout_before": "nothing happens, the connection is held and then dropped",
    "timeout_after": "the call takes effect, the connection is held and then dropped",
    "reset_before": "nothing happens, the connection is reset",
    "reset_after": "the call takes effect, the connection is reset",
    "slow": "the call answers after some seconds (deploy.run: the deployment takes longer)",
    "html": "an HTML page instead of the answer",
    "garbage": "the answer is cut in the middle",
    "deploy_error": "the deployment fails as a whole with an errorStatusCode (deploy.run)",
    "component_error": "one component of the deployment fails (deploy.run)",
    "never_ends": "the deployment stays InProgress (deploy.run)",
    "jump": "the clock jumps",
}
WORDS = {
    "UNABLE_TO_LOCK_ROW": "unable to obtain exclusive access to this record",
    "ALREADY_IN_PROCESS": (
        "The changes you requested require salesforce.com to temporarily lock your organization's"
        " administration setup. However, the administration setup has already been locked by"
        " another change. Please wait for the previous action to finish, then try again later."
    ),
    "UNKNOWN_EXCEPTION": (
        "UNKNOWN_EXCEPTION: An unexpected error occurred. Please include this ErrorId if you"
        " contact support: 1220744558-7618 (-824679420)"
    ),
    "LIMIT_EXCEEDED": "Try deploying again. Your deployment exceeded its maximum retry limit.",
    "REQUEST_LIMIT_EXCEEDED": "TotalRequests Limit exceeded.",
    "SERVER_UNAVAILABLE": "The server is unavailable",
}


class BadFault(Exception):
    """A rule that cannot be kept; the text is for people."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A rule that struck."""

    kind: str
    arguments: dict[str, Any]


def words_for(code: str) -> str:
    """Return what the platform says with an error code."""
    return WORDS.get(code, "An error occurred")


def add(world: World, org: str | None, rule: dict[str, Any]) -> int:
    """Keep a rule and return its number."""
    kind = str(rule.get("kind", ""))
    if kind not in KINDS:
        raise BadFault(f"There is no fault {kind!r}; there are {', '.join(sorted(KINDS))}.")
    reserved = ("kind", "call", "skip", "times", "probability", "seed")
    world.store.run(
        "insert into fault (org, call, kind, arguments, skip, remaining, probability, seed)"
        " values (?, ?, ?, ?, ?, ?, ?, ?)",
        org,
        str(rule.get("call", "*")),
        kind,
        json.dumps({name: value for name, value in rule.items() if name not in reserved}),
        int(rule.get("skip", 0)),
        None if rule.get("times") is None else int(rule["times"]),
        float(rule.get("probability", 1.0)),
        int(rule.get("seed", 0)),
    )
    row = sure(world.store.row("select max(number) as number from fault"), "max gives a row")
    return int(row["number"])


def clear(world: World, org: str | None) -> None:
    """Forget the rules of an org, or with None all rules."""
    if org is None:
        world.store.run("delete from fault")
    else:
        world.store.run("delete from fault where org = ?", org)


def listed(world: World) -> list[dict[str, Any]]:
    """Return all rules for the operator."""
    return [
        {
            **{name: row[name] for name in tuple(row.keys())},
            "arguments": json.loads(row["arguments"]),
        }
        for row in world.store.rows("select * from fault order by number")
    ]


def take(world: World, org: str | None, call: str) -> Fault | None:
    """Return the first rule that strikes this call, and count it."""
    rules = world.store.rows("select * from fault order by number")
    for row in rules:
        if row["org"] not in (None, org) or not fnmatchcase(call, row["call"]):
            continue
        if row["remaining"] == 0:
            continue
        if call == "deploy.run" and row["call"] == "*":
            continue  # "*" means requests; what a deployment does is named on purpose
        with world.store.transaction():
            seen = int(row["seen"]) + 1
            world.store.run("update fault set seen = ? where number = ?", seen, row["number"])
            if seen <= row["skip"]:
                continue
            # Seeded text, not a tuple's hash: the same in every process.
            draw = random.Random(f"{row['seed']}/{row['number']}/{seen}").random()  # noqa: S311
            if draw >= row["probability"]:
                continue
            if row["remaining"] is not None:
                left = int(row["remaining"]) - 1
                sql = "update fault set remaining = ? where number = ?"
                world.store.run(sql, left, row["number"])
        return Fault(row["kind"], json.loads(row["arguments"]))
    return None
