"""Errors, machines, answers, ids, actors: no Django needed."""

from __future__ import annotations

import subprocess
import sys
import threading
from enum import StrEnum

import pytest

from core import ids
from core.context import (
    Actor,
    NoActor,
    acting_as,
    current_actor,
    request_id,
    request_scope,
)
from core.decisions import Allowed, Denied
from core.errors import (
    Conflict,
    DomainError,
    ExternalFault,
    FaultUnknown,
    InvalidInput,
    NotAllowed,
    NotFound,
    NotNow,
    Stale,
)
from core.machine import Machine

PURE = ("errors", "machine", "digests", "context", "clock", "decisions", "ids")


class Light(StrEnum):
    RED = "red"
    GREEN = "green"
    SWITCHED_OFF = "switched_off"


LIGHT = Machine(
    "traffic_light",
    {
        Light.RED: {Light.GREEN, Light.SWITCHED_OFF},
        Light.GREEN: {Light.RED},
        Light.SWITCHED_OFF: set(),
    },
)


@pytest.mark.parametrize("name", PURE)
def test_pure_modules_do_not_load_django(name: str) -> None:
    code = f"import core.{name}, sys; sys.exit('django' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NotAllowed, 403),
        (NotFound, 404),
        (NotNow, 409),
        (Stale, 409),
        (Conflict, 409),
        (InvalidInput, 422),
        (ExternalFault, 502),
        (FaultUnknown, 502),
    ],
)
def test_each_refusal_carries_code_sentence_facts_and_status(
    error: type[DomainError], status: int
) -> None:
    refusal = error("thing.refused", "It is closed. Open it first.", door=3)
    assert (refusal.code, refusal.message, refusal.facts, refusal.status) == (
        "thing.refused",
        "It is closed. Open it first.",
        {"door": 3},
        status,
    )
    assert str(refusal) == "thing.refused: It is closed. Open it first."


def test_invalid_input_names_its_field_and_a_fault_says_whether_waiting_helps() -> None:
    assert InvalidInput("a.b", "Wrong.", field="name").field == "name"
    assert InvalidInput("a.b", "Wrong.").field is None
    assert not ExternalFault("a.b", "Broken.").retryable
    assert ExternalFault("a.b", "Busy.", retryable=True).retryable


@pytest.mark.parametrize("old", list(Light))
@pytest.mark.parametrize("new", list(Light))
def test_machine_allows_exactly_the_moves_in_its_table(old: Light, new: Light) -> None:
    listed = (old, new) in {
        (Light.RED, Light.GREEN),
        (Light.RED, Light.SWITCHED_OFF),
        (Light.GREEN, Light.RED),
    }
    assert LIGHT.allows(old, new) is listed
    if listed:
        LIGHT.check(old, new)
    else:
        with pytest.raises(NotNow) as caught:
            LIGHT.check(old, new)
        assert caught.value.code == "traffic_light.refused"
        assert caught.value.facts == {"old": old.value, "new": new.value}


def test_machine_knows_its_terminal_states() -> None:
    assert LIGHT.terminal == {Light.SWITCHED_OFF}


def test_machine_refuses_a_move_to_a_state_without_a_row() -> None:
    with pytest.raises(ValueError, match="green"):
        Machine("broken", {Light.RED: {Light.GREEN}})


def test_an_answer_is_true_only_when_allowed() -> None:
    assert Allowed()
    assert not Denied("a.b", "No.")


@pytest.mark.parametrize(("prefix", "number"), [("R", 42), ("D", 1087), ("H", 10**17)])
def test_public_ids_are_read_back_as_written(prefix: str, number: int) -> None:
    assert ids.parse_ref(ids.format_ref(prefix, number)) == (prefix, number)


@pytest.mark.parametrize(
    "text", ["R-0", "R-042", "r-42", "R-42 ", "Z-1", "R42", "R-", "R-" + "9" * 19]
)
def test_anything_but_a_public_id_is_not_read(text: str) -> None:
    assert ids.parse_ref(text) is None


def test_an_unregistered_prefix_is_refused() -> None:
    with pytest.raises(ValueError, match="Z"):
        ids.format_ref("Z", 1)


def test_public_ids_are_found_in_a_sentence_but_not_inside_words() -> None:
    text = "R-42 went to E-7 (not ABR-1 nor R-042), see D-5."
    assert [found[0] for found in ids.REFERENCE.finditer(text)] == ["R-42", "E-7", "D-5"]


def test_code_that_acts_for_nobody_fails() -> None:
    with pytest.raises(NoActor):
        current_actor()


def _fail_as(actor: Actor) -> None:
    with acting_as(actor):
        assert current_actor() == actor
        raise RuntimeError("inside")


def test_actors_nest_and_are_restored_after_an_error() -> None:
    ana, worker = Actor("person", 1, "Ana"), Actor("worker", None, "deploy worker")
    with acting_as(ana):
        with pytest.raises(RuntimeError, match="inside"):
            _fail_as(worker)
        assert current_actor() == ana
    with pytest.raises(NoActor):
        current_actor()


def test_another_thread_does_not_inherit_the_actor() -> None:
    seen: list[object] = []

    def look() -> None:
        try:
            seen.append(current_actor())
        except NoActor:
            seen.append(None)

    with acting_as(Actor("person", 1, "Ana")):
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
    assert seen == [None]


def test_a_request_scope_gives_one_id_to_everything_inside() -> None:
    assert request_id() is None
    with request_scope() as first:
        assert request_id() == first
        assert len(first) == 32
    with request_scope("given") as second:
        assert second == "given"
    assert request_id() is None
