"""Fixtures that every package's tests may use."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis

from tests.support import servers


@pytest.fixture
def valkey(worker_id: str) -> Iterator[str]:
    """Return the address of a Valkey database of this pytest worker, empty at the start."""
    number = 0 if worker_id == "master" else 1 + int(worker_id.removeprefix("gw"))
    address = servers.running().valkey.rpartition("/")[0] + f"/{number}"
    client = redis.Redis.from_url(address)
    client.flushdb()
    yield address
    client.flushdb()
    client.close()
