"""Put the id of the request or job into every log line."""

import logging

from core.context import request_id


class RequestId(logging.Filter):
    """Set ``record.request_id``, "-" outside of requests and jobs."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Pass every record on, completed."""
        record.request_id = request_id() or "-"
        return True
