"""Where a stage may stand and how an environment's state is said in one word. Pure Python.

The word is the first of these that applies: retired, in use, not connected, being checked,
connection broken, not checked, outcome unknown, last write failed, free. A person who reads it
knows what to do next; ``reason`` says it.
"""

from __future__ import annotations

from dataclasses import dataclass

from environments.states import Connection, HoldState, Licence, Stage, kind_of


@dataclass(frozen=True, slots=True)
class Standing:
    """The one word of an environment, its data-state for the page, and the sentence behind it."""

    word: str
    state: str
    reason: str


@dataclass(frozen=True, slots=True)
class StandingFacts:
    """What the word is derived from."""

    retired: bool
    has_credential: bool
    in_use_by: str
    checking: bool
    connection: Connection
    connection_message: str
    hold_state: HoldState
    hold_note: str


def standing(facts: StandingFacts) -> Standing:
    """Return the word for an environment; total over every combination of facts."""
    return _place(facts) or _link(facts) or _holding(facts)


def _place(facts: StandingFacts) -> Standing | None:
    if facts.retired:
        return Standing("Retired", "none", "It takes part in nothing any more.")
    if facts.in_use_by:
        return Standing(
            f"In use by {facts.in_use_by}", "running", f"{facts.in_use_by} works on it now."
        )
    return None


def _link(facts: StandingFacts) -> Standing | None:
    if not facts.has_credential and facts.connection == Connection.RECONNECT:
        return Standing("Not connected", "waiting", facts.connection_message)
    if not facts.has_credential:
        return Standing(
            "Not connected", "waiting", "Enter how Gatehouse signs in, then check the connection."
        )
    if facts.checking:
        return Standing("Checking", "running", "A worker opens the org now.")
    if facts.connection == Connection.RECONNECT:
        return Standing("Sign-in refused", "failed", facts.connection_message)
    if facts.connection == Connection.FAILED:
        return Standing("Connection failed", "failed", facts.connection_message)
    if facts.connection == Connection.UNCHECKED:
        return Standing("Not checked", "waiting", "Check the connection before anything is sent.")
    return None


def _holding(facts: StandingFacts) -> Standing:
    if facts.hold_state == HoldState.UNKNOWN:
        return Standing(
            "Outcome unknown", "unknown", facts.hold_note or "The last write has no known outcome."
        )
    if facts.hold_state == HoldState.FAILED:
        return Standing("Last write failed", "failed", facts.hold_note or "See its deployments.")
    return Standing("Free", "done", "")


def licence_fits(stage: Stage, licence: Licence) -> bool:
    """Say whether an org of that licence can fill the stage: PRD is production, nothing else is."""
    return (licence is Licence.PRODUCTION) == (kind_of(stage) == "production")


def tightest(limits: dict[str, tuple[int, int]]) -> tuple[str, int] | None:
    """Return the name and the whole per cent used of the limit nearest to its end.

    ``limits`` is name → (maximum, remaining); limits of nothing do not count.
    """
    used = {
        name: round(100 * (maximum - remaining) / maximum)
        for name, (maximum, remaining) in limits.items()
        if maximum > 0
    }
    return max(used.items(), key=lambda item: (item[1], item[0])) if used else None
