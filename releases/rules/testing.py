"""Which Apex tests a deployment runs: what the policy asks, raised by what people chose. Pure.

The policy names the least level. People may choose a higher one and name more tests; a proposed
test can be left out only where the policy does not ask for named tests or more. A level that needs
names and has none becomes the next one, so that nothing is ever tested less for want of a name.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from governance.rules.policy import SPECIFIED, TEST_LEVELS, meets

WITHOUT_NAMES = "RunLocalTests"
"""What is run instead when there is no test to name."""
CLASS_NAME = re.compile(r"(?:[A-Za-z][A-Za-z0-9_]{0,14}\.)?[A-Za-z][A-Za-z0-9_]{0,79}")
"""An Apex class, with the namespace of its package when it has one."""
NAMED = 10
"""So many names stand in a sentence."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is proposed for a release and what people chose; an empty level chooses nothing."""

    proposed: tuple[str, ...] = ()
    level: str = ""
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    def may_leave_out(self, asked: str) -> bool:
        """Tell whether the policy lets a proposed test be left out."""
        return not meets(asked, SPECIFIED)

    def names(self, asked: str) -> tuple[str, ...]:
        """The tests to run where tests are named; capitals make no difference to Apex."""
        out = lowered(self.removed) if self.may_leave_out(asked) else frozenset()
        found: dict[str, str] = {}
        for name in (*self.proposed, *self.added):
            if name.lower() not in out:
                found.setdefault(name.lower(), name)
        return tuple(sorted(found.values(), key=str.lower))

    def settled(self, asked: str) -> Selection:
        """What a deployment runs under a policy that asks for a level."""
        level = self.level if self.level and meets(self.level, asked) else asked
        if level != SPECIFIED:
            return Selection(level)
        names = self.names(asked)
        return Selection(level, names) if names else Selection(WITHOUT_NAMES)


@dataclass(frozen=True, slots=True)
class Selection:
    """A level and, for the one that needs them, names."""

    level: str
    names: tuple[str, ...] = ()

    @classmethod
    def of_plan(cls, plan: Mapping[str, Any]) -> Selection:
        """What a deployment's plan says that it runs."""
        return cls(str(plan.get("test_level", "")), tuple(plan.get("run_tests", ())))

    def short_of(self, asked: str) -> str:
        """Why this is less than a policy asks, with what to do; empty when it is enough.

        That no proposed test is missing follows from how a plan is made, and the floor looks.
        """
        if not meets(self.level, asked):
            return f"This runs {self.level} and the policy asks for {asked}; plan it again."
        if self.level == SPECIFIED and not self.names:
            return "This names no test to run, and its test level needs some; plan it again."
        return ""

    def sentence(self) -> str:
        """What is run, for people."""
        if self.level == SPECIFIED:
            return f"Runs {listed(self.names)}"
        return f"Runs {TEST_LEVELS.get(self.level, self.level).removeprefix('run ')}"


def listed(names: Collection[str]) -> str:
    """So many tests by name: ``2 tests: A, B``."""
    shown = list(names)[:NAMED]
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    plural = "" if len(names) == 1 else "s"
    return f"{len(names)} test{plural}: {', '.join(shown)}{more}"


def lowered(names: Iterable[str]) -> frozenset[str]:
    """Names without capitals."""
    return frozenset(name.lower() for name in names)
