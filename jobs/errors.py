"""What can go wrong between a row of work and its worker."""

from __future__ import annotations


class LostClaim(Exception):
    """The fence has moved on: another worker has this row, so nothing may be written any more."""


class UnknownKind(LookupError):
    """Work of a kind that no app has registered."""


class JobRefused(Exception):
    """Something else than our own job was found in Redis; the message says what."""
