"""What the home page shows, gathered from the packages below with a bounded number of queries."""

from __future__ import annotations

from governance import inbox
from governance.inbox import Waiting
from governance.models import User


def waiting_for(user: User) -> list[Waiting]:
    """List what waits for this person, the most urgent first."""
    return inbox.waiting_for(user)
