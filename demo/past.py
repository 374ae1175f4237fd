"""Let a demo's story happen in the past: last week's release was deployed last week.

Services and workers read two clocks, the database's `gatehouse_now()` and `core.clock`. While a
`Past` is open, both run behind by the same offset, in this process and in this database. Nothing
but the demo's command may run meanwhile. Leaving gives the true time back; `give_back` does the
same for a command that was killed.
"""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from types import TracebackType

from django.db import connections

from core import clock

OWNER = "owner"
CLOCK = """
create or replace function gatehouse_now() returns timestamptz
    language sql volatile set search_path = pg_catalog, pg_temp
    as $$ select clock_timestamp(){} $$
"""


class Past:
    """Both clocks, set back; they only ever go forward."""

    def __init__(self) -> None:
        self._behind = timedelta(0)

    def __enter__(self) -> Past:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        give_back()

    def now(self) -> datetime:
        """Tell the time of the story."""
        return clock.now()

    def begin(self, moment: datetime) -> None:
        """Set both clocks back to a moment."""
        self._run_behind(clock.now() + self._behind - moment)

    def go_to(self, moment: datetime) -> None:
        """Let time pass until a moment; a moment that has passed already changes nothing."""
        ahead = moment - clock.now()
        if ahead > timedelta(0):
            self._run_behind(max(timedelta(0), self._behind - ahead))

    def _run_behind(self, behind: timedelta) -> None:
        self._behind = behind
        _replace_database_clock(f" - interval '{behind.total_seconds():.6f} seconds'")
        _replace_process_clock(behind)


def give_back() -> None:
    """Give the database and this process the true time."""
    _replace_database_clock("")
    _replace_process_clock(timedelta(0))


def _replace_database_clock(shift: str) -> None:
    with connections[OWNER].cursor() as cursor:
        cursor.execute(CLOCK.format(shift))


def _replace_process_clock(behind: timedelta) -> None:
    """Shift what `core.clock.now` reads; columns keep the function itself as their default."""

    class Shifted(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz) - behind

    clock.datetime = Shifted if behind else datetime  # type: ignore[attr-defined]
