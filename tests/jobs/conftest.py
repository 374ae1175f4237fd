"""Kinds of work for tests inside this process."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from jobs import registry
from jobs.registry import Claim, Next

Answer = Next | Exception | Callable[[Claim], Next]


class Script:
    """A handler that gives its answers in order and remembers the claims it met."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.claims: list[Claim] = []

    def __call__(self, claim: Claim) -> Next:
        self.claims.append(claim)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, Next) else answer(claim)


@pytest.fixture
def kind(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Script]:
    """Register kinds for one test: ``kind("x.y", Next.done(), queue="deploy")``."""
    monkeypatch.setattr(registry, "_kinds", dict(registry._kinds))

    def register(name: str, *answers: Answer, queue: str = "deploy") -> Script:
        script = Script(*(answers or (Next.done(),)))
        registry.register(name, queue, script)
        return script

    return register


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, object]]]:
    """Collect what jobs tells the history."""
    seen: list[tuple[str, dict[str, object]]] = []
    monkeypatch.setattr(
        registry, "_recorders", [lambda event, facts: seen.append((event, dict(facts)))]
    )
    return seen
