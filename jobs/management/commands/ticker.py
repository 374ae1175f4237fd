"""manage.py ticker: ring for rows of work."""

from __future__ import annotations

import signal
from typing import Any

from django.core.management.base import BaseCommand

from jobs.ticker import Ticker


class Command(BaseCommand):
    """Run one ticker until SIGTERM or Ctrl-C; any number may run, one of them leads."""

    help = "Rings the workers for rows that want attention. Any number may run; one leads."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until a signal."""
        ticker = Ticker()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: ticker.stop())
        ticker.run()
