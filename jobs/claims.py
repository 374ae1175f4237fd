"""A worker's hold on one row of work, and what it answers when done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.db import connection, transaction

from jobs.errors import LostClaim

LEASE_SECONDS: Final = 60.0


@dataclass(frozen=True)
class Next:
    """When the row wants attention again: never, after some seconds, or at once."""

    seconds: float | None

    @classmethod
    def done(cls) -> Next:
        """Say that nothing is left to do until somebody wakes the row."""
        return cls(None)

    @classmethod
    def after(cls, seconds: float) -> Next:
        """Ask to be called again in so many seconds, or earlier when somebody wakes the row."""
        if seconds < 0:
            raise ValueError("a row cannot be woken in the past")
        return cls(seconds)

    @classmethod
    def now(cls) -> Next:
        """Ask to be called again at once, inside the same claim."""
        return cls(0.0)


@dataclass(frozen=True)
class Claim:
    """The right to work on one subject, for as long as the fence is ours."""

    kind: str
    subject_id: int
    fence: int
    work_id: int

    def guard(self) -> None:
        """Hold the row for the rest of this transaction, or raise LostClaim.

        FOR KEY SHARE: a new claim (FOR UPDATE) has to wait for this transaction, while ``wake``,
        which people's requests do with their own rows locked, does not, so the two never deadlock.
        """
        if not connection.in_atomic_block:
            raise transaction.TransactionManagementError("guard() holds only inside a transaction")
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT 1 FROM jobs_work WHERE id = %s AND fence = %s FOR KEY SHARE",
                [self.work_id, self.fence],
            )
            if cursor.fetchone() is None:
                raise LostClaim(f"{self.kind} {self.subject_id}: fence {self.fence} is over")

    def renew(self, seconds: float = LEASE_SECONDS) -> None:
        """Keep the row for so many seconds from now, or raise LostClaim.

        Call it outside a transaction and before something slow, with its hard time limit.
        """
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE jobs_work SET lease_until = gatehouse_now() + make_interval(secs => %s)"
                " WHERE id = %s AND fence = %s AND lease_until IS NOT NULL",
                [seconds, self.work_id, self.fence],
            )
            if cursor.rowcount != 1:
                raise LostClaim(f"{self.kind} {self.subject_id}: fence {self.fence} is over")
