"""The simulator's time: the wall clock plus the jumps made so far; durations shrink by a factor.

Only durations are scaled (a deploy, a sandbox copy): the clock itself runs with the wall, so that
assertions and time stamps of real clients stay comparable.
"""

import threading
import time
from datetime import UTC, datetime


class Clock:
    """Tell the simulated time in epoch seconds."""

    def __init__(self, *, speed: float, offset: float = 0.0) -> None:
        if speed <= 0:
            raise ValueError(f"the speed must be above zero, not {speed}")
        self._lock = threading.Lock()
        self._speed = speed
        self._offset = offset

    @property
    def offset(self) -> float:
        """Seconds that all jumps so far add to the wall clock."""
        return self._offset

    @property
    def speed(self) -> float:
        """How many modelled seconds pass in one real second."""
        return self._speed

    def now(self) -> float:
        """Return the simulated time in epoch seconds."""
        return time.time() + self._offset

    def scaled(self, seconds: float) -> float:
        """Return how long a modelled duration takes on this clock."""
        return seconds / self._speed

    def jump(self, seconds: float) -> None:
        """Move the clock; every later reading is shifted by so many seconds."""
        with self._lock:
            self._offset += seconds

    def set_speed(self, speed: float) -> None:
        """Change the factor for durations that begin from now on."""
        if speed <= 0:
            raise ValueError(f"the speed must be above zero, not {speed}")
        with self._lock:
            self._speed = speed


def _moment(epoch: float) -> datetime:
    return datetime.fromtimestamp(epoch, tz=UTC)


def rest_time(epoch: float | None) -> str | None:
    """Write a time as REST answers do: 2026-08-28T15:49:53.000+0000."""
    return None if epoch is None else soap_time(epoch)[:-1] + "+0000"


def soap_time(epoch: float) -> str:
    """Write a time as SOAP answers do: 2026-08-28T15:49:53.000Z."""
    moment = _moment(epoch)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def parse_time(text: str) -> float:
    """Read an ISO 8601 time (or date) and return epoch seconds; without a zone it is UTC."""
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.timestamp()
