"""Say that a value must be there; a broken promise of the program itself raises."""

from typing import TypeVar

T = TypeVar("T")


def sure(value: T | None, promise: str) -> T:
    """Return the value; RuntimeError with the broken promise when there is none."""
    if value is None:
        raise RuntimeError(f"the simulator broke its own promise: {promise}")
    return value
