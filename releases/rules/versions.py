"""Version numbers of releases: ``major.minor.patch``."""

from __future__ import annotations

FIRST = "1.0.0"


def parse(text: str) -> tuple[int, int, int]:
    """The three numbers of a version; raises ``ValueError`` for anything else."""
    major, minor, patch = (int(part) for part in text.split("."))
    return major, minor, patch


def following(last: str | None, bump: str) -> str:
    """The version after ``last`` for a major, minor or patch release; 1.0.0 for the first."""
    if last is None:
        return FIRST
    major, minor, patch = parse(last)
    if bump == "major":
        return f"{major + 1}.0.0"
    if bump == "minor":
        return f"{major}.{minor + 1}.0"
    return f"{major}.{minor}.{patch + 1}"
