"""Run the official command line and jsforce, and keep score of what they answered."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SECONDS = 180


@dataclass
class Score:
    """What was compared: name, whether it fits, what was seen."""

    passed: int = 0
    failed: list[str] = field(default_factory=list)

    def check(self, name: str, seen: object, expected: object, took: float) -> None:
        """Compare one value."""
        fits = seen == expected
        self.passed += fits
        mark = "ok  " if fits else "FAIL"
        sys.stdout.write(f"{mark} {took:5.1f} s  {name}\n")
        if not fits:
            self.failed.append(name)
            sys.stdout.write(f"          expected {expected!r}\n          seen     {seen!r}\n")
        sys.stdout.flush()


class CommandLine:
    """`sf` with a home of its own and nothing sent anywhere else."""

    def __init__(self, place: Path, score: Score) -> None:
        self._program = place / "clients" / "node_modules" / ".bin" / "sf"
        self._home = place / "home"
        self._home.mkdir(exist_ok=True)
        self.project = place / "project"
        self._score = score

    def run(self, *arguments: str, **environment: str) -> dict[str, Any]:
        """Run one command with --json and return its answer."""
        self.project.mkdir(exist_ok=True)
        finished = subprocess.run(
            [str(self._program), *arguments, "--json"],
            cwd=self.project,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self._home),
                "SF_DISABLE_TELEMETRY": "true",
                "SF_SKIP_NEW_VERSION_CHECK": "true",
                "SF_DISABLE_LOG_FILE": "true",
                **environment,
            },
        )
        try:
            answer: dict[str, Any] = json.loads(finished.stdout)
        except ValueError:
            return {"status": finished.returncode, "message": finished.stdout + finished.stderr}
        return answer

    def check(
        self,
        name: str,
        arguments: tuple[str, ...],
        pick: Callable[[dict[str, Any]], object],
        expected: object,
        **environment: str,
    ) -> dict[str, Any]:
        """Run a command and compare what `pick` takes out of its answer."""
        began = time.monotonic()
        answer = self.run(*arguments, **environment)
        took = time.monotonic() - began
        try:
            seen = pick(answer)
        except (KeyError, TypeError, IndexError, StopIteration) as error:
            seen = f"{type(error).__name__} {error}: {json.dumps(answer)[:1500]}"
        self._score.check(name, seen, expected, took)
        return answer


def run_script(place: Path, script: Path, score: Score, *arguments: str) -> None:
    """Run a Node script that prints one JSON object a line: name, seen, expected."""
    environment = {**os.environ, "NODE_PATH": str(place / "clients" / "node_modules")}
    run_lines(["node", str(script), *arguments], score, environment)


def run_lines(program: list[str], score: Score, environment: dict[str, str]) -> None:
    """Run a program that prints one JSON object a line among whatever else it prints."""
    finished = subprocess.run(
        program, capture_output=True, text=True, timeout=SECONDS, check=False, env=environment
    )
    for line in finished.stdout.splitlines():
        if not line.startswith('{"name"'):
            continue
        entry = json.loads(line)
        score.check(entry["name"], entry["seen"], entry["expected"], entry["took"])
    if finished.returncode:
        score.check(f"{Path(program[1]).name} ends well", finished.stderr[-1500:], "", 0)
