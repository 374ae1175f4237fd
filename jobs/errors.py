"""What can go wrong between a row of work and its worker."""

from __future__ import annotations


class LostClaim(Exception):
    """The fence has moved on: another worker has this row, so nothing may be written any more."""


class UnknownKind(LookupError):
    """Work of a kind that no app has registered."""


class JobRefused(Exception):
    """A job in Redis that is not ours, or a row in a queue that is not its own; says which."""
