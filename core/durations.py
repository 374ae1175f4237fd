"""Say lengths of time the way people read them at a glance.

Two neighbouring units at most, the larger first; nothing is rounded up, so "1 d" never means
"23 h 59 min".
"""

from __future__ import annotations

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def spell(seconds: float) -> str:
    """Spell a number of seconds in its largest unit and the next smaller one: ``3 min 40 s``.

    Negative numbers count as zero.
    """
    left = int(max(seconds, 0))
    for position, (size, unit) in enumerate(_UNITS):
        if left >= size:
            count, rest = divmod(left, size)
            return f"{count} {unit}{_rest(rest, position + 1)}"
    return "0 s"


def spell_distance(seconds: float) -> str:
    """Spell how far away a moment is: as ``spell``, but nobody needs seconds beside minutes."""
    return spell(seconds - seconds % 60 if seconds >= 60 else seconds)


def spell_short(seconds: float) -> str:
    """Spell a number of seconds in its largest unit alone: ``7 d``."""
    size, unit = _largest(seconds)
    return f"{int(max(seconds, 0)) // size} {unit}"


def spell_progress(elapsed: float, expected: float | None) -> str:
    """Say how long something has run, with the usual length where history knows one.

    ``12 of ~38 min`` when both are told in the same unit, else ``40 s of ~3 min``.
    """
    if not expected or expected < 1:
        return spell(elapsed)
    usual = spell_short(expected)
    if _largest(elapsed) == _largest(expected):
        return f"{spell_short(elapsed).split()[0]} of ~{usual}"
    return f"{spell_short(elapsed)} of ~{usual}"


def _largest(seconds: float) -> tuple[int, str]:
    return next((pair for pair in _UNITS if seconds >= pair[0]), _UNITS[-1])


def _rest(seconds: int, position: int) -> str:
    if position == len(_UNITS) or seconds < _UNITS[position][0]:
        return ""
    size, unit = _UNITS[position]
    return f" {seconds // size} {unit}"
